"""States drawn at random, which may break every invariant."""

from __future__ import annotations

import random

from oneowner.model.concrete import Model, Vector


def random_vector(model: Model, chance: random.Random, base: Vector, share: float, *, outputs: bool = False) -> Vector:
    """`base` with about `share` of its cells drawn anew, those of `outputs` too; a queue's elements are dealt anew."""
    parts = []
    for component, part in zip(model.components, base, strict=True):
        if component.kind in ("parameter", "rigid") or (component.kind == "output" and not outputs):
            parts.append(part)
        elif component.kind == "queue":
            lines: list[list[int]] = [list(line) for line in part]
            if chance.random() < share:
                lines = [[] for _ in part]
                elements = model.domain(component.value)
                for element in chance.sample(elements, k=min(chance.randrange(4), len(elements))):
                    lines[chance.randrange(1, len(lines))].append(element)
            parts.append(tuple(map(tuple, lines)))
        else:
            cells = list(part)
            for key in model.keys(component):
                if chance.random() < share:
                    values = [*model.domain(component.value)]
                    at = model.index(component, key)
                    cells[at] = chance.choice([0, *values] if not isinstance(cells[at], bool) else [False, True])
            parts.append(tuple(cells))
    return tuple(parts)
