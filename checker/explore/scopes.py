"""Exploration of small scopes: every reachable state, every statement checked, every clause to be reached by some scope."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...model.batch import Layout
from ...model.concrete import Model, call_text, differences, run, value_name
from ...model.graph import run as after
from ...model.graph import with_fresh_names
from ...model.language import Declaration, Exploration, LeadsTo, Rest, Spec, SpecError, Step, Type, load
from ...model.search import (
    AUTO,
    BATCH,
    CPU,
    KEEPS_NO_TRANSITIONS,
    WORTH_SHARING,
    Explorer,
    Limits,
    Search,
    StateGraph,
    Store,
    Symmetry,
    Together,
    budget,
    can_return,
    explored,
    leads_to,
    workers,
)

SILENT = 10.0
"""Seconds after which a search of one of several scopes says how far it is."""


@dataclass(frozen=True)
class Found:
    """Something that is not as it should be: by name and in words, with the binding and the shortest trace that show it.

    Of what is to come about at last, `cycle` are the calls that go on for ever after the trace; it may be empty.
    """

    statement: str
    text: str
    binding: dict[str, object]
    trace: list[Step]
    cycle: list[Step] | None = None


DEADLOCK, CAN_RETURN = "no_deadlock", "can_return"


@dataclass(frozen=True)
class Asked:
    """What is asked of a scope's graph beside its states and steps."""

    deadlock: bool = False
    can_return: bool = False
    leads_to: bool = False


@dataclass(frozen=True)
class ExploreReport:
    """What one scope came to.  `clauses` gives the least number of calls before each clause; `complete` says that every
    reachable state of the scope was seen; `limits` says in words what keeps the scope small beside its sizes.

    `symmetry` says that states that differ by a renaming count once, `stopped` what ended the search early, `asked` names what
    was answered by the graph, `unanswered` what could not be, because not all of it was seen; `unasked` says what was not asked,
    though that was wanted, and why; `unstored` why a search that was to be kept is not; `slower` why it was not made in the
    compiled reading, where that would have been better; `outgrown` what was too small for it, and what to do; `causes` to which
    causes calls came, where that was counted; `taken_for_another` how many states are expected to be left out since another has
    their fingerprint.
    """

    name: str
    scope: dict[str, int]
    without: tuple[str, ...]
    limits: str
    states: int
    transitions: int
    depth: int
    complete: bool
    clauses: dict[str, int]
    violations: list[Found] = field(default_factory=list)
    seconds: float = 0.0
    symmetry: bool = False
    stopped: str = ""
    asked: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    unstored: str = ""
    slower: str = ""
    outgrown: str = ""
    causes: frozenset[str] = frozenset()
    taken_for_another: float = 0.0


