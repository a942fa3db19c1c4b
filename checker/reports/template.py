"""Templates filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .diagram import wide
from .words import clean


def filled(name: str, **values: Any) -> str:
    """A template, filled in with values; whatever text goes in is cleaned first."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wide"] = wide
    return environment.get_template(name).render(values)
