"""The words that every room is written in, as EXTENDS brings them in TLA+: the engine's, the nouns of the seed, the errors.

A room begins with `from ..words import *`.  What it has of other rooms it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple as NamedTuple

from ..model import *
from .errors import *
from .names import *

if TYPE_CHECKING:
    from .system import System as System  # the state of all rooms together; for the type checker alone, as it is made of them
else:
    __all__ = [name for name in globals() if not name.startswith("_") and name not in ("TYPE_CHECKING", "annotations")]
