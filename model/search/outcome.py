"""What an exhaustive search comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..batch import Cells
from ..concrete import Model
from ..graph import Violation
from ..language import Step
from .expansion import Edges


@dataclass
class Search:
    """What a search has found, after the calls of `opening`.

    `states` counts distinct ones (with symmetry, up to a renaming), `transitions` the calls that take effect in them, `depth` the
    calls from the beginning to the last level; `clauses` gives the least depth at which each clause was reached; `complete`
    says that nothing was left out, by a limit or by the scope (`cut`: calls left out because an endless sort had no name left);
    `dead` are states in which no call changes anything, by fingerprint; `exact` says that no two states have the same.
    """

    model: Model
    opening: list[Step]
    symmetry: bool = False
    states: int = 0
    transitions: int = 0
    depth: int = 0
    frontier: int = 0
    clauses: dict[str, int] = field(default_factory=dict)
    causes: set[str] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    edges: list[Edges] = field(default_factory=list)
    kept: list[Cells] = field(default_factory=list)
    kept_at: list[int] = field(default_factory=list)
    finished: bool = False
    stopped: str = ""
    cut: int = 0
    seconds: float = 0.0
    exact: bool = False

    @property
    def complete(self) -> bool:
        return self.finished and not self.cut

    @property
    def taken_for_another(self) -> float:
        """How many states are expected to have been taken for one with the same 64-bit fingerprint, and so left out."""
        return 0.0 if self.exact else self.states**2 / 2**65