def explore_scope(
    spec: Spec,
    name: str,
    exploration: Exploration,
    *,
    asked: Asked = Asked(),
    limits: Limits = Limits(),  # noqa: B008
    symmetry: bool = False,
    jobs: int = 1,
    keep: Path | None = None,
    reading: str = AUTO,
    device: str = CPU,
    count_causes: bool = False,
    progress: Callable[[Search], None] | None = None,
) -> ExploreReport:
    """Explore one scope, within `limits` for each search: what waits is followed in searches of its own.

    With `keep`, a folder, go on with the search that is stored there, and store it if it is stopped.  With `count_causes` it is
    told which causes calls come to; that is counted in the batch reading alone, which is then taken if none is given.  Raises
    SpecError for what cannot be asked of a `device`.
    """
    if device != CPU and (asked.can_return or asked.leads_to):
        raise SpecError(KEEPS_NO_TRANSITIONS)
    if count_causes and reading == AUTO and device == CPU:
        reading = BATCH
    model = Model(spec, exploration.sizes, exploration.arguments)
    without = spec.left_out(exploration)
    opening = spec.opening(exploration)
    unstored = ""
    properties = [p for p in spec.leads_to.values() if asked.leads_to and not set(p.by) & set(without)]
    followed = {kind: _followed(model, kind, opening, symmetry) for kind in dict.fromkeys(p.slots[0].type for p in properties)}
    with ExitStack() as stack:
        store = stack.enter_context(Store(keep)) if keep is not None else None
        together = stack.enter_context(Together(1 + sum(map(len, followed.values()))))
        explorer = explored(
            model,
            limits,
            without=without,
            opening=opening,
            symmetry=symmetry,
            keep_edges=_asks_for_rest(spec, exploration, asked),
            count_causes=count_causes,
            jobs=jobs,
            reading=reading,
            device=device,
            store=store,
            together=together,
            progress=progress,
        )
        search, slower, outgrown = explorer.search, explorer.slower, explorer.outgrown
        if store is not None and search.stopped:
            try:
                explorer.save(store)
            except SpecError as error:
                unstored = str(error)
        found = [_found(v.statement, v.binding, v.trace) for v in search.violations]
        wanted = [DEADLOCK] * (asked.deadlock and not exploration.stays) + [CAN_RETURN] * _asks_for_rest(spec, exploration, asked)
        answered: list[str] = []
        if search.complete and not found:
            answered += wanted
            if DEADLOCK in wanted:
                found += _deadlocks(spec, explorer)
            if CAN_RETURN in wanted:
                found += _stuck(StateGraph(explorer), list(spec.rests.values()))
            del explorer
            for kind, elements in followed.items():
                of_kind = [p for p in properties if p.slots[0].type is kind]
                lassos = _progress(model, without, opening, kind, elements, of_kind, symmetry, limits, jobs, reading, together)
                if lassos is not None:
                    answered += [p.name for p in of_kind]
                    found += lassos
    wanted += [p.name for p in properties]
    return ExploreReport(
        name,
        model.scope,
        without,
        _limits(spec, exploration),
        search.states,
        search.transitions,
        search.depth,
        search.complete,
        search.clauses,
        found,
        search.seconds,
        symmetry,
        search.stopped,
        tuple(answered),
        () if found else tuple(name for name in wanted if name not in answered),
        tuple(_unasked(spec, exploration, asked, without)),
        unstored,
        slower,
        outgrown,
        frozenset(search.causes),
        search.taken_for_another,
    )


def _found(statement: Declaration, binding: Mapping[str, int], trace: list[Step], cycle: list[Step] | None = None) -> Found:
    values = {s.name: value_name(s.type, binding[s.name]) for s in statement.slots if s.name in binding}
    return Found(statement.name, statement.text, values, trace, cycle)


def _asks_for_rest(spec: Spec, exploration: Exploration, asked: Asked) -> bool:
    """Whether it is asked if the system can get back to rest: if there is something that says what rest is."""
    return asked.can_return and not exploration.stays and bool(spec.rests)


def _unasked(spec: Spec, exploration: Exploration, asked: Asked, without: Collection[str]) -> Iterator[str]:
    if exploration.stays and (asked.deadlock or asked.can_return):
        yield f"rest ({exploration.stays})"
    if asked.can_return and not spec.rests:
        yield f"{CAN_RETURN} ({spec.name} has no @rest that says what rest is)"
    if asked.leads_to and not spec.leads_to:
        yield f"what comes about at last ({spec.name} has no @leads_to)"
    for each in spec.leads_to.values() if asked.leads_to else ():
        if left_out := [name for name in each.by if name in without]:
            yield f"{each.name} ({' and '.join(left_out)} not called)"


def _deadlocks(spec: Spec, explorer: Explorer) -> list[Found]:
    """A state in which no call changes anything, if there is one; a system at rest may be at its end."""
    model = explorer.model
    for mark in explorer.search.dead:
        way, vector = explorer.way(mark)
        system = model.system(vector)
        if not spec.rests or any(model.broken(rest, system) is not None for rest in spec.rests.values()):
            return [Found(DEADLOCK, "no call changes anything any more", {}, [*explorer.search.opening, *way])]
    return []


