"""Fingerprints that are the same for all renamings of a state, printed as C: the scheme of `model/search/symmetry.py`.

Names have colours, refined by the cells in which they stand.  Where all colours are different, or the same for twins only, the
sum of what the cells say with colours in place of names tells a state from all that are no renamings of it: equal sums are those
of the same cells, and who has which colour is a renaming then.  Names of one colour that are no twins are given one of their own
in turn, and the least sum is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..batch import random_numbers
from ..language import Type, is_sort
from .packed import PackedPrinter
from .packing import Field

RUNTIME = """
OO_FN inline uint32_t oo_colour(uint32_t x)
{
    x *= 0x9e3779b1u;
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    return x ^ x >> 15;
}
"""
CANONICAL = """
OO_FN inline void oo_refined(const struct oo_state *before, uint32_t *colours, int rounds)
{
    for (; rounds; rounds--) {
        uint32_t sums[OO_NAMES] = {0};
        oo_sums(before, colours, sums);
        for (int n = 0; n < OO_FREE; n++) {
            const int at = oo_free[n];
            if (sums[at])
                colours[at] = oo_colour(colours[at] * 0xc2b2ae35u + sums[at]) & ~1u;
        }
    }
}

/* A name of the first sort that has several of one colour that are not blank, nor twins if `places` are given: of the least such
 * colour, so that it does not depend on what names are called.  Or 0. */
OO_FN inline int oo_alike(const uint32_t *colours, const uint32_t *places)
{
    int found = 0;
    for (int kind = 0; kind < OO_FREE_KINDS && !found; kind++)
        for (int n = oo_first[kind]; n < oo_first[kind + 1]; n++)
            for (int other = oo_first[kind]; other < n; other++) {
                const int one = oo_free[n], two = oo_free[other];
                if (colours[one] != colours[two] || colours[one] == OO_BLANK || (places && places[one] == places[two]))
                    continue;
                if (!found || colours[one] < colours[found])
                    found = one;
            }
    return found;
}

/* The least that is said of a state by names of which some are given colours of their own. */
OO_FN __attribute__((noinline)) void oo_apart(const struct oo_state *before, const uint32_t *colours, const uint32_t *places,
                                              uint64_t *least)
{
    const int alike = oo_alike(colours, places);
    if (!alike) {
        const uint64_t mark = oo_whole(before, colours);
        if (!*least || mark < *least)
            *least = mark;
        return;
    }
    int kind = 0;
    while (oo_first[kind + 1] <= oo_position[alike])
        kind++;
    for (int each = oo_first[kind]; each < oo_first[kind + 1]; each++) {
        const int at = oo_free[each];
        int twin = colours[at] != colours[alike];
        for (int other = oo_first[kind]; other < each && !twin; other++)
            twin = colours[oo_free[other]] == colours[at] && places[oo_free[other]] == places[at];
        if (twin)
            continue;
        uint32_t own[OO_NAMES];
        memcpy(own, colours, sizeof own);
        own[at] = oo_colour(own[at] + 0x27d4eb2fu) & ~1u;
        oo_refined(before, own, 1);
        oo_apart(before, own, places, least);
    }
}

