"""Virtual files: message regions as the system control program reads and writes them (seed 0092-0106)."""

from __future__ import annotations

from ..words import *
from .common import *
from .resources import room_for_one


class Files(State):
    file_region: Map[File, Region]
    region_file: Map[Region, File]
    unlinked: Map[File, bool]
    """Files whose name is gone and that are still open."""
    fd_file: Map[Fd, File]
    """What a descriptor has open; none where the file was sent away since."""


class Chunk(NamedTuple):
    """What reading a file gives: the data, or the end of the file."""

    data: Data
    end: bool


@unused
def file_unused(system: System, file: File) -> bool:
    return system.file_region[file] == none


def named(system: System, file: File) -> bool:
    """Whether `file` is a name that can be opened, sent and unlinked."""
    return (system.file_region[file] != none) & negation(system.unlinked[file])


@action(seed="FILE-1 FILE-5 REG-1")
def create_file(system: System, process: Process, file: Fresh[File], region: Fresh[Region]) -> File:
    """Make an outgoing file: a zeroed region of SYSTEM's behind it, whose size it has."""
    running(system, process)
    require(room_for_one(system, SYSTEM, PROGRAM_MEMORY), ENOMEM)
    require(region != none, ENOMEM)

    system.owner[region] = SYSTEM
    system.mapped[SYSTEM, region] = True
    system.file_region[file] = region
    system.region_file[region] = file
    return file


@action(seed="FILE-4", step="S-B S310a")
def open(system: System, process: Process, file: File, fd: Fresh[Fd]) -> Fd:
    """open(): a virtual file at the lowest free descriptor."""
    running(system, process)
    require(named(system, file), ENOENT)
    require(fd != none, EMFILE)

    system.descriptor[fd] = OPEN_FILE
    system.fd_maker[fd] = process
    system.fd_file[fd] = file
    return fd


@action(seed="FILE-4", step="S-B S310a")
def read_file(system: System, process: Process, fd: Fd, place: Option[Place]) -> Chunk:
    """read() on an open file.  No place is past the end, where nothing is read."""
    running(system, process)
    require(system.descriptor[fd] == OPEN_FILE, EBADF)
    require(system.fd_file[fd] != none, ESTALE)
    return Chunk(system.content[system.file_region[system.fd_file[fd]], place], place == none)


@action(seed="FILE-4", step="S-B S310a")
def write_file(system: System, process: Process, fd: Fd, place: Option[Place], data: Data) -> None:
    """write() on an open file, whose size is fixed."""
    running(system, process)
    require(system.descriptor[fd] == OPEN_FILE, EBADF)
    require(system.fd_file[fd] != none, ESTALE)
    require(place != none, ENOSPC)

    system.content[system.file_region[system.fd_file[fd]], place] = data


@action(seed="FILE-6", step="S-D")
def unlink(system: System, process: Process, file: File) -> None:
    """unlink(): the name goes at once, and the region is scrubbed and freed, at the last close if the file is open (POSIX)."""
    running(system, process)
    require(named(system, file), ENOENT)

    if exists(Fd, lambda fd: system.fd_file[fd] == file):
        system.unlinked[file] = True
    else:
        before = system.before
        free_regions(system, lambda region: before.region_file[region] == file)


@invariant(seed="FILE-1 FILE-5 SOCK-10")
def file_table(system: System, file: File, fd: Fd) -> bool:
    """A file stands for one region, which is SYSTEM's, waits in no queue and is mapped into no process; nothing has a file open
    that is not there."""
    region = system.file_region[file]
    rightly = (system.owner[region] == SYSTEM) & (system.carried_by[region] == none) & (system.region_process[region] == none)
    opened = system.fd_file[fd]
    return ((region == none) | rightly) & ((opened == none) | (system.file_region[opened] != none))


@invariant(seed="FILE-6")
def unlinked_is_open(system: System, file: File) -> bool:
    """A file without a name is open somewhere, so that its region is freed at the last close."""
    opened = exists(Fd, lambda fd: system.fd_file[fd] == file)
    return negation(system.unlinked[file]) | ((system.file_region[file] != none) & opened)


@step_property(seed="FILE-5 FILE-6")
def open_files_stay(before: System, after: System, call: Call, fd: Fd) -> bool:
    """What a descriptor has open stays open, with the same region behind it, until it is closed or the file is sent away."""
    file = before.fd_file[fd]
    same = (after.fd_file[fd] == file) & (after.file_region[file] == before.file_region[file])
    closed = after.descriptor[fd] != OPEN_FILE
    sent = (call.operation == "send_file") & (call.file == file) & (after.fd_file[fd] == none)
    return implies(before.descriptor[fd] == OPEN_FILE, same | closed | sent)


@rest
def no_file_is_left(system: System, file: File) -> bool:
    """There are no virtual files."""
    return system.file_region[file] == none
