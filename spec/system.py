"""The whole system: its rooms put together, its initial state, and the scopes in which it is explored and fuzzed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..model import Spec
from ..model.language import Action, Scope, declared
from . import lemmas
from .names import ACTIVE, SYSTEM, SYSTEM_INDEX, Data, Fd, Kind, Physical, Place, Service, Short
from .rooms import (
    LATE_EXITS,
    ROOMS,
    Channels,
    Events,
    Files,
    Mapping,
    Partitions,
    Processes,
    Processors,
    Regions,
    Resources,
    SharedMemory,
    Signals,
    Sockets,
    is_granted,
    late,
    used,
)
from .scenes import EXPLORATIONS, FLOWS, FUZZ_SCOPE, GIVEN, LARGE, OPENINGS, PARTS, PHASES, PROFILES, with_the_rest


class System(
    Partitions, Processors, Resources, Regions, Events, Signals, Channels, SharedMemory, Sockets, Files, Mapping, Processes
):
    """The state of the system: that of all rooms."""


def initial(system: System) -> None:
    """The system control OS runs in its own partition; there is nothing else (seed 0050).  All that is granted is in the pool."""
    system.status[SYSTEM] = ACTIVE
    system.booted[SYSTEM] = True
    system.pool.where(is_granted, system.capacity)


PAGE_SIZE = 4096
DATUM_SIZE = 8
SHORT_LIMIT = 64
VARIED = {"pages_per_region": (2, 1, 3, 5), "middle": (1, 2, 3, 4, 5), "outside": (1, 2, 3, 4, 5, 6, 7)}
"""How large regions are, which place between its ends the third is, and where a place lies that is none."""


def topology(scope: Scope) -> dict[str, Any]:
    """What an implementation is told: how much there is of everything, sizes in bytes."""
    things = (
        "partitions",
        "processors",
        "physicals",
        "regions",
        "shareds",
        "receivers",
        "senders",
        "ports",
        "signals",
        "requests",
    )
    given = (*things, "processes", "fds", "capacity")
    return {name: scope[name] for name in given} | {
        "queue_depth": scope["queue_depth"],
        "page_size": PAGE_SIZE,
        "pages_per_region": _varied(scope, "pages_per_region"),
        "datum_size": DATUM_SIZE,
        "short_limit": SHORT_LIMIT,
    }


def _varied(scope: Scope, name: str) -> int:
    return scope.get(name, VARIED[name][0])


def offset(scope: Scope, place: int) -> int:
    """Where in a region a place is, in bytes: at its start, at its end, then somewhere between, such as across its page
    boundaries, or at a page's first or last datum.  No place is outside: one byte too far, at the end of the region or of the
    numbers of 8 to 63 bits."""
    pages = _varied(scope, "pages_per_region")
    size = PAGE_SIZE * pages
    if not place:
        ends = [size, size - DATUM_SIZE + 1, *(2**bits - DATUM_SIZE for bits in (16, 31, 32, 63)), 2**32]
        return max(ends[(_varied(scope, "outside") - 1) % len(ends)], size - DATUM_SIZE + 1)
    boundaries = range(PAGE_SIZE, size, PAGE_SIZE)
    across, first, last = ([at - back for at in boundaries] for back in (DATUM_SIZE // 2, 0, DATUM_SIZE))
    between = [*across[:1], *first[:1], *last[-1:], *across[-1:], *last[:1]] or [PAGE_SIZE // 2, DATUM_SIZE, PAGE_SIZE // 2 - 3]
    where = [0, size - DATUM_SIZE, between[(_varied(scope, "middle") - 1) % len(between)]]
    if place > len(where):
        raise ValueError(f"places: {len(where)} at most")
    return where[place - 1]


def datum(scope: Scope, data: int) -> str:
    """A datum as hexadecimal digits; zeroed memory is all zeroes.  Of another every byte is another, and none is zero: so bytes
    that are lost, exchanged or misread are missed."""
    return "".join(f"{(37 * data + 89 * at) % 255 + 1 if data else 0:02x}" for at in range(DATUM_SIZE))


def short_text(scope: Scope, short: int) -> str | None:
    """A short message as text: the last of a scope is one byte too long, the one before it just fits."""
    if not short:
        return None
    length = {scope["shorts"]: SHORT_LIMIT + 1, scope["shorts"] - 1: SHORT_LIMIT}.get(short, short)
    return chr(ord("a") + short - 1) * length


def probes(before: Any, after: Any, scope: Scope) -> Iterator[tuple[str, dict[str, int]]]:
    """After a step: read and write, as every party, each region whose owner changed; ask for each charge that changed.

    The write puts back what is there, so that looking changes nothing.
    """
    for region in range(1, scope["regions"] + 1):
        parties = {before.owner[region], after.owner[region]} - {0}
        if before.owner[region] == after.owner[region]:
            continue
        for party in sorted(parties):
            for place in range(1, scope["places"] + 1):
                yield "read_memory", {"caller": party, "region": region, "place": place}
                data = after.content[region, place] or 1
                if party != after.owner[region]:
                    yield "write_memory", {"caller": party, "region": region, "place": place, "data": data}
        for party in sorted(parties):
            for place in range(1, scope["places"] + 1):
                yield "read_memory", {"caller": party, "region": region, "place": place}
    names: Any = range(1, scope["partitions"] + 1)
    for partition in names:
        if after.status[partition] == ACTIVE:
            for kind in Kind:
                new = before.status[partition] != ACTIVE
                if new or used(before, partition, kind) != used(after, partition, kind):
                    yield "query_usage", {"caller": SYSTEM_INDEX, "partition": partition, "kind": int(kind)}


EVERYTHING = (*ROOMS, lemmas)

OPERATIONS = {each.name: room.__name__ for room in ROOMS for each in declared(room) if isinstance(each, Action)}
"""By operation, the room in which it stands."""

SPEC = Spec(
    name="oneowner",
    state=System,
    modules=EVERYTHING,
    initial=initial,
    explorations=with_the_rest(EXPLORATIONS, OPERATIONS),
    large=with_the_rest(LARGE, OPERATIONS),
    fuzz_scope=FUZZ_SCOPE,
    varied=VARIED,
    rigid={"too_long": lambda scope, short: short == scope["shorts"]},
    encodings={
        Data: datum,
        Place: offset,
        Service: lambda scope, service: 6000 + service if service else None,
        Short: short_text,
        Physical: lambda scope, physical: physical - 1,
        Fd: lambda scope, fd: fd - 1 if fd else None,
    },
    open_data={
        Data: lambda text: isinstance(text, str),
        Service: lambda number: type(number) is int,
        Short: lambda text: isinstance(text, str) and len(text) <= SHORT_LIMIT,
    },
    late=late,
    late_exits=LATE_EXITS,
    topology=topology,
    probes=probes,
    openings=OPENINGS,
    flows=FLOWS,
    phases=PHASES,
    profiles=PROFILES,
    parts=PARTS,
    given=GIVEN,
    suite=Path(__file__).parent / "scenes" / "suite.jsonl",
    requirements=Path(__file__).with_name("requirements.toml"),
    seldom=frozenset(["terminate", "set_limit", "close_port", "destroy_receiver", "destroy_sender", "cancel", "refuse"]),
)
