"""The concrete reading's model with operations that are called in C: the same outcomes, sooner."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..concrete import Model, Outcome, Vector
from ..language import EFFECTIVE, Action, Scope, Spec, SpecError, Type, answer_fields
from ..recording import Block, Branch, Leaf, Write, causes, refuses
from .building import Building
from .cells import answering, bytes_of, held, part_of, value_of, word_of
from .printer import Printer, printed

FLAGS = ("-std=gnu11", "-O1", "-shared", "-fPIC", "-w")
MOST_REMEMBERED = 64
MOST_AT_ONCE = 512
"""Of how many calls it is asked at once where they lead."""


class CallsPrinter(Printer):
    """Prints operations and names, and one function that calls them by number; a call tells its causes, by bit, in words."""

    states_given = (*Printer.states_given, "uint64_t *came")
    more: tuple[str, ...] = ()

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.causes = causes(self.spec)
        self.words = max(1, -(-max((len(each.all) for each in self.causes.values()), default=0) // 64))
    def _operation(self, action: Action, tree: Block) -> None:
        self._action = action
        super()._operation(action, tree)

    def _note(self, at: Branch | Write, yes: bool = True) -> None:
        of = self.causes[self._action.name]
        if isinstance(at, Write):
            number = of.of_bulk(at)
            if number is not None:
                self._came(number)
            return
        found = of.of(at, yes)
        if refuses(at.yes if yes else at.no):
            self._line(f"memset(came, 0, {8 * self.words});")
        known, opened = dict(self._known), 0
        for way in found[:-1]:
            self._open(f"if ({self._expression(way.condition)}) {{")
            self._came(*way.numbers)
            self._close("} else {")
            self.indent += 1
            opened += 1
        if found:
            self._came(*found[-1].numbers)
        for _ in range(opened):
            self._close()
        self._known = known

    def _came(self, *numbers: int) -> None:
        for number in numbers:
            self._line(f"came[{number // 64}] |= {1 << number % 64}ull;")

    def _leaf(self, leaf: Leaf, copied: bool) -> None:
        of = [cause.exit for cause in self.causes[self._action.name].all]
        if leaf.exit in EFFECTIVE and any(exit in EFFECTIVE and exit != leaf.exit for exit in of):
            for word in range(self.words):
                mask = sum(1 << n for n, exit in enumerate(of[64 * word : 64 * word + 64]) if exit == leaf.exit)
                self._line(f"came[{word}] &= {mask}ull;")
        super()._leaf(leaf, copied)

    def calls(self) -> str:
        self._operations()
        at = self.out.index("#include <stdint.h>")
        self.out[at + 1 : at + 1] = ["#include <string.h>", *self.more]
        self._by_number()
        self._foreseen()
        self._unused_names()
        return "\n".join(self.out) + "\n"

    def _by_number(self) -> None:
        states = ", ".join([*self.states_given, "const uint64_t *a"])
        self._begin("An operation by its number, with its arguments in order.", f"int oo_call(int operation, {states})")
        self._line(f"memset(came, 0, {8 * self.words});")
        self._begin_call()
        self._by_operation(lambda action, given: f"return oo_{action.name}(before, now, answer, came{given});")
        self._line("return -2;")
        self._end()

    def _by_operation(self, line: Callable[[Action, str], str]) -> None:
        """Print a line for each operation, of what it is given."""
        self._open("switch (operation) {")
        for number, action in enumerate(self.spec.actions.values()):
            given = "".join(f", {'' if s.subset else '(int)'}a[{n}]" for n, s in enumerate(action.slots))
            self._line(f"case {number}: {line(action, given)}")
        self._close()

    def _begin_call(self) -> None:
        """Print what is done first in a call."""

    def _foreseen(self) -> None:
        """Each number picks a value an argument: the last digits that of the first."""
        given = "const uint64_t *values, const int32_t *sizes, int slots, const uint32_t *numbers, int count"
        told = "uint64_t wanted, const uint64_t *because, int32_t *exits"
        head = f"int oo_foreseen(int operation, const struct oo_state *before, {given}, {told})"
        self._begin("The exits of calls, up to the first that is wanted, because of what is wanted; how many there are.", head)
        self._line("struct oo_state now;")
        self._line(f"uint64_t answer[16], a[16], came[{self.words}];")
        self._open("for (int n = 0; n < count; n++) {")
        self._line("uint32_t rest = numbers[n];")
        self._line("const uint64_t *from = values;")
        self._open("for (int slot = 0; slot < slots; slot++) {")
        self._line("a[slot] = from[rest % (uint32_t)sizes[slot]];")
        self._line("rest /= (uint32_t)sizes[slot];")
        self._line("from += sizes[slot];")
        self._close()
        self._line("exits[n] = oo_call(operation, before, &now, answer, came, a);")
        self._line("if (exits[n] < 0)")
        self._line("    return n + 1;")
        of = " || ".join(["!because", *(f"came[{word}] & because[{word}]" for word in range(self.words))])
        self._line(f"if ((wanted >> exits[n] & 1) && ({of}))")
        self._line("    return n + 1;")
        self._close()
        self._line("return count;")
        self._end()

    def _unused_names(self) -> None:
        """Of each sort whose names are given out a word: bit n is whether element n is free."""
        self._begin("", "void oo_unused(const struct oo_state *before, uint64_t *words)")
        for number, (_, test) in enumerate(self.spec.unused.items()):
            (over,), holds = self.recorder.statement(test)
            known = dict(self._known)
            self._line(f"words[{number}] = 0;")
            self._open(self._loop(over))
            self._line(f"words[{number}] |= (uint64_t)({self._expression(holds)} ? 1 : 0) << {self._variable(over)};")
            self._close()
            self._known = known
        self._end()


class CompiledModel(Model):
    """A model whose operations are called in a library.  Vectors are those of the concrete reading; of the last that were
    come to it is remembered what they are as bytes.  Raises SpecError as `Building.library`."""

    printer: type[CallsPrinter] = CallsPrinter

    def __init__(self, spec: Spec, scope: Scope | None = None, *, building: Building | None = None) -> None:
        super().__init__(spec, scope)
        text = self.text(spec, scope)
        self.library = (building or Building(text.calls(), FLAGS)).library()
        self.library.oo_call.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 5]
        self.library.oo_foreseen.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_uint64,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self.library.oo_unused.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self.exits = text.exits()
        self._bits = {exit: 1 << number for number, exit in enumerate(self.exits)}
        self._numbers = {name: number for number, name in enumerate(spec.actions)}
        self._places = held(self)
        self._after = ctypes.create_string_buffer(sum(size for _, size in self._places.values()))
        self._answer, self._given_words = (ctypes.c_uint64 * 16)(), (ctypes.c_uint64 * 16)()
        self._exits = (ctypes.c_int32 * MOST_AT_ONCE)()
        self._words = (ctypes.c_uint64 * max(1, len(spec.unused)))()
        self._came, self._because = (ctypes.c_uint64 * text.words)(), (ctypes.c_uint64 * text.words)()
        self._at = [ctypes.addressof(each) for each in (self._after, self._answer, self._came, self._given_words)]
        self._asked: tuple[Any, ...] = ()
        self._packed: dict[int, tuple[Vector, bytes]] = {}
        self._written = {n: [c for c in self.components if c.name in tree.written] for n, tree in text.trees.items()}
        self._fields = {(name, exit): answer_fields(spec.actions[name].answer) for name, exit in answering(text.trees)}

    @classmethod
    def text(cls, spec: Spec, scope: Scope | None) -> CallsPrinter:
        """What prints the library of a spec in a scope.  Raises SpecError for what the compiled reading has no room for."""
        made = cls.printer(printed(spec, dict(scope or {})).model)
        if any(len(a.slots) > 16 or len(answer_fields(a.answer)) > 16 for a in spec.actions.values()) or len(made.exits()) > 64:
            raise SpecError("the compiled reading has room for 16 arguments, 16 parts of an answer, and 64 exits")
        if any(made.model.scope[kind.plural] > 63 for kind in spec.unused):
            raise SpecError("the compiled reading has room for 63 names of a sort that is given out")
        return made

    @classmethod
    def building(cls, spec: Spec, scope: Scope | None = None) -> Building:
        """The library of a spec in a scope, not built yet, unless it is kept.  Raises SpecError as `text`."""
        return Building(cls.text(spec, scope).calls(), FLAGS)

    def bytes_of(self, vector: Vector) -> bytes:
        """A state as the library has it."""
        found = self._packed.get(id(vector))
        if found is not None and found[0] is vector:
            return found[1]
        parts = [bytes_of(self, c, vector[self.positions[c.name]]) for c in self.components if c.name in self._places]
        return self._remember(vector, b"".join(parts))

    def _remember(self, vector: Vector, data: bytes) -> bytes:
        if len(self._packed) >= MOST_REMEMBERED:
            self._packed.clear()
        self._packed[id(vector)] = vector, data
        return data

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> Outcome:
        """As in `Model`."""
        if self._survey is not None:
            return super().step(action, vector, arguments)
        words = self._given_words
        for number, slot in enumerate(action.slots):
            words[number] = word_of(arguments[slot.name], slot.subset)
        before = self.bytes_of(vector)
        after, answer, came, given = self._at
        code = self.library.oo_call(self._numbers[action.name], before, after, answer, came, given)
        if code < 0:
            self._check_whole(action)
            # the concrete reading says what is wrong, and where
            return super().step(action, vector, arguments)
        exit = self.exits[code]
        self._asked = action, vector, arguments
        if exit not in EFFECTIVE:
            return Outcome(exit, vector, None, vector)
        return self._come_to(action, vector, exit)

    def _come_to(self, action: Action, vector: Vector, exit: str) -> Outcome:
        """The outcome of the last call, where it has written the state after."""
        data, parts, outputs = self._after.raw, list(vector), []
        for component in self._written[action.name]:
            position = self.positions[component.name]
            at, size = self._places[component.name]
            parts[position] = part_of(self, component, data[at : at + size])
            if component.kind == "output":
                outputs.append(component)
        shown = state = tuple(parts)
        if outputs:
            blank = bytearray(data)
            for component in outputs:
                at, size = self._places[component.name]
                position = self.positions[component.name]
                parts[position], blank[at : at + size] = self._blank[position], bytes(size)
            state, data = tuple(parts), bytes(blank)
        self._remember(state, data)
        return Outcome(exit, state, self._told(action, exit), shown)

    def _told(self, action: Action, exit: str) -> Any:
        fields = self._fields.get((action.name, exit))
        if fields is None:
            return None
        parts = [value_of(kind, self._answer[number]) for number, (_, kind) in enumerate(fields)]
        return action.answer(*parts) if fields[0][0] else parts[0]

    def foreseen(
        self,
        action: Action,
        vector: Vector,
        values: Mapping[str, Sequence[Any]],
        numbers: Sequence[int],
        wanted: Collection[str],
        because: int | None = None,
    ) -> list[str]:
        """As in `Model`."""
        if len(numbers) > MOST_AT_ONCE:
            return super().foreseen(action, vector, values, numbers, wanted, because)
        for word in range(len(self._because) if because is not None else 0):
            self._because[word] = because >> 64 * word & 2**64 - 1  # type: ignore[operator]
        flat, sizes = array("Q"), array("i")
        for slot in action.slots:
            choices = values[slot.name]
            flat.extend([word_of(choice, True) for choice in choices] if slot.subset else choices)
            sizes.append(len(choices))
        asked, bits = array("I", numbers), sum(self._bits.get(exit, 0) for exit in wanted)
        count = self.library.oo_foreseen(
            self._numbers[action.name],
            self.bytes_of(vector),
            flat.buffer_info()[0],
            sizes.buffer_info()[0],
            len(sizes),
            asked.buffer_info()[0],
            len(asked),
            bits,
            None if because is None else self._because,
            self._exits,
        )
        found = self._exits[:count]
        if found and found[-1] < 0:
            self._check_whole(action)
            return super().foreseen(action, vector, values, numbers, wanted, because)
        return [self.exits[code] for code in found]

    def _check_whole(self, action: Action) -> None:
        """Raise SpecError where an operation is not what the concrete reading knows."""

    def came(self, action: Action, vector: Vector, arguments: Mapping[str, Any], exit: str) -> int:
        """As in `Model`; soonest of the last call that was made."""
        asked = self._asked
        if not asked or asked[0] is not action or asked[1] is not vector or asked[2] is not arguments:
            return super().came(action, vector, arguments, exit)
        bits = self._came[0]
        for word in range(1, len(self._came)):
            bits |= self._came[word] << 64 * word
        return bits

    def fresh(self, vector: Vector, kind: Type, reserved: int = 0) -> int:
        """As in `Model`."""
        last = self.scope[kind.plural] - reserved
        free = self.unused(vector)[kind] >> len(kind.constants) + 1 << len(kind.constants) + 1
        least = (free & -free).bit_length() - 1
        return least if 0 < least <= last else 0

    def unused(self, vector: Vector) -> dict[Type, int]:
        """As in `Model`."""
        self.library.oo_unused(self.bytes_of(vector), self._words)
        return dict(zip(self.spec.unused, self._words, strict=False))
