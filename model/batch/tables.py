"""What a batch reading looks up of its scope: where the cells of each component stand, and what its rigid maps hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..concrete import Model
from ..language import Type
from .layout import Layout


class Tables:
    """By position of a component: how many cells it has along each key (`shapes`), the keys but none (`domains`), and of a rigid
    map the cells, as a tuple and as an array (`rigid`)."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.layout = Layout(model)
        self.components = model.components
        self.positions = model.positions
        self.shapes = [model.shape(c) for c in self.components]
        self.domains = [tuple(model.domain(k) for k in c.keys) for c in self.components]
        blank = model.blank()
        self.rigid: dict[int, tuple[tuple[Any, ...], Any]] = {
            position: (blank[position], np.array(blank[position], numpy_type(component.value)))
            for position, component in enumerate(self.components)
            if component.kind == "rigid"
        }


def numpy_type(kind: Type) -> Any:
    """Numpy's type for values of a type."""
    return np.bool_ if kind is bool else np.int32 if kind is int else np.uint8


def argument_kind(kind: Type) -> Any:
    """Numpy's type for arguments of a type: whole numbers may be larger than what the state has room for."""
    return np.int64 if kind is int else numpy_type(kind)
