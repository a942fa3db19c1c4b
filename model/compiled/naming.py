"""The canonical form of a state, printed as C: the scheme of `model/search/symmetry.py`, a state at a time.

Names have colours, refined by the cells in which they stand; those of one colour that are no twins are given one of their own in
turn, and of all forms that come of it the one with the least fingerprint is taken.
"""

from __future__ import annotations

from ..batch import random_numbers
from ..language import Type, is_sort
from .packed import PackedPrinter
from .packing import Field

RUNTIME = """
static inline uint32_t oo_colour(uint32_t x)
{
    x *= 0x9e3779b1u;
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    return x ^ x >> 15;
}
"""
CANONICAL = """
static void oo_refined(const struct oo_state *before, uint32_t *colours, int rounds)
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

/* The least form that comes of some colours. */
static void oo_settled(const struct oo_state *before, const uint32_t *colours, uint32_t *places, struct oo_state *form,
                       uint64_t *least)
{
    uint8_t order[OO_FREE];
    int placed = places[0] != 0;
    for (int kind = 0; kind < OO_FREE_KINDS; kind++) {
        const int first = oo_first[kind], until = oo_first[kind + 1];
        for (int n = first; n < until; n++) {
            const uint8_t at = oo_free[n];
            int to = n;
            for (; to > first && colours[order[to - 1]] > colours[at]; to--)
                order[to] = order[to - 1];
            order[to] = at;
        }
        for (int n = first + 1; n < until; n++) {
            const uint32_t colour = colours[order[n]];
            if (colour != colours[order[n - 1]] || colour == OO_BLANK)
                continue;
            if (!placed) {
                oo_places(before, places);
                places[0] = placed = 1;
            }
            if (places[order[n]] == places[order[n - 1]])
                continue;
            for (int each = first; each < until; each++) {
                const int at = oo_free[each];
                int twin = colours[at] != colour;
                for (int other = first; other < each && !twin; other++)
                    twin = colours[oo_free[other]] == colour && places[oo_free[other]] == places[at];
                if (twin)
                    continue;
                uint32_t apart[OO_NAMES];
                memcpy(apart, colours, sizeof apart);
                apart[at] = oo_colour(colour + 0x27d4eb2fu) & ~1u;
                oo_refined(before, apart, 1);
                oo_settled(before, apart, places, form, least);
            }
            return;
        }
    }
    uint8_t names[OO_NAMES];
    memcpy(names, oo_same_names, sizeof names);
    for (int n = 0; n < OO_FREE; n++)
        names[order[n]] = oo_same_names[oo_free[n]];
    struct oo_state renamed = {{0}};
    oo_renamed(before, &renamed, names);
    const uint64_t mark = oo_mark(&renamed);
    if (!*least || mark < *least) {
        *least = mark;
        *form = renamed;
    }
}

static uint64_t oo_canonical(const struct oo_state *before, struct oo_state *form)
{
    uint32_t colours[OO_NAMES], places[OO_NAMES] = {0};
    uint64_t least = 0;
    memcpy(colours, oo_plain, sizeof colours);
    oo_refined(before, colours, 2);
    oo_settled(before, colours, places, form, &least);
    return least;
}
"""
BLANK = 2**32 - 1


