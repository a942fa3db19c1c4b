"""The suite as it is stored: written, read back, and named by a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...model.language import Members, Spec, SpecError, Step, once
from ...model.recording import every, trees
from .suite import Sequence, generate


def write(spec: Spec, suite: Iterable[Sequence]) -> str:
    """A suite as text, a sequence a line; a call is its operation and its arguments in order, but for fresh names, which are the
    least free ones."""
    return "".join(json.dumps(_row(spec, s), separators=(",", ":")) + "\n" for s in suite)


def _row(spec: Spec, sequence: Sequence) -> dict[str, Any]:
    calls = [_call(spec, call) for call in sequence.calls]
    row: dict[str, Any] = {"scope": sequence.scope, "calls": calls, "clauses": sequence.clauses}
    row |= {"pairs": True} if sequence.pairs else {}
    row |= {"causes": sequence.causes} if sequence.causes else {}
    row |= {"cycle": sequence.cycle} if sequence.cycle else {}
    return row | {"ending": sequence.ending} if sequence.ending is not None else row


def _call(spec: Spec, call: Step) -> list[Any]:
    name, arguments = call
    return [name, *(_plain(arguments[s.name]) for s in spec.actions[name].slots if not s.fresh)]


def _plain(value: Any) -> Any:
    return sorted(map(int, value)) if isinstance(value, frozenset) else value if isinstance(value, bool) else int(value)


def read(spec: Spec, path: Path) -> list[Sequence]:
    """A suite as it was written.  Raises SpecError for a file that is none."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Sequence(
                row["scope"],
                tuple((name, _values(spec, name, values)) for name, *values in row["calls"]),
                tuple(row["clauses"]),
                row.get("pairs", False),
                row.get("ending"),
                tuple(row.get("causes", ())),
                tuple(row["cycle"]) if "cycle" in row else None,
            )
            for row in rows
        ]
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{path}: no suite: {type(error).__name__} at {error}") from None


@once
def of(spec: Spec) -> list[Sequence]:
    """The suite of a spec: the stored one, or, if it has none, one drawn now."""
    found = read(spec, spec.suite) if spec.suite and not spec.replaced else generate(spec)
    return [replace(sequence, number=number) for number, sequence in enumerate(found)]


def stored_suite(spec: Spec) -> list[Sequence]:
    """The suite of a spec if it is a stored one, else none."""
    return of(spec) if spec.suite and not spec.replaced else []


def known_causes(spec: Spec, operations: Collection[str]) -> list[str]:
    """The causes that calls of some operations can come to: of a spec with a stored suite those that it comes to, else all."""
    if not spec.suite or spec.replaced:
        return [str(cause) for cause in every(spec, [name for name in spec.actions if name in operations])]
    inside = (s for s in of(spec) if s.operations <= set(operations))
    return [cause for sequence in inside for cause in sequence.causes]


@once
def digest(spec: Spec) -> str:
    """A fingerprint of what is asked of an implementation: the exits in the text and the suite."""
    stored = None if spec.replaced else spec.suite
    exits = {name: tree.exits for name, tree in trees(spec).items()}
    late = {name: list(each) for name, each in spec.late_exits.items()}
    text = json.dumps([exits, late, stored.read_text(encoding="utf-8") if stored else write(spec, of(spec))])
    return hashlib.sha256(text.encode()).hexdigest()


def _values(spec: Spec, name: str, values: list[Any]) -> dict[str, Any]:
    slots = [s for s in spec.actions[name].slots if not s.fresh]
    return {s.name: Members(value) if s.subset else value for s, value in zip(slots, values, strict=True)}
