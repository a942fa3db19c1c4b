"""A conformance run written to a file: JUnit, HTML, SARIF, a statement with its badge."""

from __future__ import annotations

from pathlib import Path

from ..model.spec import Spec
from .conformance import Report


def write(spec: Spec, report: Report, kind: str, path: Path) -> None:
    """Write a run as `kind`: junit, html, sarif or statement."""
    raise NotImplementedError(kind)
