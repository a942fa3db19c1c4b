"""The generated pages are what the specification says now."""

from __future__ import annotations

from pathlib import Path

from command import run

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_of_rooms_is_generated() -> None:
    assert run("show", "rooms").out == (ROOT / "docs" / "rooms.md").read_text(encoding="utf-8"), "run `make docs`"


def test_the_page_of_flows_is_generated() -> None:
    page = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    assert page.endswith(run("show", "flow").out), "run `make docs`"
