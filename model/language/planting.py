"""A function of a spec again, wrong in one place: how a bug is planted by naming the line that it breaks."""

from __future__ import annotations

import inspect
import itertools
import linecache
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from .reading import SpecError

_planted = itertools.count(1)


def planted(function: Callable[..., Any], old: str, new: str = "pass", *, within: str = "") -> Callable[..., Any]:
    """`function` from its source, with the one occurrence of `old` replaced by `new`; decorators are left out.

    `within` names the function in which the line stands, if it is one that `function` calls, itself or through others:
    wherever it is called from there, it is so changed.  Raises SpecError where `old` does not stand there exactly once.
    """
    target = within or function.__name__
    if not _reaches(function, target, set()):
        raise SpecError(f"{function.__name__} calls no {within}, nor does what it calls")
    return _again(function, target, old, new, {})


def _again(function: Callable[..., Any], target: str, old: str, new: str, made: dict[str, Any]) -> Callable[..., Any]:
    """`function` with `target` changed and with copies of all functions in between that call the changed one."""
    scope = dict(vars(sys.modules[function.__module__]))
    here = function.__name__ == target
    for name, callee in () if here else _calls(function):
        if _reaches(callee, target, set()):
            if name not in made:
                made[name] = callee  # which stands for itself, should it call itself
                made[name] = _again(callee, target, old, new, made)
            scope[name] = made[name]
    source = textwrap.dedent(inspect.getsource(function))
    source = source[source.index("def ") :]
    if here and source.count(old) != 1:
        raise SpecError(f"{old!r} stands {source.count(old)} times in {target}, not once")
    text = "from __future__ import annotations\n" + (source.replace(old, new) if here else source)
    path = f"<{function.__name__}, planted {next(_planted)}>"
    linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path  # so that errors, and checks, can quote it
    exec(compile(text, path, "exec"), scope)
    again: Callable[..., Any] = scope[function.__name__]
    return again


def _reaches(function: Callable[..., Any], target: str, seen: set[str]) -> bool:
    if function.__name__ == target:
        return True
    seen.add(function.__name__)
    return any(_reaches(callee, target, seen) for name, callee in _calls(function) if name not in seen)


def _calls(function: Callable[..., Any]) -> Iterator[tuple[str, FunctionType]]:
    """The functions of its module's that `function` names, its inner functions too."""
    known = vars(sys.modules[function.__module__])
    for name in dict.fromkeys(_names(function.__code__)):
        if isinstance(known.get(name), FunctionType):
            yield name, known[name]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
