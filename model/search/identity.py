"""What a search that is stored is of: all text that its states and fingerprints come from."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

from ..language import Spec

ENGINE = ("batch", "compiled", "concrete", "language", "recording", "search")
"""The folders whose text makes fingerprints and canonical forms."""

HERE = Path(__file__).parent.parent


def texts_of(spec: Spec) -> list[str]:
    """The text of a spec, of what its modules import from beside them, and of the engine: to any other what is stored of a search
    means nothing."""
    files = sorted(path for folder in ENGINE for path in (HERE / folder).glob("*.[hp]*"))
    texts = [inspect.getsource(module) for _, module in sorted(_modules(spec).items())]
    texts += [_text(function.__code__) for function in spec.replaced.values()]
    return texts + [path.read_text(encoding="utf-8") for path in files]


def _modules(spec: Spec) -> dict[str, ModuleType]:
    """A spec's modules, that which it is loaded from, and what they import that is not of the engine."""
    names = {module.__name__ for module in spec.modules} | {spec.where.partition(":")[0], spec.initial.__module__}
    found: dict[str, ModuleType] = {}
    waiting = [module for name in sorted(names) if (module := sys.modules.get(name))]
    while waiting:
        module = waiting.pop()
        if module.__name__ not in found:
            found[module.__name__] = module
            waiting += [other for name in _imported(module) if (other := sys.modules.get(name)) and _is_beside(other, module)]
    return found


def _imported(module: ModuleType) -> Iterator[str]:
    """The names of what a module imports, and of some that are none."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = importlib.util.resolve_name("." * node.level + (node.module or ""), module.__package__)
            yield name
            yield from (f"{name}.{each.name}" for each in node.names)


def _is_beside(other: ModuleType, module: ModuleType) -> bool:
    """Whether a module is of the same package as another or in the same folder, and not of the engine."""
    where, here = (getattr(each, "__file__", None) for each in (other, module))
    if not (where and here):
        return False
    packages = [each.__name__.partition(".")[0] for each in (other, module)]
    return HERE not in Path(where).parents and (packages[0] == packages[1] or Path(where).parent == Path(here).parent)


def _text(code: CodeType) -> str:
    """A function's code as text that is the same in every process, for one whose source is nowhere."""
    inner = [_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return " ".join([code.co_code.hex(), *code.co_names, *inner])
