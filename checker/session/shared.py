"""What the sessions of one scope have in common, so that it is found out once: a suite has thousands of sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...model.language import Spec, Type, answer_fields, once
from .probes import Probes

Side = tuple[str, Type, int, dict[Any, Any]]
"""An argument: its name and type; the element that stands for strangers where it is a handle (0: it is data); and what is known
of how its values are written."""


@dataclass
class Shared:
    """By operation the arguments that are no fresh names, in order, and whether there are fresh ones; and the probes."""

    probes: Probes = field(default_factory=Probes)
    sides: dict[str, tuple[list[Side], bool]] = field(default_factory=dict)


@once
def answered(spec: Spec) -> dict[str, tuple[tuple[str, Any], ...]]:
    """By operation the fields of its answer."""
    return {name: answer_fields(action.answer) for name, action in spec.actions.items()}


@once
def _by_scope(spec: Spec) -> dict[tuple[tuple[str, int], ...], Shared]:
    return {}


def shared(spec: Spec, scope: Mapping[str, int]) -> Shared:
    """What sessions share in a scope, of which what is varied is a part."""
    return _by_scope(spec).setdefault(tuple(scope.items()), Shared())
