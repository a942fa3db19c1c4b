"""The model that a session holds an implementation against: in the concrete reading, or in C where that is built."""

from __future__ import annotations

from collections.abc import Mapping

from ...model.compiled import Building, CompiledModel, compiler
from ...model.concrete import Model
from ...model.language import Spec, SpecError

Key = tuple[int, tuple[tuple[str, int], ...]]
NO_COMPILER = "there is no C compiler (cc) on this machine, so the specification is called in Python, which is slower"

_models: dict[Key, Model] = {}
_buildings: dict[Key, Building] = {}


def model(spec: Spec, scope: Mapping[str, int]) -> Model:
    """The model of a scope, made once: a fuzz run has thousands of sessions.  What it says is the same in both readings, so that
    it may be the other one from one session to the next."""
    key = id(spec), tuple(scope.items())
    building = _buildings.get(key)
    if building is not None and building.is_done:
        del _buildings[key]
        try:
            _models[key] = CompiledModel(spec, dict(scope), building=building)
        except SpecError:
            building.stop()
    found = _models.get(key)
    if found is None or found.spec is not spec:
        found = _models[key] = Model(spec, scope)
    return found


def have_built(spec: Spec, scope: Mapping[str, int], *, now: bool = False) -> str:
    """See that a model is called in C from some session on, or, with `now`, in processes that begin after that; why it will not
    be, where that is so."""
    key = id(spec), tuple(scope.items())
    known = _models.get(key)
    if key in _buildings or (isinstance(known, CompiledModel) and known.spec is spec):
        return ""
    try:
        building = CompiledModel.building(spec, dict(scope))
        if not building.is_kept and compiler() is None:
            return NO_COMPILER
        if now:
            building.library()
        else:
            building.start()
    except SpecError as error:
        return str(error)
    _buildings[key] = building
    return ""


def fast_model(spec: Spec, scope: Mapping[str, int]) -> Model:
    """A model that is called in C, built now if it was not before; in Python where that cannot be."""
    try:
        return CompiledModel(spec, dict(scope))
    except SpecError:
        return Model(spec, scope)


def stop_building() -> None:
    """Leave nothing half built."""
    for key in list(_buildings):
        _buildings.pop(key).stop()
