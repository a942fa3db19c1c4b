"""A conformance run written to a file, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from ...model.language import (
    Spec,
    SpecError,
)
from .. import TRACES
from ..conform import Report
from .junit import junit
from .page import html
from .sarif import sarif
from .statement import badge, statement


def write(spec: Spec, report: Report, kind: str, path: Path, traces: Path = TRACES) -> None:
    """Write a run as `kind`: junit, html, sarif or statement, which has its badge beside it.  `traces` is where its failures
    are kept.  Raises SpecError where it cannot be written."""
    if kind == "statement":
        put(path, json.dumps(statement(spec, report), indent=1) + "\n")
        put(path.with_suffix(BADGE), badge(spec, report))
        return
    kinds: dict[str, Callable[[Spec, Report, Path], str]] = {"junit": junit, "html": html, "sarif": sarif}
    put(path, kinds[kind](spec, report, traces))


def put(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; its folder is made.  Raises SpecError."""
    target = Path(os.path.realpath(path))
    part = target.parent / f".oneowner-{os.getpid()}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file() and not target.is_dir():
            # a device or a pipe, such as /dev/stdout, must not be replaced by a file
            target.write_text(text, encoding="utf-8")
            return
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None


BADGE = ".badge.svg"
