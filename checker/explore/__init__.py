"""Exploration of a specification's scopes, what is asked of their graphs, and the graphs as drawings."""

from .drawing import KINDS, all_states, life, write
from .scopes import (
    CAN_RETURN,
    DEADLOCK,
    Asked,
    ExploreReport,
    Found,
    explore_all,
    explore_scope,
    operations_called,
    story,
    unreached,
)
from .states import Changes, changes, diagram

__all__ = [
    "CAN_RETURN",
    "DEADLOCK",
    "KINDS",
    "Asked",
    "Changes",
    "ExploreReport",
    "Found",
    "all_states",
    "changes",
    "diagram",
    "explore_all",
    "explore_scope",
    "life",
    "operations_called",
    "story",
    "unreached",
    "write",
]
