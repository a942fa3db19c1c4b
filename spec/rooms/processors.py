"""Processors: logical ones belong to partitions and are carried by physical ones, many to many (seed 0053, 0054)."""

from __future__ import annotations

from ..words import *
from .common import *


class Processors(State):
    processor_of: Map[Processor, Partition]
    processor_runs: Map[Processor, bool]
    carried_on: Map[tuple[Processor, Physical], bool]
    """Which physical processors carry a logical one: as the control OS decides, by the policy of SYSTEM."""


@unused
def processor_unused(system: System, processor: Processor) -> bool:
    return system.processor_of[processor] == none


def may_run(system: System, caller: Partition, processor: Processor) -> bool:
    """Whether `processor` is the caller's to start and stop: one of its own, or any for SYSTEM."""
    owner = system.processor_of[processor]
    return (owner != none) & ((owner == caller) | (caller == SYSTEM))


@action(seed="PART-5 LAYER-4")
def assign_processor(system: System, caller: Partition, partition: Partition, processor: Fresh[Processor]) -> Processor:
    """Give `partition` a logical processor: stopped, and carried by none yet."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(processor != none, ENOMEM)

    system.processor_of[processor] = partition
    return processor


@action(seed="PART-5")
def release_processor(system: System, caller: Partition, processor: Processor) -> None:
    """Take a stopped logical processor away from its partition."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.processor_of[processor] != none, EBADF)
    require(negation(system.processor_runs[processor]), EBUSY)

    system.carried_on.where(lambda logical, physical: logical == processor, False)
    system.processor_of[processor] = none


@action(seed="PART-5")
def map_processor(system: System, caller: Partition, processor: Processor, physical: Physical) -> None:
    """Let `physical` carry `processor`; it may carry others, and others may carry this one."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.processor_of[processor] != none, EBADF)
    require(negation(system.carried_on[processor, physical]), EALREADY)

    system.carried_on[processor, physical] = True


@action(seed="PART-5")
def unmap_processor(system: System, caller: Partition, processor: Processor, physical: Physical) -> None:
    """Let `physical` carry `processor` no more."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.processor_of[processor] != none, EBADF)
    require(system.carried_on[processor, physical], EINVAL)

    system.carried_on[processor, physical] = False


@action(seed="PART-5")
def start_processor(system: System, caller: Partition, processor: Processor) -> None:
    """Start a stopped logical processor."""
    standing(system, caller)
    require(may_run(system, caller, processor), EBADF)
    require(negation(system.processor_runs[processor]), EALREADY)

    system.processor_runs[processor] = True


@action(seed="PART-5")
def stop_processor(system: System, caller: Partition, processor: Processor) -> None:
    """Stop a running logical processor."""
    standing(system, caller)
    require(may_run(system, caller, processor), EBADF)
    require(system.processor_runs[processor], EALREADY)

    system.processor_runs[processor] = False


@action(seed="PART-5")
def query_processor(system: System, caller: Partition, processor: Processor) -> bool:
    """Whether a logical processor runs."""
    standing(system, caller)
    require(may_run(system, caller, processor), EBADF)
    return system.processor_runs[processor]


@invariant(seed="PART-4 PART-5")
def processors_run_in_the_living(system: System, processor: Processor) -> bool:
    """A logical processor belongs to an active partition or to none, and only one that belongs to some runs."""
    owner = system.processor_of[processor]
    nobodys = (owner == none) & negation(system.processor_runs[processor])
    return nobodys | (system.status[owner] == ACTIVE)


@invariant(seed="PART-5")
def only_assigned_are_carried(system: System, processor: Processor, physical: Physical) -> bool:
    """No physical processor carries a logical one that belongs to nobody."""
    return implies(system.processor_of[processor] == none, negation(system.carried_on[processor, physical]))


@step_property(seed="PART-5 LAYER-4")
def processor_integrity(before: System, after: System, call: Call, processor: Processor, physical: Physical) -> bool:
    """Who has a logical processor and what carries it changes only by SYSTEM, or with the end of its partition; its partition
    too may start and stop it."""
    same = (after.processor_of[processor] == before.processor_of[processor]) & (
        after.carried_on[processor, physical] == before.carried_on[processor, physical]
    )
    steady = after.processor_runs[processor] == before.processor_runs[processor]
    ended = (call.operation == "terminate") & (call.partition == before.processor_of[processor])
    own = call.caller == before.processor_of[processor]
    return (call.caller == SYSTEM) | ended | (same & (steady | own))


@rest
def no_processor_is_assigned(system: System, processor: Processor) -> bool:
    """No logical processor is anyone's."""
    return system.processor_of[processor] == none
