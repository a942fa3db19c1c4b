"""A state as spec functions see it: maps and queues that read through, and are copied at the first write."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from ..language import (
    NoValue,
    SpecError,
    none,
)

Vector = tuple[tuple[Any, ...], ...]
"""A state, a part a component in the spec's order: a map's cells with the last key fastest; a queue's lines by key,
each a tuple, oldest first; a parameter's value as a tuple of one."""


class _Peek(list[Any]):
    """The log of a call of which only the exit is wanted: bulk updates are left out."""


class _Cells(NoValue):
    """A map's cells while an operation runs: reads through, copied at the first write."""

    __slots__ = ("cells", "log", "name", "shape")

    def __init__(self, name: str, shape: tuple[int, ...], cells: tuple[Any, ...], log: list[_Cells]) -> None:
        self.name, self.shape, self.cells, self.log = name, shape, cells, log

    def __getitem__(self, key: Any) -> Any:
        return self.cells[self._index(key)]

    def _index(self, key: Any) -> int:
        if len(self.shape) == 1:
            return key  # type: ignore[no-any-return]
        index = 0
        for part, size in zip(key, self.shape, strict=True):
            index = index * size + part
        return index

    def __setitem__(self, key: Any, value: Any) -> None:
        self._open()[self._index(key)] = value

    def _open(self) -> list[Any]:
        if type(self.cells) is tuple:
            self.cells = list(self.cells)  # type: ignore[assignment]
            self.log.append(self)
        return self.cells  # type: ignore[return-value]


class _Map(_Cells):
    __slots__ = ("domains",)

    def __init__(
        self, name: str, shape: tuple[int, ...], cells: tuple[Any, ...], log: list[_Cells], domains: tuple[range, ...]
    ) -> None:
        self.name, self.shape, self.cells, self.log = name, shape, cells, log
        self.domains = domains

    def __setitem__(self, key: Any, value: Any) -> None:
        for part, domain in zip(key if type(key) is tuple else (key,), self.domains, strict=True):
            if part not in domain:
                raise SpecError(f"{self.name}[{key}] = {value}: a map is never written at none")
        if not isinstance(value, int):
            raise SpecError(f"{self.name}[{key}] = {value!r}: that is no value of a cell")
        if type(value) is int and value < 0:
            raise SpecError(f"{self.name}[{key}] = {value}: numbers count from 0")
        super().__setitem__(key, value)

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        if type(self.log) is _Peek:
            return
        if not isinstance(value, int):
            raise SpecError(f"{self.name}.where(..., {value!r}): one value for all cells that are set, and that is none")
        if type(value) is int and value < 0:
            raise SpecError(f"{self.name}.where(..., {value}): numbers count from 0")
        keys = [key for key in itertools.product(*self.domains) if condition(*key)]
        cells = self._open()
        for key in keys:
            cells[self._index(key if len(key) > 1 else key[0])] = value


class _FlatMap(_Map):
    """A map with one key, which is its index."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return self.cells[key]


class _Rigid(_Cells):
    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        raise SpecError(f"{self.name}[{key}] = {value}: a rigid map never changes; declare it as a Map to write it")

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        raise SpecError(f"{self.name}.where(...): a rigid map never changes; declare it as a Map to write it")


class _Line(NoValue):
    __slots__ = ("key", "queue")

    def __init__(self, queue: _Queue, key: int) -> None:
        self.queue, self.key = queue, key

    @property
    def empty(self) -> bool:
        return not self.queue.cells[self.key]

    @property
    def length(self) -> int:
        return len(self.queue.cells[self.key])

    @property
    def head(self) -> int:
        line = self.queue.cells[self.key]
        return line[0] if line else none  # type: ignore[no-any-return]

    def push(self, element: int) -> None:
        queue = self.queue
        if not self.key or not element or queue.place(element):
            raise SpecError(f"{queue.name}[{self.key}].push({element}): needs an element that stands in no line")
        queue._open()[self.key] += (element,)

    def pop(self) -> int:
        line = self.queue.cells[self.key]
        if not line:
            raise SpecError(f"{self.queue.name}[{self.key}].pop(): the line is empty; require that it is not")
        self.queue._open()[self.key] = line[1:]
        return line[0]  # type: ignore[no-any-return]


class _Queue(_Cells):
    __slots__ = ()

    def __getitem__(self, key: int) -> _Line:
        return _Line(self, key)

    def place(self, element: int) -> int:
        if element:
            for key, line in enumerate(self.cells):
                if element in line:
                    return key
        return none  # type: ignore[no-any-return]

    def of(self, element: int) -> int:
        return self.place(element)

    def ahead(self, first: int, second: int) -> bool:
        line = self.cells[self.of(first)]
        return second in line and line.index(first) < line.index(second)

    def remove(self, element: int) -> None:
        self.drop(lambda other: other == element)

    def drop(self, condition: Callable[[int], bool]) -> None:
        kept = [tuple(e for e in line if not condition(e)) for line in self.cells]
        if kept != list(self.cells):
            self._open()[:] = kept


class _System(NoValue):
    """A state as spec functions see it.  Components are wrapped when first asked for."""

    def __init__(self, model: Any, vector: Vector) -> None:
        self.__dict__.update(_model=model, _vector=vector, _log=[])

    def __getattr__(self, name: str) -> Any:
        model = self.__dict__["_model"]
        if name == "before":
            if model.stating:
                raise SpecError("system.before in a statement: a step property is given the state before as a parameter")
            wrapped: Any = _System(model, self._vector)
        elif name in model.positions:
            wrapped = model.wrap(model.positions[name], self._vector, self._log)
        else:
            raise SpecError(f"the state has no {name!r}; it has {', '.join(model.positions)}")
        self.__dict__[name] = wrapped
        return wrapped

    def __setattr__(self, name: str, value: Any) -> None:
        raise SpecError(f"system.{name} = ...: a component is written cell by cell, or with where()")

    def _after(self) -> Vector:
        if not self._log:
            return self._vector  # type: ignore[no-any-return]
        parts = list(self._vector)
        for part in self._log:
            parts[self._model.positions[part.name]] = tuple(part.cells)
        return tuple(parts)

    def _asked(self) -> list[int]:
        """Which components were asked for."""
        return [self._model.positions[name] for name in self.__dict__ if name in self._model.positions]

    def _outputs(self) -> list[int]:
        """Which components that were written are outputs."""
        positions = (self._model.positions[part.name] for part in self._log)
        return [p for p in positions if self._model.components[p].kind == "output"]
