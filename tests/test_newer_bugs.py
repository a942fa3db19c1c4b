"""Every bug of the museum's newer wing is one: calls to which the reference implementation answers as specified, and the variant
with the bug does not.

Which checker finds them is no matter here.  A call is written as an operation and its arguments, in the model's names: the n-th
that was made is number n.  Each sequence begins where an opening of the specification ends, and its last call shows the bug.
"""

from __future__ import annotations

from typing import Any

import pytest

from oneowner.checker.adapters import connect
from oneowner.checker.museum import catalogue
from oneowner.checker.session import Mismatch, Session
from oneowner.model.language import Members, Slot, Step, is_enumeration
from oneowner.reference_impl import newer_bugs
from oneowner.spec import SPEC

WING = {exhibit.name: exhibit for exhibit in catalogue(SPEC) if exhibit.wing == "newer"}

MOST_CALLS = 20
"""How many calls a sequence has, with those of its opening."""

ELEMENTS = {"SYSTEM": 1, "ONE": 2, "TWO": 3, "none": 0, "True": True, "False": False}

SHOWN_BY = {
    "limit_missed_by_receivers": """
        one guest
        set_limit caller=SYSTEM partition=ONE kind=EVENT_PORTS amount=0
        create_receiver caller=ONE
    """,
    "quota_missed_by_requests": """
        one guest
        set_limit caller=SYSTEM partition=ONE kind=MANAGEMENT_MEMORY amount=0
        request_resource caller=ONE kind=DEVICES amount=1
    """,
    "given_away_over_quota": """
        a file was read, and its sender is full
        send_file process=1 fd=2 file=1 short=none
    """,
    "long_short_from_process": """
        a socket is connected, for files
        send_file process=1 fd=2 file=none short=3
    """,
    "freed_while_mapped": """
        a region is mapped
        free caller=SYSTEM region=1
    """,
    "refusal_answered_as_success": """
        guests
        create_shared caller=ONE
        set_limit caller=SYSTEM partition=TWO kind=MANAGEMENT_MEMORY amount=0
        request_attach caller=TWO partition=ONE shared=1
    """,
    "taken_request_dies_silently": """
        a guest is asked
        terminate caller=SYSTEM partition=ONE
    """,
    "request_outlives_connect": """
        a socket waits for a guest
        close process=2 fd=1
        take_signal caller=ONE
    """,
    "overflow_overtaken": """
        an inbox is full
        receive caller=TWO port=2
        send caller=ONE port=1 region=none short=2
        receive caller=TWO port=2
    """,
    "second_end_not_told": """
        two channels stand
        close_port caller=ONE port=1
        terminate caller=SYSTEM partition=ONE
        send caller=SYSTEM port=3 region=none short=1
    """,
    "empty_message_leaks_room": """
        a channel stands
        send caller=ONE port=1 region=none short=none
        receive caller=TWO port=2
        send caller=ONE port=1 region=none short=1
        send caller=ONE port=1 region=none short=1
    """,
    "credit_underflows": """
        a channel stands
        send caller=ONE port=1 region=none short=1
        receive caller=TWO port=2
        send caller=ONE port=1 region=none short=1
        receive caller=TWO port=2
        send caller=ONE port=1 region=none short=1
        receive caller=TWO port=2
        send caller=ONE port=1 region=none short=1
        send caller=ONE port=1 region=none short=1
        send caller=ONE port=1 region=none short=1
    """,
    "refused_designation_drops_former": """
        guests
        create_receiver caller=TWO
        designate_receiver caller=TWO receiver=1
        create_receiver caller=TWO
        create_port caller=TWO receiver=2
        designate_receiver caller=TWO receiver=2
        create_receiver caller=ONE
        create_port caller=ONE receiver=3
        connect caller=ONE port=2 partition=TWO service=1
        read_event caller=TWO receiver=1
    """,
    "last_page_not_scrubbed": """
        guests
        allocate caller=ONE
        write_memory caller=ONE region=1 place=2 data=1
        free caller=ONE region=1
        allocate caller=TWO
        read_memory caller=TWO region=1 place=2
    """,
    "answer_not_cleared": """
        a channel stands
        send caller=ONE port=1 region=none short=1
        receive caller=TWO port=2
        send caller=ONE port=1 region=none short=none
        receive caller=TWO port=2
    """,
    "detach_leaves_attachment": """
        memory is shared
        detach caller=TWO shared=1
        request_attach caller=TWO partition=ONE shared=1
    """,
    "write_without_effect": """
        memory is shared
        write_shared caller=TWO shared=1 place=1 data=1
        read_shared caller=ONE shared=1 place=1
    """,
    "own_event_lost": """
        one guest
        create_receiver caller=ONE
        create_sender caller=ONE
        connect_event caller=ONE sender=1 receiver=1
        send_event caller=ONE sender=1
        read_event caller=ONE receiver=1
    """,
    "designated_receiver_outlives": """
        one guest
        create_receiver caller=ONE
        designate_receiver caller=ONE receiver=1
        terminate caller=SYSTEM partition=ONE
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
        create_receiver caller=SYSTEM
    """,
    "aside_kept_unless_used": """
        one guest
        set_region_aside caller=SYSTEM partition=ONE
        terminate caller=SYSTEM partition=ONE
        allocate caller=SYSTEM
        allocate caller=SYSTEM
        allocate caller=SYSTEM
        allocate caller=SYSTEM
    """,
    "double_free_at_end": """
        a message waits
        terminate caller=SYSTEM partition=TWO
        allocate caller=SYSTEM
        allocate caller=ONE
        write_memory caller=ONE region=2 place=1 data=1
        read_memory caller=SYSTEM region=1 place=1
    """,
    "closed_socket_keeps_messages": """
        a socket is connected, for files
        allocate caller=ONE
        send caller=ONE port=1 region=1 short=none
        close process=1 fd=2
        query_usage caller=SYSTEM partition=SYSTEM kind=PROGRAM_MEMORY
    """,
    "shared_outlives_owner": """
        memory is shared
        terminate caller=SYSTEM partition=ONE
        read_shared caller=TWO shared=1 place=1
    """,
    "shared_with_system_not_counted": """
        one guest
        create_shared caller=ONE
        request_attach caller=SYSTEM partition=ONE shared=1
        take_signal caller=ONE
        accept_attach caller=ONE signal=1
        destroy_shared caller=ONE shared=1
    """,
    "guest_death_wakes_nobody": """
        a process waits in read
        terminate caller=SYSTEM partition=ONE
    """,
    "destroyed_receiver_stays_target": """
        one guest
        create_receiver caller=ONE
        create_sender caller=ONE
        connect_event caller=ONE sender=1 receiver=1
        destroy_receiver caller=ONE receiver=1
        send_event caller=ONE sender=1
    """,
    "cancelled_stays_taken": """
        guests
        create_receiver caller=ONE
        create_port caller=ONE receiver=1
        create_receiver caller=TWO
        create_port caller=TWO receiver=2
        connect caller=ONE port=1 partition=TWO service=1
        take_signal caller=TWO
        cancel caller=ONE port=1
        accept caller=TWO signal=1 port=2
    """,
    "limit_lifted_at_boot": """
        one guest
        set_limit caller=SYSTEM partition=ONE kind=PROGRAM_MEMORY amount=0
        boot caller=SYSTEM partition=ONE
        allocate caller=ONE
    """,
    "backlog_of_one_more": """
        a request waits
        create_receiver caller=ONE
        create_port caller=ONE receiver=2
        connect caller=ONE port=2 partition=SYSTEM service=1
    """,
    "backlog_of_none_admits_nobody": """
        a socket listens
        listen process=1 fd=1 backlog=0
        accept_socket process=2 fd=1 wait=True
        connect caller=ONE port=1 partition=SYSTEM service=1
    """,
    "select_skips_dead": """
        a message waits at a socket, beside a new one
        select process=1 reading=2,5 writing= wait=True
    """,
    "listener_is_writable": """
        a socket listens
        select process=1 reading= writing=1 wait=True
    """,
    "descriptors_without_holes": """
        a socket is connected, for files
        close process=1 fd=1
        socket process=1 mode=FILE
    """,
    "connect_survives_close": """
        a socket waits for a guest
        close process=2 fd=1
    """,
    "read_hangs_at_the_end": """
        a socket is connected, for files
        close_port caller=ONE port=1
        read_socket process=1 fd=2 buffer=GOOD wait=True
    """,
    "closed_listener_ends_channel": """
        a request waits
        close process=1 fd=1
        connect caller=ONE port=1 partition=SYSTEM service=1
    """,
    "end_wakes_one_reader": """
        a socket is connected, for files
        create_process caller=SYSTEM
        read_socket process=1 fd=2 buffer=GOOD wait=True
        read_socket process=2 fd=2 buffer=GOOD wait=True
        close_port caller=ONE port=1
    """,
    "watched_both_ways": """
        a guest's inbox is full
        create_process caller=SYSTEM
        select process=2 reading=2 writing=2 wait=True
        receive caller=ONE port=1
    """,
    "room_told_when_empty": """
        a process waits to write
        receive caller=ONE port=1
    """,
    "one_select_woken": """
        a socket is connected, for files
        create_process caller=SYSTEM
        select process=1 reading=2 writing= wait=True
        select process=2 reading=2 writing= wait=True
        send caller=ONE port=1 region=none short=1
    """,
    "ready_stops_at_first": """
        two guests are connected to sockets, for files
        send caller=ONE port=1 region=none short=1
        send caller=TWO port=2 region=none short=1
        select process=1 reading=2,3 writing= wait=True
    """,
    "answers_what_was_watched": """
        two guests are connected to sockets, for files
        select process=1 reading=2,3 writing= wait=True
        send caller=TWO port=2 region=none short=1
    """,
    "refused_socket_cannot_retry": """
        a guest is asked
        refuse caller=ONE signal=1
        connect_socket process=1 fd=1 partition=ONE service=1
    """,
    "exit_leaves_selects": """
        a socket is connected, for files
        create_process caller=SYSTEM
        select process=2 reading=2 writing= wait=True
        exit process=1
    """,
    "flush_misses_late": """
        two guests with a port each, and two processes
        socket process=1 mode=FILE
        bind process=1 fd=1 service=1
        listen process=1 fd=1 backlog=2
        connect caller=ONE port=1 partition=SYSTEM service=1
        connect caller=TWO port=2 partition=SYSTEM service=1
        close process=1 fd=1
        connect caller=TWO port=2 partition=ONE service=1
    """,
    "late_read_is_the_makers": """
        a socket is connected, for mapping
        create_process caller=SYSTEM
        read_socket process=2 fd=2 buffer=GOOD wait=True
        allocate caller=ONE
        send caller=ONE port=1 region=1 short=none
        read_mapped process=2 address=1 place=1
    """,
    "connection_unbinds_next_listener": """
        a socket is connected, for files
        close process=1 fd=1
        socket process=1 mode=FILE
        bind process=1 fd=1 service=1
        close process=1 fd=2
        socket process=1 mode=FILE
        bind process=1 fd=2 service=1
    """,
    "untouched_mapping_stays": """
        a region is mapped
        release process=1 address=1
        read_mapped process=1 address=1 place=1
    """,
    "close_ends_use": """
        a file is open
        close process=1 fd=3
        free caller=SYSTEM region=1
    """,
    "sent_region_keeps_claim": """
        a file was read
        send_file process=1 fd=2 file=1 short=none
        receive caller=ONE port=1
        free caller=ONE region=1
    """,
    "refused_send_keeps_file": """
        a guest's inbox is full
        send_file process=1 fd=2 file=1 short=none
        unlink process=1 file=1
        query_usage caller=SYSTEM partition=SYSTEM kind=PROGRAM_MEMORY
    """,
    "refused_accept_keeps_descriptor": """
        a request waits
        set_limit caller=SYSTEM partition=SYSTEM kind=EVENT_PORTS amount=0
        accept_socket process=1 fd=1 wait=True
        socket process=1 mode=FILE
    """,
    "refused_connect_keeps_port": """
        one guest and a process
        socket process=1 mode=FILE
        set_limit caller=SYSTEM partition=SYSTEM kind=MANAGEMENT_MEMORY amount=0
        connect_socket process=1 fd=1 partition=ONE service=1
        query_usage caller=SYSTEM partition=SYSTEM kind=EVENT_PORTS
    """,
    "refused_connect_unbinds": """
        a socket listens
        connect_socket process=1 fd=1 partition=ONE service=1
        connect caller=ONE port=1 partition=SYSTEM service=1
    """,
    "written_after_rescind": """
        a socket is connected, for files
        close_port caller=ONE port=1
        send_file process=1 fd=2 file=none short=1
    """,
    "peername_outlives_peer": """
        a socket is connected, for files
        getpeername process=1 fd=2
        close_port caller=ONE port=1
        getpeername process=1 fd=2
    """,
    "last_datum_is_past_the_end": """
        a file is open
        write_file process=1 fd=3 place=2 data=1
    """,
    "granted_once_for_good": """
        a socket is connected, for files
        forbid process=1 service=1 partition=ONE
        create_receiver caller=ONE
        create_port caller=ONE receiver=3
        connect caller=ONE port=3 partition=SYSTEM service=1
    """,
    "exit_leaves_files_open": """
        a file is open
        create_process caller=SYSTEM
        exit process=1
        read_file process=2 fd=3 place=1
    """,
    "second_open_not_counted": """
        a file is open
        open process=1 file=1
        unlink process=1 file=1
        close process=1 fd=4
        read_file process=1 fd=3 place=1
    """,
}


