"""Logical processors: assigned to partitions, carried by physical ones, many to many (seed 0054)."""

from __future__ import annotations

from .calls import hypercall
from .machine import Machine
from .objects import Partition, Processor, Refused, need


class Processors(Machine):
    """The hypercalls on logical processors."""

    @hypercall
    def assign_processor(self, caller: Partition, partition: str) -> str:
        self.need_system(caller)
        owner = self.active(partition)
        need(len(self.processors) < self.topology["processors"], "ENOMEM")
        processor = Processor(self.mint("processor"), owner)
        self.processors[processor.handle] = processor
        return processor.handle

    @hypercall
    def release_processor(self, caller: Partition, processor: str) -> None:
        self.need_system(caller)
        released = self.usable_processor(caller, processor)
        need(not released.running, "EBUSY")
        del self.processors[processor]

    @hypercall
    def map_processor(self, caller: Partition, processor: str, physical: int) -> None:
        self.need_system(caller)
        carriers = self.usable_processor(caller, processor).carriers
        self.need_physical(physical)
        need(physical not in carriers, "EALREADY")
        carriers.add(physical)

    @hypercall
    def unmap_processor(self, caller: Partition, processor: str, physical: int) -> None:
        self.need_system(caller)
        carriers = self.usable_processor(caller, processor).carriers
        self.need_physical(physical)
        need(physical in carriers, "EINVAL")
        carriers.remove(physical)

    def need_physical(self, physical: int) -> None:
        """The machine has the physical processors that it has: another number is no argument of a hypercall."""
        if physical not in range(self.topology["physicals"]):
            raise ValueError(f"there is no physical processor {physical!r}")

    @hypercall
    def start_processor(self, caller: Partition, processor: str) -> None:
        started = self.usable_processor(caller, processor)
        need(not started.running, "EALREADY")
        started.running = True

    @hypercall
    def stop_processor(self, caller: Partition, processor: str) -> None:
        stopped = self.usable_processor(caller, processor)
        need(stopped.running, "EALREADY")
        stopped.running = False

    @hypercall
    def query_processor(self, caller: Partition, processor: str) -> bool:
        return self.usable_processor(caller, processor).running

    def usable_processor(self, caller: Partition, handle: str) -> Processor:
        """A processor of the caller's partition; the system control OS may use any."""
        processor = self.processors.get(handle)
        if processor is None or (processor.partition is not caller and caller is not self.system):
            raise Refused("EBADF")
        return processor

    def stop_processors(self, partition: Partition) -> None:
        """At the end of a partition all its processors stop and are gone (seed 0053)."""
        for processor in [p for p in self.processors.values() if p.partition is partition]:
            processor.running = False
            del self.processors[processor.handle]
