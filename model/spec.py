"""The name under which specifications found their scenes before `oneowner.model` had them: kept for those that are written."""

from .language import ALL, Call, Exploration, Flow, Late, Phases, Scope, Spec, Stage, Step, load, parse_scope

__all__ = ["ALL", "Call", "Exploration", "Flow", "Late", "Phases", "Scope", "Spec", "Stage", "Step", "load", "parse_scope"]
