"""Deviations that an implementation is known to have: declared in a file, with the reason, and told from what is not known."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from ...model.language import SpecError
from .wrong import Mismatch


@dataclass(frozen=True)
class Declared:
    """A deviation: the clause that is answered otherwise; with `cause` only where the call has that cause.  Why, and a link to
    where more is said, for whoever reads the statement."""

    clause: str
    cause: str = ""
    reason: str = ""
    link: str = ""

    def fits(self, clause: str, causes: Collection[str]) -> bool:
        """Whether it is a failure of a clause by a call that had these causes."""
        return clause == self.clause and (not self.cause or self.cause in causes)

    @property
    def told(self) -> str:
        """What it is about, and why."""
        about = f"{self.reason} {self.link}".strip()
        return f"{self.cause or self.clause}{': ' * bool(about)}{about}"


def declared(deviations: Iterable[Declared], mismatch: Mismatch) -> Declared | None:
    """The deviation that a mismatch is, if it is a declared one."""
    return next((each for each in deviations if each.fits(mismatch.clause, mismatch.causes)), None)


def read_declared(path: Path) -> list[Declared]:
    """The deviations of a file: a table `[[deviation]]` each, with `clause`, `reason`, and, where there are such, `cause` and
    `link`; or, where its name does not end in .toml, a clause a line, # beginning a comment.  Raises SpecError."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".toml":
            lines = (line.partition("#") for line in text.splitlines())
            return [Declared(clause.strip(), reason=why.strip()) for clause, _, why in lines if clause.strip()]
        found = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: {error}") from None
    rows = found.pop("deviation", [])
    if found or not isinstance(rows, list):
        odd = ", ".join(found) or "deviation"
        raise SpecError(f"{path}: {odd}: write a table [[deviation]] for each")
    known = [field.name for field in fields(Declared)]
    for number, row in enumerate(rows, 1):
        what = f"{path}: deviation {number}"
        if not isinstance(row, dict) or not row.get("clause") or not row.get("reason"):
            raise SpecError(f"{what}: say its clause and the reason, each a string")
        for name, value in row.items():
            if name not in known or not isinstance(value, str):
                raise SpecError(f"{what}: {name}: its fields are {', '.join(known)}, all strings")
    return [Declared(**row) for row in rows]
