"""The cells of a map at one moment: unknown, blank, or what was written over others."""

from __future__ import annotations

from abc import ABC, abstractmethod

import z3

from .made import applied
from .terms import choice, conjunction, is_true, same


class Cells(ABC):
    """The cells of a map at one moment: reads a key as a Z3 term."""

    def __init__(self) -> None:
        self._memo: dict[tuple[int, ...], tuple[tuple[z3.ExprRef, ...], z3.ExprRef]] = {}

    def read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        ids = tuple(part.get_id() for part in key)
        if ids not in self._memo:
            self._memo[ids] = key, self._read(key)  # the key is kept, so that its ids are not given out again
        return self._memo[ids][1]

    @abstractmethod
    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        """The term at a key that was not read before."""


class Unknown(Cells):
    """Any content: an uninterpreted function."""

    def __init__(self, function: z3.FuncDeclRef) -> None:
        super().__init__()
        self.function = function
        self._like: z3.ExprRef | None = None

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        if self._like is None:
            self._like = self.function(*key)
            return self._like
        return applied(self.function, key, self._like)


class Blank(Cells):
    """The default everywhere."""

    def __init__(self, value: z3.ExprRef) -> None:
        super().__init__()
        self.value = value

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        return self.value


class Written(Cells):
    """What another state of the map holds, but `value` where `condition`, a term over the variables `over`, holds."""

    def __init__(self, under: Cells, over: list[z3.ExprRef], condition: z3.BoolRef, value: z3.ExprRef) -> None:
        super().__init__()
        self.under, self.over, self.condition, self.value = under, over, condition, value

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        here = z3.substitute(self.condition, *zip(self.over, key, strict=True))
        return choice(here, self.value, self.under.read(key))


class Stored(Cells):
    """What another state of the map holds, but `value` at `at`."""

    def __init__(self, under: Cells, at: tuple[z3.ExprRef, ...], value: z3.ExprRef) -> None:
        super().__init__()
        self.under, self.at, self.value = under, at, value

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        here = conjunction([same(k, a) for k, a in zip(key, self.at, strict=True)])
        return self.value if is_true(here) else choice(here, self.value, self.under.read(key))
