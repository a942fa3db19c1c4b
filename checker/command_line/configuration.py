"""Options that stand in a project's own configuration."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import SpecError

if TYPE_CHECKING:
    pass


def configured(name: str) -> dict[str, Any]:
    """The options of a command as oneowner.toml, or [tool.oneowner] of pyproject.toml, gives them.  Raises SpecError."""
    for path, keys in ((Path("oneowner.toml"), ()), (Path("pyproject.toml"), ("tool", "oneowner"))):
        if not path.exists():
            continue
        try:
            found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise SpecError(f"{path}: {error}") from None
        for key in keys:
            found = found.get(key, {})
        table = found.get(name, {})
        if not isinstance(table, dict):
            raise SpecError(f"{path}: [{'.'.join((*keys, name))}] must be a table of options")
        if table:
            return table
    return {}


class Configured(click.Command):
    """A command whose options have defaults in the project's configuration: the same names without dashes, lists where an option
    may be repeated."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        given = configured(self.name or "")
        names = {flag.lstrip("-"): str(p.name) for p in self.params if isinstance(p, click.Option) for flag in p.opts}
        for key in given:
            if key not in names:
                known = ", ".join(sorted(names))
                raise SpecError(f"the configuration of {self.name} has no option {key!r}; there are {known}")
        shown = {names[k]: [str(v) for v in value] if isinstance(value, list) else value for k, value in given.items()}
        return super().make_context(info_name, args, parent, default_map=shown, **extra)
