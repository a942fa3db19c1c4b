"""A failure of an implementation, in the fewest calls that show it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from ...model.language import Spec
from ..adapters import Implementation, restarts, stopped
from ..errors import AdapterError
from .again import again, same, without
from .declared import Declared, declared
from .handles import Origin, Recorded
from .reasons import Reason, reasons
from .session import Session
from .shrinking import minimise
from .wrong import Mismatch

AFRESH = 3
"""How often a failure is looked for, and in how many fresh processes, before it is said that it does not show itself again."""


@dataclass(frozen=True)
class Failure:
    """What the implementation did wrong: the broken `clause`, what was seen in words, the fewest calls that show it; whether
    these are wrong in a process started for them too, None where that was not tried; whether only there, `anew`, they are wrong
    each time; which of the calls made the answer due that was not given; and the causes of the call whose failure it is."""

    clause: str
    text: str
    calls: list[Recorded]
    scope: dict[str, int]
    afresh: bool | None = None
    anew: bool = False
    reasons: tuple[Reason, ...] = ()
    causes: frozenset[str] = frozenset()

    @property
    def probe(self) -> str:
        """What the probe was to come to that showed it, if it was one."""
        last = self.calls[-1]
        return f"{last.operation}/{last.exit}" if last.probe else ""

    @property
    def freshly(self) -> str:
        """What is said of where it shows itself, to stand after "in so many calls"."""
        if self.afresh is None:
            return ""
        if self.anew:
            return ", each time in a fresh process, but not in one that has served others"
        return ", in a fresh process too" if self.afresh else ", but not in a fresh process: something outlives reset"


def smallest_failure(
    spec: Spec,
    implementation: Implementation,
    scope: dict[str, int],
    calls: list[Recorded],
    mismatch: Mismatch,
    *,
    strict: bool = False,
    deviations: Collection[Declared] = (),
) -> Failure:
    """A failure in the fewest calls found.  One that does not show itself again is reported as it was seen, and said so; so is
    one whose causes make it none of the declared deviations, where the fewest calls show one of these.

    Where a probe showed it, it is the failure of the first call after which that probe is answered wrongly.  Where the process
    that it was seen in does not show it each time, as one that ends after so many calls, it is looked for in fresh ones.
    """
    find = partial(_found, spec, implementation, scope, calls, mismatch, strict)
    found = find(False)
    if (found is None or not found.steady) and restarts(implementation):
        anew = find(True)
        found = anew if anew is not None and anew.steady else found
    if found is None:
        text = f"{mismatch.text} (once; the same calls made again are answered rightly)"
        return Failure(mismatch.clause, text, calls, scope, causes=mismatch.causes)
    is_known = any(each.fits(found.failure.clause, found.failure.causes) for each in deviations)
    if is_known and mismatch.causes and not declared(deviations, mismatch):
        return Failure(mismatch.clause, mismatch.text, calls, scope, causes=mismatch.causes)
    return found.failure


@dataclass(frozen=True)
class _Found:
    """A failure in few calls, and whether it was seen in them each time."""

    failure: Failure
    steady: bool


def _found(
    spec: Spec,
    implementation: Implementation,
    scope: dict[str, int],
    calls: list[Recorded],
    mismatch: Mismatch,
    strict: bool,
    anew: bool,
) -> _Found | None:
    """A failure in few calls, if these show it again; `anew`, each time in a fresh process."""
    made = partial(again, spec, implementation, scope, strict=strict, anew=anew)
    if not any(made(calls)[1] for _ in range(AFRESH)):
        return None
    if mismatch.probe:
        calls, mismatch = _first_shown(made, calls, mismatch)
    fewest = minimise(spec, implementation, scope, calls, mismatch, strict=strict, anew=anew)
    session, seen = made(fewest)
    if seen is None:
        return None
    calls = session.recorded
    if seen.probe and _was_never_right(calls):
        calls, mismatch = by_itself(calls, seen)
        session, seen = made(calls)
        if seen is None:
            return None
    failure = Failure(
        seen.clause, seen.text, session.recorded, scope, anew or None, anew, tuple(reasons(session, seen)), seen.causes
    )
    others = (made(failure.calls)[1] for _ in range(AFRESH - 1))
    return _Found(failure, all(other is not None and same(other, seen) for other in others))


def tried_afresh(spec: Spec, fresh: Callable[[], Implementation] | None, failure: Failure, *, strict: bool = False) -> Failure:
    """A failure, with whether it shows itself in a process of its own: if it does not, the implementation keeps something across
    resets, and the calls before the last one had their part in it."""
    if fresh is None or failure.anew:
        return failure
    wanted = Mismatch(failure.clause, "", failure.probe)
    for _ in range(AFRESH):
        try:
            made = fresh()
        except AdapterError:
            return failure
        try:
            seen = again(spec, made, failure.scope, failure.calls, strict=strict)[1]
        finally:
            stopped(made)
        if seen is not None and same(seen, wanted):
            return replace(failure, afresh=True)
    return replace(failure, afresh=False)


def by_itself(calls: list[Recorded], mismatch: Mismatch) -> tuple[list[Recorded], Mismatch]:
    """The same failure as one of the call that was made to probe another."""
    return [replace(c, probe=False) for c in calls], Mismatch(mismatch.probe or mismatch.clause, mismatch.text)


def _was_never_right(calls: list[Recorded]) -> bool:
    """Whether the last call, a probe, is about what the call before it has given: it is wrong as soon as it can be made."""
    *before, probe = calls
    given = [each.call for each in probe.arguments.values() if isinstance(each, Origin)]
    return probe.probe and bool(before) and len(before) - 1 in given


def _first_shown(
    made: Callable[[list[Recorded]], tuple[Session, Mismatch | None]], calls: list[Recorded], mismatch: Mismatch
) -> tuple[list[Recorded], Mismatch]:
    """The calls up to the first after which the last one, a probe, is answered wrongly.  Refused calls are probed only now and
    then, and not all that a call may break is looked at after it: so it need not be the one that was probed."""
    steps = without(calls, {number for number, call in enumerate(calls[:-1]) if call.probe})
    few, many = 0, len(steps) - 1
    found = calls, mismatch
    while few < many:
        some = (few + many) // 2
        session, seen = made(without(steps, range(some, len(steps) - 1)))
        if seen is not None and len(session.recorded) == some + 1:
            found, many = (session.recorded, seen), some
        else:
            few = some + 1
    return found
