"""How tests plant a bug: a function again, from its source, with a line changed or taken out."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any


def changed(function: Callable[..., Any], old: str, new: str = "pass") -> Callable[..., Any]:
    """`function` with the one occurrence of `old` in its source replaced; decorators are left out."""
    source = textwrap.dedent(inspect.getsource(function))
    source = source[source.index("def ") :]
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {function.__name__}"
    scope = dict(vars(sys.modules[function.__module__]))
    exec(compile("from __future__ import annotations\n" + source.replace(old, new), function.__name__, "exec"), scope)
    made: Callable[..., Any] = scope[function.__name__]
    return made
