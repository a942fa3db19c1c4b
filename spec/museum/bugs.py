"""Real bugs planted in the specification, for the prover to catch: each an operation again, wrong in one line.

`oneowner.spec.museum.bugs:NAME` is the whole specification with that bug.
"""

from __future__ import annotations

from typing import NamedTuple

from ...model import Spec
from ...model.language import planted
from ..system import SPEC


class Bug(NamedTuple):
    """A line of an operation (or of `within`, a function that it calls) and what is written instead."""

    operation: str
    old: str
    new: str = "pass"
    within: str = ""

    @property
    def spec(self) -> Spec:
        """The specification with the bug."""
        wrong = planted(SPEC.actions[self.operation].function, self.old, self.new, within=self.within)
        return SPEC.replace(**{self.operation: wrong})


BUGS = {
    "unmap_failure_ignored": Bug("send", "system.mapped[sender, region] = False", within="hand_over"),
    "queued_twice": Bug("send", "require(unheld(system, region), EBUSY)"),
    "lost_resume": Bug("send", "if process == none:", "if process == none or region == none:"),
    "clear_after_drain": Bug(
        "receive", "return received", "system.pending[system.port_receiver[port]] = False\n    return received"
    ),
    "stale_process_mapping": Bug("send_mapped", "system.process_mapped.where(lambda other, region: region == address, False)"),
    "no_scrub": Bug("free", "system.content.where(lambda r, place: r == region, none)"),
    "free_before_unmap": Bug("free", "system.mapped[caller, region] = False"),
    "unlink_frees_at_once": Bug("unlink", "exists(Fd, lambda fd: system.fd_file[fd] == file)", "system.unlinked[file]"),
    "self_send": Bug("connect", "require(partition != caller, EINVAL)"),
    "root_special_case": Bug("connect", " & negation(system.forbidden[service, caller])", ""),
    "check_then_yield": Bug(
        "connect",
        "open_here & (place | (system.waiters[listener].head != none))",
        "(open_here & place) | (system.waiters[listener].head != none)",
    ),
    "backlog_overflow": Bug("connect", "(open_here & (place | (system.waiters[listener].head != none)))", "open_here"),
    "publish_then_fail": Bug("cancel", "system.port_status[port] = IDLE"),
    "dead_peer": Bug(
        "close_port",
        "system.peer.where(lambda port: gone(port) | left(port), none)",
        "system.peer.where(gone, none)",
        within="destroy_ports",
    ),
    "lost_wakeup": Bug("accept", "raise_event(system, system.port_receiver[client])", within="join"),
    "accept_leaks_charge": Bug("accept", "refund(system, signal)"),
    "backlog_leak": Bug("accept_socket", "system.backlog.remove(signal)", within="withdraw"),
    "bind_clobbers": Bug("bind", "require(system.bound_at[service] == none, EADDRINUSE)"),
    "stale_select_waiter": Bug("close", " | watched(process)", "", within="close_descriptors"),
    "listener_close_races_accept": Bug(
        "close", "closed(before.waiters.of(process)) | watched(process)", "watched(process)", within="close_descriptors"
    ),
    "event_before_attach_lost": Bug("designate_receiver", "raise_event(system, receiver)"),
    "refusal_keeps_charge": Bug("refuse", "system.payer.where(gone, none)", within="withdraw_all"),
    "refund_wrong_partition": Bug(
        "refuse",
        "refuse_all(system, lambda other: other == signal)",
        "refuse_all(system, lambda other: other == signal)\n    system.payer[signal] = caller",
    ),
    "receiver_dies_in_send": Bug(
        "terminate",
        "free_regions(system, lambda region: before.owner[region] == partition)",
        "system.owner.where(lambda region: before.owner[region] == partition, none)",
    ),
    "dead_senders_charge": Bug(
        "terminate",
        "system.booted[partition] = False",
        "system.booted[partition] = False\n    system.payer.where(lambda signal: before.payer[signal] == partition, SYSTEM)",
    ),
    "id_inherits_permission": Bug("terminate", "system.forbidden.where(lambda service, other: other == partition, False)"),
    "processors_outlive": Bug(
        "terminate", "system.processor_runs.where(lambda processor: before.processor_of[processor] == partition, False)"
    ),
    "shared_stays_attached": Bug("terminate", "mine(shared) | (other == partition)", "mine(shared)", within="_drop_shared"),
    "limit_ignored": Bug("allocate", "require(room_for_one(system, caller, PROGRAM_MEMORY), ENOMEM)"),
    "grant_ignores_reserve": Bug("grant", "require(amount <= kept + system.pool[kind], ENOMEM)"),
}
"""By name, what is planted."""


def __getattr__(name: str) -> Spec:
    """The specification with the bug `name`, for --spec."""
    if name not in BUGS:
        raise AttributeError(name)
    return BUGS[name].spec
