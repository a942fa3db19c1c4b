"""An exported oracle, built and called through ctypes, beside a session: for the same calls and answers both have a verdict."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from oneowner.checker.session import Session
from oneowner.model.compiled import Library, Oracle
from oneowner.model.concrete import Vector
from oneowner.model.language import Spec, Type, answer_fields, is_enumeration, is_sort, member_type

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
PLACES = """
#include <stddef.h>
#include "oneowner.h"
unsigned long oo_places[] = {sizeof(struct oo_oracle), offsetof(struct oo_oracle, states), offsetof(struct oo_oracle, handles)};
"""


NOTHING = 1 << 40
"""A word that is no value."""


class Built:
    """An oracle as a library."""

    def __init__(self, oracle: Oracle, folder: Path, flags: tuple[str, ...] = STRICT) -> None:
        self.oracle, self.model = oracle, oracle.model
        (folder / "places.c").write_text(PLACES)
        made = ["cc", *flags, "-O0", "-shared", "-fPIC", "-o", folder / "oracle.so", folder / "oneowner.c", folder / "places.c"]
        subprocess.run(made, check=True, timeout=120)
        self.library = ctypes.CDLL(str(folder / "oracle.so"))
        size, self.states, self.handles = (ctypes.c_ulong * 3).in_dll(self.library, "oo_places")
        self.state = ctypes.create_string_buffer(size)
        parts = oracle.most_parts + bool(oracle.late_clauses)
        words = ctypes.c_uint64 * parts
        call = [("operation", ctypes.c_int), ("arguments", ctypes.c_uint64 * oracle.most_arguments)]
        late = [("waiter", ctypes.c_uint64), ("exit", ctypes.c_int), ("parts", words)]
        self.Call = type("Call", (ctypes.Structure,), {"_fields_": call})
        self.Late = type("Late", (ctypes.Structure,), {"_fields_": late})
        answer: list[Any] = [("exit", ctypes.c_int), ("parts", words)]
        if oracle.late_clauses:
            answer += [("late", ctypes.POINTER(self.Late)), ("lates", ctypes.c_int)]
        self.Answer = type("Answer", (ctypes.Structure,), {"_fields_": answer})
        self.verdicts = list(oracle.verdicts())
        self.exits = oracle.exits()
        self.operations = list(oracle.actions)

    def begin(self, *handles: int, strict: bool = False) -> None:
        """Begin anew."""
        self.library.oo_begin(self.state, *map(ctypes.c_uint64, handles))
        ctypes.c_int.from_buffer(self.state).value = strict

    def put(self, vector: Vector) -> None:
        """Begin in a state, in which the handle of every element is its number."""
        self.begin(*(element for _, _, element in self.oracle.constants()))
        living = [(c, v) for c, v in zip(self.model.components, vector, strict=True) if c.name not in self.oracle.still]
        model = SimpleNamespace(components=[c for c, _ in living], scope=self.model.scope)
        data = Library.packed(SimpleNamespace(model=model), [v for _, v in living])
        ctypes.memmove(ctypes.byref(self.state, self.states), data, len(data))
        handles = [n for kind in self.oracle.handled for n in range(self.oracle.given[kind.plural] + 1)]
        words = (ctypes.c_uint64 * len(handles))(*handles)
        ctypes.memmove(ctypes.byref(self.state, self.handles), words, ctypes.sizeof(words))

    def reachable(self, vector: Vector) -> Vector:
        """A state, with what the oracle's operations never write as it is at first."""
        blank, still = self.model.blank(), self.oracle.still
        return tuple(b if c.name in still else v for c, b, v in zip(self.model.components, blank, vector, strict=True))

    def check(self, operation: str, arguments: list[int], exit: str, parts: Sequence[int] = (), late: Sequence[Any] = ()) -> str:
        """What a call and its answer come to; `late` are waiters with their exits and parts."""
        call, answer = self.Call(operation=self.operations.index(operation)), self.Answer(exit=self._exit(exit))
        for at, value in enumerate(arguments):
            call.arguments[at] = value
        for at, value in enumerate(parts):
            answer.parts[at] = value
        if late:
            answer.late, answer.lates = (self.Late * len(late))(), len(late)
        for at, (waiter, error, values) in enumerate(late):
            answer.late[at].waiter, answer.late[at].exit = waiter, self._exit(error)
            for n, value in enumerate(values):
                answer.late[at].parts[n] = value
        return self.verdicts[self.library.oo_check(self.state, ctypes.byref(call), ctypes.byref(answer))]

    def _exit(self, name: str) -> int:
        return self.exits.index(name) if name in self.exits else -1

    @property
    def expected(self) -> str:
        """What the last call had to come to."""
        return self.exits[ctypes.c_int.from_buffer(self.state, 4).value]


class Beside:
    """An implementation on its way to a session, that tells an oracle of every call with what it is answered.  `wrong` may put
    another answer in the place of the right one: the session and the oracle are to see that alike."""

    def __init__(self, spec: Spec, implementation: Any, built: Built, wrong: Any) -> None:
        self.spec, self.implementation, self.built, self.wrong = spec, implementation, built, wrong
        self.numbers: dict[str, int] = {}
        self.session: Session | None = None
        self.asked: Any = None
        self.late: list[dict[str, Any]] = []

    def reset(self, topology: Any) -> Any:
        self.constants = self.implementation.reset(topology)
        self.built.begin(*(self.number(self.constants[name]) for _, name, _ in self.built.oracle.constants()))
        return self.constants

    def number(self, handle: Any) -> int:
        """A handle as the oracle knows it."""
        return 0 if handle is None else self.numbers.setdefault(handle, 1000 + len(self.numbers))

    def call(self, operation: str, wire: Mapping[str, Any]) -> Any:
        answer = self.wrong.answer(operation, self.implementation.call(operation, wire))
        self.asked = operation, wire, answer
        return answer

    def settle(self) -> Any:
        self.late = self.wrong.late(self.implementation.settle())
        return self.late

    def word(self, kind: Type, value: Any) -> int:
        """What the implementation gives or is given, as a word."""
        if kind in self.built.oracle.handled:
            return self.number(value)
        if isinstance(value, list | frozenset):
            return sum(1 << self.word(member_type(kind), each) for each in value)
        if value is None and not is_sort(kind):
            return NOTHING
        if is_enumeration(kind):
            return int(kind[value]) if isinstance(value, str) else int(value)
        if not is_sort(kind):
            return int(value)
        assert self.session is not None
        encoded = {self.session.encoded(kind, each): each for each in (0, *self.session.model.domain(kind))}
        return int(encoded.get(value, NOTHING))

    def judged(self) -> str:
        """The oracle's verdict of the last call."""
        operation, wire, answer = self.asked
        given = [self.word(slot.type, wire[slot.name]) for slot in self.built.oracle.asked(self.spec.actions[operation])]
        late = [(self.number(each[self.spec.waiter]), *self._answered(self._waiting(each), each)) for each in self.late]
        return self.built.check(operation, given, *self._answered(operation, answer), late)

    def _waiting(self, late: Mapping[str, Any]) -> str:
        """Of which operation a late answer seems to be, by its form."""
        value = late.get("ok")
        if isinstance(value, dict):
            return "read_socket" if "file" in value else "select"
        return "connect_socket" if value is None else "accept_socket"

    def _answered(self, operation: str, answer: Mapping[str, Any]) -> tuple[str, list[int]]:
        if "ok" not in answer:
            return str(answer.get("error", "suspended")), []
        fields, value = answer_fields(self.spec.actions[operation].answer), answer["ok"]
        return "ok", [self.word(kind, value[name] if name else value) for name, kind in fields]