def _progress(
    model: Model,
    without: Collection[str],
    opening: Sequence[Step],
    kind: Type,
    elements: Sequence[tuple[list[int], list[int]]],
    properties: Sequence[LeadsTo],
    symmetry: bool,
    limits: Limits,
    jobs: int,
    reading: str,
    together: Together,
) -> list[Found] | None:
    """What does not come about at last for `elements` of a sort (see `_followed`), or None if a limit is met first."""
    found: dict[str, Found] = {}
    for followed, fixed in elements:
        explorer = explored(
            model,
            limits,
            without=without,
            opening=opening,
            statements=(),
            symmetry=symmetry,
            fixed={kind: fixed},
            keep_edges=True,
            jobs=jobs,
            reading=reading,
            together=together,
        )
        search = explorer.search
        if search.stopped == "interrupted":
            raise KeyboardInterrupt
        if not search.complete:
            return None
        graph = StateGraph(explorer)
        for each in (p for p in properties if p.name not in found):
            for element in followed:
                if lasso := leads_to(graph, each, element):
                    found[each.name] = _found(each, lasso.binding, lasso.way, lasso.cycle)
                    break
    return list(found.values())


def _followed(model: Model, kind: Type, opening: Sequence[Step], symmetry: bool) -> list[tuple[list[int], list[int]]]:
    """The elements of a sort that are followed, those of one search together, with those that are to keep their names for it.

    With symmetry an element keeps its name that is followed, one for all that could be renamed into it where the search begins,
    each in a search of its own; elements that have to keep their names anyway are followed in the first.
    """
    elements = list(model.domain(kind))
    names = Symmetry(Layout(model)) if symmetry else None
    free = names.free.get(kind, []) if names else []
    if names is None or not free:
        return [(elements, [])]
    beginning = after(model, with_fresh_names(model, opening))
    places = names.places(names.layout.block([beginning]).data)[kind]
    unlike = list({int(places[element, 0]): element for element in reversed(free)}.values())[::-1]
    kept = [element for element in elements if element not in free]
    return [([*kept * (at == 0), element], [element]) for at, element in enumerate(unlike)]


def _stuck(graph: StateGraph, rests: Sequence[Rest]) -> list[Found]:
    stuck = can_return(graph, rests)
    if stuck is None:
        return []
    if stuck.statement is None:
        return [Found(CAN_RETURN, "from here no state is reached any more in which all is at rest", {}, stuck.way)]
    values = _found(stuck.statement, stuck.binding, []).binding
    text = f"from here this never holds again: {stuck.statement.name}: {stuck.statement.text}"
    return [Found(CAN_RETURN, text, values, stuck.way)]


def _limits(spec: Spec, exploration: Exploration) -> str:
    types = {slot.name: slot.type for action in spec.actions.values() for slot in action.slots}
    arguments = {name: [value_name(types[name], v) for v in values] for name, values in exploration.arguments.items()}
    parts = [
        f"after: {exploration.opening}" if exploration.opening else "",
        f"only {', '.join(exploration.only)}" if exploration.only else "",
        f"without {', '.join(exploration.without)}" if exploration.without else "",
        ", ".join(f"{name} in {values}" for name, values in arguments.items()).replace("'", ""),
    ]
    return "".join(f"; {part}" for part in parts if part)


def _work(where: str, name: str, exploration: Exploration, options: Mapping[str, Any]) -> ExploreReport:
    return explore_scope(load(where), name, exploration, progress=_Telling(name), **options)


def explore_all(
    spec: Spec,
    explorations: Mapping[str, Exploration] | None = None,
    *,
    jobs: int = 1,
    progress: Callable[[ExploreReport], None] | None = None,
    **options: Any,
) -> list[ExploreReport]:
    """Explore scopes of a spec's own (default: all but the large ones), several at once where it can be loaded by name; `options`
    as for `explore_scope`."""
    found: dict[str, ExploreReport] = {}
    wanted = spec.explorations if explorations is None else explorations

    def took(report: ExploreReport) -> None:
        found[report.name] = report
        if progress:
            progress(report)
        if report.stopped == "interrupted":
            raise KeyboardInterrupt

    try:
        _share(spec, wanted, jobs, options, took)
    except KeyboardInterrupt:
        for name, one in wanted.items():
            found.setdefault(name, _not_explored(spec, name, one))
    return [found[name] for name in wanted]


