"""What is counted of the specification, as tests/counts.json keeps it (`make generated` writes it; its diff is for review)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COUNTED: dict[str, Any] = json.loads(Path(__file__).with_name("counts.json").read_text(encoding="utf-8"))
EXPLORED: dict[str, tuple[int, int, int]] = {name: tuple(row) for name, row in COUNTED["explorations"].items()}
"""By exploration: states, transitions, depth."""