def value(slot: Slot, text: str) -> Any:
    """The model's value for an argument."""
    if slot.subset:
        return Members(int(element) for element in text.split(",") if element)
    if is_enumeration(slot.type):
        return slot.type[text]
    return ELEMENTS[text] if text in ELEMENTS else int(text)


def calls(text: str) -> list[Step]:
    """The calls of a sequence, those of its opening first."""
    opening, *lines = text.strip().splitlines()
    made = []
    for operation, *arguments in (line.split() for line in lines):
        slots = {slot.name: slot for slot in SPEC.actions[operation].slots}
        given = dict(argument.split("=") for argument in arguments)
        made.append((operation, {name: value(slots[name], each) for name, each in given.items()}))
    return [*SPEC.openings[opening], *made]


def session(implementation: str) -> Session:
    """A session that makes the calls that it is told, and no others."""
    return Session(SPEC, connect(f"py:oneowner.reference_impl{implementation}"), SPEC.fuzz_scope, probing=False)


@pytest.mark.parametrize("name", SHOWN_BY)
def test_the_last_call_is_answered_wrongly_by_the_variant_alone(name: str) -> None:
    *before, last = calls(SHOWN_BY[name])
    assert len(before) < MOST_CALLS
    right, wrong = session(""), session(f".newer_bugs:{name}")
    for operation, arguments in before:
        assert right.compare_values(operation, arguments) == wrong.compare_values(operation, arguments)
    right.compare_values(*last)
    with pytest.raises(Mismatch):
        wrong.compare_values(*last)


def test_every_bug_of_the_wing_is_in_the_catalogue_and_shown() -> None:
    assert set(newer_bugs.BUGS) == set(SHOWN_BY) == set(WING)
    assert all(exhibit.checker == "fuzz" and exhibit.source for exhibit in WING.values())
