"""Names in TLA+: no two definitions of a module share one, and neither does what is bound inside a definition."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..concrete import value_name
from ..language import SpecError, Type, is_enumeration

KEYWORDS = """
    ACTION ASSUME ASSUMPTION AXIOM BY CASE CHOOSE CONSTANT CONSTANTS COROLLARY DEF DEFINE DEFS DOMAIN ELSE ENABLED EXCEPT
    EXTENDS HAVE HIDE IF IN INSTANCE LAMBDA LEMMA LET LOCAL MODULE NEW OBVIOUS OMITTED ONLY OTHER PICK PROOF PROPOSITION PROVE
    QED RECURSIVE STATE STRONG_FAIRNESS SUBSET SUFFICES TAKE TEMPORAL THEN THEOREM UNCHANGED UNION USE VARIABLE VARIABLES
    WEAK_FAIRNESS WITH WITNESS TRUE FALSE BOOLEAN STRING
"""
STANDARD = """
    Nat Int Real Seq Len Append Head Tail SubSeq SelectSeq IsFiniteSet Cardinality Print PrintT Assert JavaTime TLCGet TLCSet
    Permutations SortSeq RandomElement Any ToString TLCEval
"""
OURS = """
    none vars Init Next Spec LineOf PlaceOf HeadOf Without FirstOf queue line lines element gone order passing other some n Test
"""


class Names:
    """Gives out names that nothing else has."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken) or set(f"{KEYWORDS} {STANDARD} {OURS}".split())

    def new(self, stem: str) -> str:
        """A name like `stem`."""
        stem = re.sub(r"[^A-Za-z0-9_]", "_", stem)
        if not re.match(r"(?!WF_|SF_)_*[A-Za-z]", stem):
            stem = f"x_{stem}"
        number, name = 2, stem
        while name in self.taken:
            name, number = f"{stem}_{number}", number + 1
        self.taken.add(name)
        return name


def text(of: str) -> str:
    """A text as TLA+ writes one."""
    plain = of.encode("ascii", "backslashreplace").decode()
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def value(kind: Type, given: int) -> str:
    """A value of a type: an element and a value of an enumeration by their names."""
    if kind is bool:
        return "TRUE" if given else "FALSE"
    if kind is int:
        return str(int(given))
    return "none" if not given and not is_enumeration(kind) else text(value_name(kind, given))


def elements(kind: Type, domain: Iterable[int]) -> list[str]:
    """The values of a sort, in order.  Raises SpecError where two share a name."""
    found = [value(kind, each) for each in domain]
    for name in found:
        if found.count(name) > 1 or name in ("none", '"none"'):
            raise SpecError(f"two elements of {kind.__name__} are called {name}: give the constant another name")
    return found


def comment(words: str, width: int = 118) -> list[str]:
    """A comment, in lines."""
    lines = [""]
    for word in words.encode("ascii", "replace").decode().split():
        if lines[-1] and len(lines[-1]) + len(word) >= width - 3:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [f"\\* {line}" for line in lines if line]
