"""Profiles: parts of the system that make sense alone, for implementations that do not have it all."""

from __future__ import annotations


def _calls(*names: str) -> frozenset[str]:
    return frozenset(" ".join(names).split())


_REGIONS = _calls("create_partition allocate free read_memory write_memory")
_MESSAGES = _calls(
    "create_partition create_receiver create_port connect take_signal accept send receive close_port",
)
_EVENTS = _calls(
    "create_partition create_receiver destroy_receiver create_sender destroy_sender connect_event send_event read_event",
    "take_signal",
)
_LIFECYCLE = _calls("create_partition terminate")
CORE = _REGIONS | _MESSAGES | _EVENTS | _LIFECYCLE | _calls("cancel refuse")
_SOCKETS = _calls(
    "create_process exit socket bind listen permit forbid accept_socket connect_socket read_socket", "getpeername select close"
)
_SHORT = _calls(
    "create_partition create_receiver read_event create_port connect cancel send receive close_port take_signal accept refuse",
    "create_process exit socket bind listen accept_socket connect_socket read_socket send_file getpeername select close",
)

PROFILES: dict[str, frozenset[str]] = {
    "core": CORE,
    "signals": CORE
    | _calls(
        "request_event accept_event designate_receiver create_shared request_attach accept_attach detach destroy_shared",
        "read_shared",
        "write_shared",
    ),
    "resources": CORE
    | _calls(
        "boot set_region_aside take_region assign_processor release_processor map_processor unmap_processor start_processor",
        "stop_processor query_processor set_limit query_usage reserve_resource request_resource next_request grant reject",
        "take_verdict release_resource",
    ),
    "sockets-short": _SHORT,
    "sockets-file": CORE | _SOCKETS | _calls("send_file create_file open read_file write_file unlink"),
    "sockets-map": CORE | _SOCKETS | _calls("send_mapped read_mapped write_mapped release"),
}
"""By name, the operations of a profile.  The profile `all` has every operation, those too that none of these names."""

PARTS: dict[str, frozenset[str]] = {
    "regions": _REGIONS,
    "messages": _MESSAGES,
    "transfer": _REGIONS | _MESSAGES,
    "events": _EVENTS,
    "lifecycle": _LIFECYCLE,
}
"""Of the core, by name, what makes sense with less."""
