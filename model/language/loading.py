"""A specification found by its name."""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import replace
from types import ModuleType

from .reading import SpecError
from .spec import Spec


def import_here(name: str) -> ModuleType:
    """Import a module by name, from the working folder too, where users keep theirs.  Raises what the import raises."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    return importlib.import_module(name)


def load(where: str) -> Spec:
    """The spec called `where`, "module:NAME".  Raises SpecError, saying which part was not found."""
    module_name, colon, name = where.partition(":")
    if not (module_name and colon and name):
        raise SpecError(f"{where!r} is not of the form module:NAME")
    try:
        module = import_here(module_name)
    except ModuleNotFoundError as error:
        raise SpecError(f"{where}: no module {error.name!r} here (looked where Python imports from)") from None
    except SpecError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        line = "" if isinstance(error, SyntaxError) else f" ({last.filename}, line {last.lineno})"
        raise SpecError(f"{where}: cannot import {module_name}: {type(error).__name__}: {error}{line}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Spec):
        raise SpecError(f"{where}: {module_name} has no Spec called {name!r}")
    return replace(found, where=where)
