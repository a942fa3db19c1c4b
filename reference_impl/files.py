"""Message regions as virtual files, and as memory of a process (seed 0092-0095, 0101-0106)."""

from __future__ import annotations

from typing import Any

from .calls import system_call
from .descriptors import Descriptors, File, OpenFile, Process
from .machine import Machine
from .memory import AddressSpace, Fault
from .objects import DATUM_SIZE, Refused, Region, need


class Files(Descriptors):
    """The virtual file system, and the mappings of processes.  `space` is the kernel's own page table, for files."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.space = AddressSpace(machine.memory)
        self.names: dict[str, File] = {}

    # -- virtual files --

    @system_call
    def create_file(self, process: Process) -> str:
        return self.new_file(self.machine.new_region(self.machine.system)).handle

    def new_file(self, region: Region) -> File:
        file = File(self.machine.mint("file"), region)
        self.names[file.handle] = file
        region.claimed = True
        self.space.map(region.address, region.frames)
        return file

    @system_call
    def open(self, process: Process, file: str) -> int:
        opened = self.named(file)
        fd = self.free_descriptor()
        self.table[fd] = OpenFile(process, opened)
        opened.opened += 1
        return fd

    def named(self, handle: str) -> File:
        file = self.names.get(handle)
        if file is None:
            raise Refused("ENOENT")
        return file

    @system_call
    def read_file(self, process: Process, fd: int, place: int | None) -> dict[str, Any]:
        region = self.region_of(self.file_at(fd))
        if place is None or place + DATUM_SIZE > self.machine.region_size:
            return {"data": bytes(DATUM_SIZE).hex(), "end": True}
        return {"data": self.space.read(region.address + place, DATUM_SIZE).hex(), "end": False}

    @system_call
    def write_file(self, process: Process, fd: int, place: int | None, data: str) -> None:
        region, written = self.region_of(self.file_at(fd)), bytes.fromhex(data)
        if place is None or place + len(written) > self.machine.region_size:
            raise Refused("ENOSPC")
        self.space.write(region.address + place, written)

    def region_of(self, file: File) -> Region:
        """The region that an open file stands for.  Refused for one that was sent away."""
        if file.region is None:
            raise Refused("ESTALE")
        return file.region

    @system_call
    def unlink(self, process: Process, file: str) -> None:
        unlinked = self.named(file)
        del self.names[file]
        unlinked.linked = False
        self.drop_unused(unlinked)

    def close_file(self, closed: OpenFile) -> None:
        closed.file.opened -= 1
        self.drop_unused(closed.file)

    def drop_unused(self, file: File) -> None:
        """Free the region of a file that nobody can reach any more: neither by name nor by a descriptor."""
        region = file.region
        if region is not None and not file.linked and not file.opened:
            self.revoke(file, region)
            self.machine.release_region(region)

    def revoke(self, file: File, region: Region) -> None:
        """Let a file stand for nothing any more, whoever has it open."""
        self.names.pop(file.handle, None)
        self.space.unmap(region.address, len(region.frames))
        file.linked, file.region = False, None
        region.claimed = False

    # -- regions mapped in a process --

    def map_into(self, process: Process, region: Region) -> str:
        region.claimed = True
        process.space.map(region.address, region.frames)
        process.regions[f"{region.address:#x}"] = region
        return f"{region.address:#x}"

    def unmap_from(self, process: Process, address: str) -> Region:
        region = process.regions.pop(address)
        self.clear_pages(process, region)
        region.claimed = False
        return region

    def clear_pages(self, process: Process, region: Region) -> None:
        process.space.unmap(region.address, len(region.frames))

    @system_call
    def read_mapped(self, process: Process, address: str, place: int) -> str:
        try:
            return process.space.read(int(address, 16) + self.machine.within(place), DATUM_SIZE).hex()
        except (Fault, ValueError):
            raise Refused("EFAULT") from None

    @system_call
    def write_mapped(self, process: Process, address: str, place: int, data: str) -> None:
        try:
            process.space.write(int(address, 16) + self.machine.within(place), bytes.fromhex(data))
        except (Fault, ValueError):
            raise Refused("EFAULT") from None

    @system_call
    def release(self, process: Process, address: str) -> None:
        need(address in process.regions, "EINVAL")
        self.machine.release_region(self.unmap_from(process, address))

    def release_all(self, process: Process) -> None:
        for address in list(process.regions):
            self.release(process, address)
