"""What ends a session: an answer that is not permitted, or too many possibilities."""

from __future__ import annotations

LATE = "to a suspended call"
"""What stands in the text of a mismatch that is about a late answer, and not about that of the call itself."""


class Mismatch(Exception):
    """The implementation did what the specification does not permit.  `clause` is what it broke; where a probe showed it, that
    is what the probed call came to, and `probe` what the probe was to come to.  Where it is a part of an answer that is wrong,
    `part` is its name.  `causes` are those that the call had which it is a failure of."""

    causes: frozenset[str] = frozenset()

    def __init__(self, clause: str, text: str, probe: str = "", part: str = "") -> None:
        super().__init__(text)
        self.clause, self.text, self.probe, self.part = clause, text, probe, part


class Unknown(Exception):
    """The implementation left open what happened, too often to go on."""