OO_FN inline uint64_t oo_canonical(const struct oo_work *work, const struct oo_state *before)
{
    uint32_t colours[OO_NAMES];
    memcpy(colours, OO_COLOURS(work), sizeof colours);
    oo_refined(before, colours, 2);
    if (!oo_alike(colours, 0))
        return oo_whole(before, colours);
    uint32_t places[OO_NAMES] = {0};
    uint64_t least = 0;
    oo_places(before, places);
    oo_apart(before, colours, places, &least);
    return least;
}
"""
BLANK = 2**32 - 1
MANY = 8
"""Of how many cells the ones that are not blank are looked for."""


class Naming:
    """Prints, through the printer of a search, what its canonical forms need."""

    def __init__(self, printer: PackedPrinter) -> None:
        self.printer = printer
        model = printer.model
        self.sorts = list(printer.spec.sorts)
        self.at: dict[Type, int] = {}
        self.names = 1
        for kind in self.sorts:
            self.at[kind] = self.names
            self.names += model.scope[kind.plural] + 1
        self.free = [kind for kind in self.sorts if printer.free.get(kind)]
        self._numbers: Iterator[int] = iter(())

    def sizes(self) -> None:
        """Say that there are names to be made equal, and how many."""
        self.printer._macro("OO_NAMES", self.names)
        self.printer._macro("OO_FREE", sum(len(self.printer.free[k]) for k in self.free))
        self.printer._macro("OO_FREE_KINDS", len(self.free))

    def colours(self, free: Mapping[Type, Sequence[int]]) -> Any:
        """With which colour each name begins: those that are free in a search all with the same, which says that they stand
        nowhere; each other one with its own."""
        own = random_numbers(20264, self.names).astype(np.uint32) & np.uint32(BLANK - 1)
        for kind, elements in free.items():
            own[[self.at[kind] + element for element in elements]] = BLANK
        return own

    def _odd(self, wide: bool) -> str:
        number = next(self._numbers) | 1
        return f"{number}ull" if wide else f"{number % 2**32}u"

    def functions(self) -> None:
        """Print all of it."""
        p, free = self.printer, self.printer.free
        positions = [0] * self.names
        ordered = [self.at[k] + e for k in self.free for e in free[k]]
        for position, at in enumerate(ordered):
            positions[at] = position
        firsts = [sum(len(free[k]) for k in self.free[:n]) for n in range(len(self.free) + 1)]
        p.out.append(f"#define OO_BLANK {BLANK}u")
        for name, values in (("oo_position", positions), ("oo_free", ordered), ("oo_first", firsts)):
            p.out.append(f"OO_TABLE uint16_t {name}[] = {{{', '.join(map(str, values))}}};")
        # on a GPU no names are followed
        plain = ", ".join(f"{colour}u" for colour in self.colours(free).tolist())
        p.out += ["#ifdef OO_DEVICE", f"OO_TABLE uint32_t oo_plain[] = {{{plain}}};", "#endif"]
        p.out += RUNTIME.split("\n")
        fields = [f for f in p.packing.moving if f.component.kind != "output"]
        maps = [f for f in fields if not f.part]
        queues = [f for f in fields if f.part == "line"]
        heads = {
            "sums": "OO_FN inline void oo_sums(const struct oo_state *before, const uint32_t *c, uint32_t *s)",
            "places": "OO_FN void oo_places(const struct oo_state *before, uint32_t *s)",
            "whole": "OO_FN inline uint64_t oo_whole(const struct oo_state *before, const uint32_t *c)",
        }
        for what, head in heads.items():
            p._begin("", head)
            self._numbers = iter(random_numbers(20265, 4096).tolist())
            if what == "whole":
                self._nameless([f for f in fields if not self._is_named(f)])
            for field in [*maps, *queues]:
                if self._is_named(field):
                    self._marks(field, what)
            if what == "whole":
                p._line("return whole ? whole : 1;")
            p._end()
        p.out += CANONICAL.split("\n")
        self._misnamed()

    def _opened(self, field: Field) -> tuple[list[str], str]:
        """Open loops over the cells of a field that are not blank: the names of their keys, and of what they hold.

        Where there are many, most are blank, so the next that is not is looked for among the bits.
        """
        p = self.printer
        word, bits, at, held = (p._new(stem) for stem in ("w", "bits", "at", "v"))
        if field.count < MANY:
            keys = []
            for kind in field.keys:
                domain, key = p.model.domain(kind), p._new("k")
                p._open(f"for (int {key} = {domain.start}; {key} < {domain.stop}; {key}++) {{")
                keys.append(key)
            p._line(f"const uint32_t {held} = {p._get('before', field.name, keys)};")
            p._line(f"if (!{held})")
            p._line("    continue;")
            return keys, held
        each = field.each or field.count
        p._open(f"for (int {word} = 0; {word} < {-(-field.count // each)}; {word}++) {{")
        mask = (1 << each * field.width) - 1
        p._open(f"for (uint64_t {bits} = before->w[{field.word} + {word}] >> {field.shift} & {mask}ull; {bits};) {{")
        p._line(f"const int {at} = oo_lowest_bit({bits}) / {field.width};")
        cell = (1 << field.width) - 1
        p._line(f"const uint32_t {held} = {bits} >> {at} * {field.width} & {cell};")
        p._line(f"{bits} &= ~({cell}ull << {at} * {field.width});")
        keys, stride = [], 1
        for number, kind in reversed(list(enumerate(field.keys))):
            domain, key = p.model.domain(kind), p._new("k")
            rest = f" % {len(domain)}" if number else ""
            p._line(f"const int {key} = ({word} * {each} + {at}) / {stride}{rest} + {domain.start};")
            stride *= len(domain)
            keys.insert(0, key)
        return keys, held

    def _kinds(self, field: Field) -> list[Type]:
        return [*field.keys, field.component.keys[0] if field.part else field.component.value]

    def _is_named(self, field: Field) -> bool:
        """Whether a name that may be another stands in it; a queue's elements and their ranks go together."""
        return any(kind in self.free for kind in self._kinds(field))

    def _nameless(self, fields: list[Field]) -> None:
        """What cells say in which there are no names."""
        p = self.printer
        masks: dict[int, int] = {}
        for field in fields:
            for word, bit in map(field.at, range(field.count)):
                masks[word] = masks.get(word, 0) | ((1 << field.width) - 1) << bit
        p._line("uint64_t whole = 0x9e3779b97f4a7c15ull;")
        for word, mask in sorted(masks.items()):
            p._line(f"whole = oo_mixed(whole ^ (before->w[{word}] & {mask}ull));")

    def _marks(self, field: Field, what: str) -> None:
        """Add up what is said in a cell: to each name in it, with the colours of the names beside it ("sums") or with those names
        as they are ("places"), or to the whole."""
        p, kinds = self.printer, self._kinds(field)
        wide = what == "whole"
        factors, given = ([self._odd(wide) for _ in kinds] for _ in range(2))
        seed, ranked = self._odd(wide), self._odd(wide)
        keys, held = self._opened(field)
        word = "uint64_t" if wide else "uint32_t"
        names = [*keys, held]
        rank = ""
        if field.part:
            rank = f" + {ranked} * ({word})(1 + {p._get('before', field.name.removesuffix('line') + 'rank', keys)})"

        def part(n: int) -> str:
            if is_sort(kinds[n]) and what != "places":
                return f"c[{self.at[kinds[n]]} + {names[n]}] * {factors[n]}"
            return f"(({word}){names[n]} + 1) * {factors[n]}"

        every = " + ".join([seed, *map(part, range(len(kinds)))])
        if wide:
            p._line(f"whole += oo_mixed({every}{rank});")
        if what == "sums":
            mark = p._new("m")
            p._line(f"const uint32_t {mark} = oo_colour({every}{rank});")
        for n, kind in enumerate(kinds if not wide else ()):
            if kind in self.free:
                if what == "places":
                    others = " + ".join([seed, *(part(m) for m in range(len(kinds)) if m != n)])
                    mark = f"oo_colour({others}{rank})"
                p._line(f"s[{self.at[kind]} + {names[n]}] += {mark} * {given[n]};")
        for _ in keys if field.count < MANY else range(2):
            p._close()

    def _misnamed(self) -> None:
        """Of which sort, counted from 1, a name that is free to be given out still stands somewhere."""
        p = self.printer
        p._begin("", "OO_FN int oo_misnamed(const struct oo_work *work, const struct oo_state *before)")
        given = p.given_out
        p._unused_arguments(["work", "before"])
        if given:
            p._line("uint32_t places[OO_NAMES] = {0};")
            p._line("oo_places(before, places);")
        for number, kind in enumerate(given, 1):
            (over,), holds = p.recorder.statement(p.spec.unused[kind])
            name = p._variable(over)
            p._open(f"for (int {name} = {p.free[kind][0]}; {name} <= {p.free[kind][-1]}; {name}++) {{")
            p._line(f"if (OO_COLOURS(work)[{self.at[kind]} + {name}] != OO_BLANK || !places[{self.at[kind]} + {name}])")
            p._line("    continue;")
            p._line(f"if ({p._expression(holds)})")
            p._line(f"    return {number};")
            p._close()
        p._line("return 0;")
        p._end()
