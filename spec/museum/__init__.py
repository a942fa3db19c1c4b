"""Real bugs planted in the specification; `museum.toml` lists them and those of the reference implementation."""

from .bugs import BUGS, unmap_failure_ignored

__all__ = ["BUGS", "unmap_failure_ignored"]
