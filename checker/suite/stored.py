"""The suite as it is stored: written, read back, and named by a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...model.language import Members, Spec, SpecError, Step
from ...model.symbolic import clauses
from .suite import Sequence, generate


def write(spec: Spec, suite: Iterable[Sequence]) -> str:
    """A suite as text, a sequence a line; fresh names are left out, they are the least free ones."""
    return "".join(json.dumps(_row(spec, s), separators=(",", ":")) + "\n" for s in suite)


def _row(spec: Spec, sequence: Sequence) -> dict[str, Any]:
    calls = [_call(spec, call) for call in sequence.calls]
    row = {"scope": sequence.scope, "calls": calls, "clauses": sequence.clauses}
    return row | {"pairs": True} if sequence.pairs else row


def _call(spec: Spec, call: Step) -> list[Any]:
    name, arguments = call
    fresh = {s.name for s in spec.actions[name].slots if s.fresh}
    return [name, {n: _plain(v) for n, v in arguments.items() if n not in fresh}]


def _plain(value: Any) -> Any:
    return sorted(map(int, value)) if isinstance(value, frozenset) else value if isinstance(value, bool) else int(value)


def read(spec: Spec, path: Path) -> list[Sequence]:
    """A suite as it was written.  Raises SpecError for a file that is none."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Sequence(
                row["scope"],
                tuple((n, _values(spec, n, a)) for n, a in row["calls"]),
                tuple(row["clauses"]),
                row.get("pairs", False),
            )
            for row in rows
        ]
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{path}: no suite: {type(error).__name__} at {error}") from None


def of(spec: Spec) -> list[Sequence]:
    """The suite of a spec: the stored one, or, if it has none, one drawn now."""
    return read(spec, spec.suite) if spec.suite and not spec.replaced else generate(spec)


def digest(spec: Spec) -> str:
    """A fingerprint of what is asked of an implementation: the clauses and the suite."""
    text = json.dumps([clauses(spec), write(spec, of(spec))])
    return hashlib.sha256(text.encode()).hexdigest()


def _values(spec: Spec, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    subsets = {s.name for s in spec.actions[name].slots if s.subset}
    return {n: Members(v) if n in subsets else v for n, v in arguments.items()}