def _not_explored(spec: Spec, name: str, one: Exploration) -> ExploreReport:
    """The report on a scope that was interrupted before anything of it was told."""
    left_out, limits = spec.left_out(one), _limits(spec, one)
    return ExploreReport(name, spec.scope(one.sizes), left_out, limits, 0, 0, 0, False, {}, stopped="interrupted")


def _share(
    spec: Spec,
    wanted: Mapping[str, Exploration],
    jobs: int,
    options: Mapping[str, Any],
    took: Callable[[ExploreReport], None],
) -> None:
    if jobs > 1 and spec.where and len(wanted) > 1 and options.get("device", CPU) == CPU:
        limits = options.get("limits", Limits())
        at_once = limits.seconds is not None or options.get("keep")
        left = wanted if at_once else _alone(spec, wanted, options, limits, took)
        each = {**options, "limits": replace(limits, memory=(limits.memory or budget()) // jobs)}
        if left:
            with workers(jobs) as pool:
                for done in as_completed([pool.submit(_work, spec.where, name, one, each) for name, one in left.items()]):
                    took(done.result())
    else:
        for name, one in wanted.items():
            took(explore_scope(spec, name, one, jobs=jobs, progress=_Telling(name), **options))


def _alone(
    spec: Spec,
    wanted: Mapping[str, Exploration],
    options: Mapping[str, Any],
    limits: Limits,
    took: Callable[[ExploreReport], None],
) -> dict[str, Exploration]:
    """Explore scopes as long as other processes would take to begin; those that are left then."""
    until, left = time.monotonic() + WORTH_SHARING, dict(wanted)
    for name, one in wanted.items():
        remaining = until - time.monotonic()
        if remaining <= 0:
            break
        report = explore_scope(spec, name, one, **{**options, "limits": replace(limits, seconds=remaining)})
        if time.monotonic() >= until and report.stopped != "interrupted":
            # it, or what was asked of its graph, may have been cut short
            break
        del left[name]
        took(report)
    return left


class _Telling:
    """Tells on stderr how far a search is that takes long."""

    def __init__(self, name: str) -> None:
        self.name, self.at = name, time.monotonic()

    def __call__(self, search: Search) -> None:
        if time.monotonic() - self.at >= SILENT:
            self.at = time.monotonic()
            text = f"{self.name}: depth {search.depth}, {search.states} states, {search.frontier} of them to be expanded"
            print(text, file=sys.stderr, flush=True)


def operations_called(spec: Spec, reports: list[ExploreReport]) -> set[str]:
    """The operations that were called in the scope of some report."""
    return {name for name in spec.actions for report in reports if name not in report.without}


def unreached(spec: Spec, reports: list[ExploreReport], operations: Collection[str]) -> list[str]:
    """The clauses of some operations that none of the reports reached."""
    from ...model.symbolic import clauses

    seen = {clause for report in reports for clause in report.clauses}
    return [clause for clause in clauses(spec) if clause not in seen and clause.partition("/")[0] in operations]


def story(spec: Spec, scope: Mapping[str, int], trace: list[Step]) -> list[str]:
    """A trace for people: each call, and under it what it changed."""
    model = Model(spec, scope)
    lines, before = [], model.initial()
    for number, ((name, arguments), outcome) in enumerate(zip(trace, run(model, trace), strict=True), 1):
        exit = "" if outcome.exit == "ok" else f"  -> {outcome.exit}"
        lines.append(f"{number:3}  {call_text(spec.actions[name], arguments)}{exit}")
        lines += [f"       {line}" for line in differences(model, before, outcome.state)]
        before = outcome.state
    return lines
