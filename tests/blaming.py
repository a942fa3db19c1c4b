"""Control OSes of which only a probe shows what is wrong: which call is to blame for it?"""

from __future__ import annotations

from oneowner.reference_impl import ControlOS, Interface, Partition, Refused, Region


class FlushFlagStuck(ControlOS):
    """A send does not unmap where one was refused before it: the flag that says that it is unmapped already is still set."""

    in_send = unmapped = False

    def send(self, caller: Partition, port: str, region: str | None, short: str | None) -> None:
        self.in_send = True
        try:
            super().send(caller, port, region, short)
        except Refused:
            self.unmapped = True
            raise
        else:
            self.unmapped = False
        finally:
            self.in_send = False

    def unmap_region(self, partition: Partition, region: Region) -> None:
        if not (self.in_send and self.unmapped):
            super().unmap_region(partition, region)


class RefusedFreeScrubs(ControlOS):
    """A free that is refused has already scrubbed the region."""

    def need_idle(self, region: Region) -> None:
        try:
            super().need_idle(region)
        except Refused:
            self.scrub_region(region)
            raise


class ReadsAll(ControlOS):
    """Anybody reads any memory."""

    def read_memory(self, caller: Partition, region: str, place: int) -> int:
        found = self.regions.get(int(region, 16)) if region.startswith("0x") else None
        return super().read_memory(found.owner if found else caller, region, place)


def flush_flag_stuck() -> Interface:
    return Interface(FlushFlagStuck)


def refused_free_scrubs() -> Interface:
    return Interface(RefusedFreeScrubs)


def reads_all() -> Interface:
    return Interface(ReadsAll)


class OutlivesReset(ControlOS):
    """Counts the channels that were ever connected, and refuses the ninth: resets included."""

    connected = 0

    def connect(self, caller: Partition, port: str, partition: str, service: int) -> None:
        super().connect(caller, port, partition, service)
        OutlivesReset.connected += 1
        if OutlivesReset.connected > 8:
            raise Refused("ENOMEM")


def outlives_reset() -> Interface:
    return Interface(OutlivesReset)
