"""A failure of an implementation, in the fewest calls that show it."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.language import Spec
from ..adapters import Implementation
from .again import again, minimise
from .handles import Recorded
from .wrong import Mismatch


@dataclass(frozen=True)
class Failure:
    """What the implementation did wrong: the broken `clause`, what was seen in words, the fewest calls that show it."""

    clause: str
    text: str
    calls: list[Recorded]
    scope: dict[str, int]


def smallest_failure(
    spec: Spec,
    implementation: Implementation,
    scope: dict[str, int],
    calls: list[Recorded],
    mismatch: Mismatch,
    *,
    strict: bool = False,
) -> Failure:
    """A failure in the fewest calls found.  One that does not show itself again is reported as it was seen, and said so."""
    fewest = minimise(spec, implementation, scope, calls, mismatch.clause, strict=strict)
    session, seen = again(spec, implementation, scope, fewest, strict=strict)
    if seen is None:
        return Failure(mismatch.clause, f"{mismatch.text} (once; the same calls made again are answered rightly)", calls, scope)
    return Failure(seen.clause, seen.text, session.recorded, scope)
