"""The recording printed with the cells of a state as bits of words (see `Packing`)."""

from __future__ import annotations

from collections.abc import Sequence

from ..language import Type, is_sort
from ..recording import Node, Write
from .packing import Field, Packing
from .printer import Printer


class PackedPrinter(Printer):
    """Prints reads and writes of packed states.  `free` are the names that may be renamed, `fresh_kinds` the sorts of which
    fresh names are given out."""

    packing: Packing
    free: dict[Type, list[int]]
    fresh_kinds: list[Type]

    @property
    def given_out(self) -> list[Type]:
        """The sorts whose names may be renamed and are given out."""
        return [kind for kind in self.free if kind in self.fresh_kinds]

    def _tables(self) -> None:
        self._rigid("OO_TABLE")
        for field in self.packing.fields.values():
            if field.word < 0 and any(field.held):
                held = ", ".join(map(str, field.held))
                self.out.append(f"OO_TABLE uint8_t oo_held_{field.name}[] = {{{held}}};")

    # where a cell is

    def _flat(self, field: Field, keys: Sequence[str]) -> str:
        flat = ""
        for key, kind in zip(keys, field.keys, strict=True):
            at = f"({key} - 1)" if is_sort(kind) else f"({key})"
            size = len(self.model.domain(kind))
            flat = f"({flat} * {size} + {at})" if flat else at
        return flat or "0"

    def _bits(self, field: Field, keys: Sequence[str]) -> tuple[str, str]:
        flat = self._flat(field, keys)
        if field.each:
            return f"{field.word} + {flat} / {field.each}", f"({flat} % {field.each} * {field.width})"
        return str(field.word), f"({field.shift} + {flat} * {field.width})"

    def _get(self, tag: str, field: str, keys: Sequence[str]) -> str:
        place = self.packing.fields[field]
        if place.word < 0:
            return f"oo_held_{field}[{self._flat(place, keys)}]" if any(place.held) else "0"
        word, bit = self._bits(place, keys)
        return f"((int)({tag}->w[{word}] >> {bit}) & {(1 << place.width) - 1})"

    def _read(self, tag: str, field: str, keys: Sequence[Node]) -> str:
        place = self.packing.fields[field]
        if place.word < 0 and not any(place.held):
            return "0"
        given = [self._expression(key) for key in keys]
        found = self._get(tag, field, given)
        needs = [g for g, key in zip(given, keys, strict=True) if is_sort(key.type) and not _is_something(key)]
        return f"({' && '.join(needs)} ? {found} : 0)" if needs else found

    def _set(self, field: str, keys: Sequence[str], value: str) -> None:
        place = self.packing.fields[field]
        if place.word < 0:
            self._line(";")
            return
        word, bit = self._bits(place, keys)
        mask = f"{(1 << place.width) - 1}ull"
        at = self._new("b")
        text = f"now->w[{word}] = (now->w[{word}] & ~({mask} << {at})) | (uint64_t)({value}) << {at};"
        self._line(f"{{ const int {at} = {bit}; {text} }}")

    def _write(self, write: Write) -> None:
        component = self.components[write.component]
        name = (
            f"{component.name}_line"
            if component.kind == "queue"
            else next(f.name for f in self.packing.fields.values() if f.component is component)
        )
        if self.packing.fields[name].word >= 0:
            super()._write(write)


def _is_something(node: Node) -> bool:
    return node.op == "var" or (node.op == "arg" and len(node.args) == 1) or (node.op == "const" and bool(node.args[0]))
