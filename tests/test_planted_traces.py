"""Every bug that is planted in the specification has its shortest trace from the initial state, found by exploring."""

from __future__ import annotations

import pytest
from sampling import one_in

from oneowner.checker.museum import catalogue
from oneowner.checker.prove import shortest_trace
from oneowner.model.concrete import Model
from oneowner.model.graph import run
from oneowner.model.language import SpecError
from oneowner.spec import SPEC
from oneowner.spec.museum import BUGS

EXHIBITS = {e.name: e for e in catalogue(SPEC) if e.checker == "prove"}

CALLS = {
    "unmap_failure_ignored": 10,
    "queued_twice": 11,
    "lost_resume": 11,
    "clear_after_drain": 10,
    "stale_process_mapping": 13,
    "no_scrub": 8,
    "free_before_unmap": 2,
    "unlink_frees_at_once": 12,
    "self_send": 8,
    "root_special_case": 11,
    "check_then_yield": 11,
    "backlog_overflow": 10,
    "publish_then_fail": 5,
    "dead_peer": 9,
    "lost_wakeup": 8,
    "accept_leaks_charge": 8,
    "backlog_leak": 10,
    "bind_clobbers": 5,
    "stale_select_waiter": 12,
    "listener_close_races_accept": 8,
    "event_before_attach_lost": 5,
    "refusal_keeps_charge": 5,
    "refund_wrong_partition": 5,
    "receiver_dies_in_send": 3,
    "dead_senders_charge": 4,
    "id_inherits_permission": 10,
    "processors_outlive": 4,
    "shared_stays_attached": 6,
    "limit_ignored": 2,
    "grant_ignores_reserve": 4,
}
"""How many calls the shortest trace has in the scopes of the specification, the calls of their openings included."""


@pytest.mark.parametrize("name", one_in(3, CALLS))
def test_the_shortest_trace_breaks_what_it_should_with_its_last_call(name: str) -> None:
    exhibit, spec = EXHIBITS[name], BUGS[name].spec
    found = shortest_trace(spec, exhibit.statement, exhibit.operation, {})
    assert found is not None
    trace, scope = found
    assert len(trace) == CALLS[name]
    model = Model(spec, scope)
    before = run(model, trace[:-1])
    last, arguments = trace[-1]
    if exhibit.statement == "well_defined":
        with pytest.raises(SpecError):
            model.step(spec.actions[last], before, arguments)
    else:
        shown = model.step(spec.actions[last], before, arguments).shown
        broken = model.violations(before, spec.actions[last], arguments, shown)
        assert exhibit.statement in [statement.name for statement, _ in broken]
        assert exhibit.statement not in [statement.name for statement, _ in model.violations(None, None, {}, before)]


def test_no_planted_bug_is_left_out() -> None:
    assert set(CALLS) == set(BUGS)