class Naming:
    """Prints, through the printer of a search, what its canonical forms need."""

    def __init__(self, printer: PackedPrinter) -> None:
        self.printer = printer
        model = printer.model
        self.sorts = [kind for kind in printer.spec.sorts if model.scope[kind.plural]]
        self.at: dict[Type, int] = {}
        self.names = 1
        for kind in self.sorts:
            self.at[kind] = self.names
            self.names += model.scope[kind.plural] + 1
        self.free = [kind for kind in self.sorts if printer.free.get(kind)]
        self._numbers = iter(random_numbers(20264, 4096).tolist())

    def sizes(self) -> None:
        """Say that there are names to be made equal, and how many."""
        self.printer._macro("OO_NAMES", self.names)
        self.printer._macro("OO_FREE", sum(len(self.printer.free[k]) for k in self.free))
        self.printer._macro("OO_FREE_KINDS", len(self.free))

    def _odd(self) -> str:
        return f"{next(self._numbers) % 2**32 | 1}u"

    def functions(self) -> None:
        """Print all of it."""
        p, free = self.printer, self.printer.free
        colours, same = [0] * self.names, [0] * self.names
        for kind in self.sorts:
            for element in range(p.model.scope[kind.plural] + 1):
                at = self.at[kind] + element
                same[at] = element
                colours[at] = BLANK if element in free.get(kind, ()) else next(self._numbers) % 2**32 & ~1
        ordered = [self.at[k] + e for k in self.free for e in free[k]]
        firsts = [sum(len(free[k]) for k in self.free[:n]) for n in range(len(self.free) + 1)]
        p.out.append(f"#define OO_BLANK {BLANK}u")
        for word, name, values in (
            ("uint32_t", "oo_plain", colours),
            ("uint8_t", "oo_same_names", same),
            ("uint16_t", "oo_free", ordered),
            ("uint16_t", "oo_first", firsts),
        ):
            suffix = "u" if word == "uint32_t" else ""
            p.out.append(f"static const {word} {name}[] = {{{', '.join(f'{v}{suffix}' for v in values)}}};")
        p.out += RUNTIME.split("\n")
        fields = [f for f in p.packing.moving if f.component.kind != "output"]
        maps = [f for f in fields if not f.part]
        queues = [f for f in fields if f.part == "line"]
        for name, told in (("sums", False), ("places", True)):
            states = "const struct oo_state *before, " + ("" if told else "const uint32_t *c, ") + "uint32_t *s"
            p._begin("", f"static void oo_{name}({states})")
            p._unused_arguments(["before", "s"] + ["c"] * (not told))
            self._numbers = iter(random_numbers(20265, 4096).tolist())
            for field in [*maps, *queues]:
                self._marks(field, told)
            p._end()
        p._begin("", "static void oo_renamed(const struct oo_state *before, struct oo_state *now, const uint8_t *names)")
        for field in fields:
            self._renaming(field)
        p._end()
        p.out += CANONICAL.split("\n")
        self._misnamed()

    def _opened(self, field: Field) -> list[str]:
        """Open loops over the keys of a field; their names."""
        keys = []
        for kind in field.keys:
            key = self.printer._new("k")
            first, last = (1, self.printer.model.scope[kind.plural]) if is_sort(kind) else (0, len(self._domain(kind)) - 1)
            self.printer._open(f"for (int {key} = {first}; {key} <= {last}; {key}++) {{")
            keys.append(key)
        return keys

    def _domain(self, kind: Type) -> range:
        return self.printer.model.domain(kind)

    def _marks(self, field: Field, told: bool) -> None:
        """Add up for each name what tells of a cell in which it stands: with the colours of the names beside it, or, if `told`,
        with those names as they are."""
        p = self.printer
        value = field.component.keys[0] if field.part else field.component.value
        kinds = [*field.keys, value]
        marks = [k for k in kinds if k in self.free]
        if not marks:
            return
        factors = [self._odd() for _ in kinds]
        given = [self._odd() for _ in kinds]
        seed, ranked = self._odd(), self._odd()
        keys = self._opened(field)
        held = p._new("v")
        p._line(f"const uint32_t {held} = {p._get('before', field.name, keys)};")
        p._line(f"if (!{held})")
        p._line("    continue;")
        names = [*keys, held]
        rank = ""
        if field.part:
            rank = f" + {ranked} * (uint32_t)(1 + {p._get('before', field.name.removesuffix('line') + 'rank', keys)})"

        def part(n: int, by_name: bool) -> str:
            if is_sort(kinds[n]) and not by_name:
                return f"c[{self.at[kinds[n]]} + {names[n]}] * {factors[n]}"
            return f"((uint32_t){names[n]} + 1) * {factors[n]}"

        if not told:
            whole = p._new("m")
            p._line(
                f"const uint32_t {whole} = oo_colour({' + '.join([seed, *(part(n, False) for n in range(len(kinds)))])}{rank});"
            )
            for n, kind in enumerate(kinds):
                if kind in self.free:
                    p._line(f"s[{self.at[kind]} + {names[n]}] += {whole} * {given[n]};")
        else:
            for n, kind in enumerate(kinds):
                if kind in self.free:
                    others = [part(m, True) for m in range(len(kinds)) if m != n]
                    p._line(f"s[{self.at[kind]} + {names[n]}] += oo_colour({' + '.join([seed, *others])}{rank}) * {given[n]};")
        for _ in keys:
            p._close()

    def _renaming(self, field: Field) -> None:
        p = self.printer
        value = field.component.keys[0] if field.part == "line" else None if field.part else field.component.value
        if not any(k in self.free for k in (*field.keys, value)):
            for number in sorted({field.at(n)[0] for n in range(field.count)}):
                mask = sum(((1 << field.width) - 1) << bit for at, bit in map(field.at, range(field.count)) if at == number)
                p._line(f"now->w[{number}] |= before->w[{number}] & {mask}ull;")
            return
        keys = self._opened(field)
        renamed = [f"names[{self.at[k]} + {key}]" if k in self.free else key for k, key in zip(field.keys, keys, strict=True)]
        held, to = p._new("v"), p._get("before", field.name, keys)
        p._line(f"const uint64_t {held} = {to if value not in self.free else f'names[{self.at[value]} + {to}]'};")
        word, bit = p._bits(field, renamed)
        p._line(f"now->w[{word}] |= {held} << {bit};")
        for _ in keys:
            p._close()

    def _misnamed(self) -> None:
        """Of which sort, counted from 1, a name that is free to be given out still stands somewhere."""
        p = self.printer
        p._begin("", "static int oo_misnamed(const struct oo_state *before)")
        given = p.given_out
        p._unused_arguments(["before"])
        if given:
            p._line("uint32_t places[OO_NAMES] = {0};")
            p._line("oo_places(before, places);")
        for number, kind in enumerate(given, 1):
            (over,), holds = p.recorder.statement(p.spec.unused[kind])
            name = p._variable(over)
            p._open(f"for (int {name} = {p.free[kind][0]}; {name} <= {p.free[kind][-1]}; {name}++) {{")
            p._line(f"if ({f'oo_plain[{self.at[kind]} + {name}] != OO_BLANK'} || !places[{self.at[kind]} + {name}])")
            p._line("    continue;")
            p._line(f"if ({p._expression(holds)})")
            p._line(f"    return {number};")
            p._close()
        p._line("return 0;")
        p._end()
