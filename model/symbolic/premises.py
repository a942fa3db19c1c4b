"""Premises from which a goal is likely to follow: those that speak of what it speaks of.

With all of them a solver may lose its way among instances that lead nowhere; what follows from some follows from all.  (Hoder and
Voronkov, Sine Qua Non for Large Theory Reasoning, CADE 2011, choose by rarer symbols and go on from what was chosen.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import z3

from .terms import applications


def spoken_of_in(term: z3.AstRef) -> frozenset[str]:
    """The names of the functions that a term has whose values are open, constants left out."""
    open = (each.decl() for each in applications(term) if each.num_args())
    return frozenset(function.name() for function in open if function.kind() == z3.Z3_OP_UNINTERPRETED)


class Premises:
    """What is assumed of a system again and again: what each assumption speaks of is looked up once."""

    def __init__(self, base: Sequence[z3.BoolRef]) -> None:
        self._spoken = {premise.get_id(): spoken_of_in(premise) for premise in base}
        # a term's number is its own as long as there is the term
        self._base = base

    def likely(self, premises: Sequence[z3.BoolRef], goal: Sequence[z3.BoolRef]) -> Iterator[list[z3.BoolRef]]:
        """Ever more of the premises: those that speak of nothing else than the goal, then those that speak of something in it."""
        asked = frozenset[str]().union(*map(spoken_of_in, goal))
        spoken = [(premise, self._of(premise)) for premise in premises]
        yield [premise for premise, names in spoken if names <= asked]
        yield [premise for premise, names in spoken if names & asked or not names]

    def _of(self, premise: z3.BoolRef) -> frozenset[str]:
        known = self._spoken.get(premise.get_id())
        return spoken_of_in(premise) if known is None else known
