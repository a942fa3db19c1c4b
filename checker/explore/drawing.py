"""Graphs of states as files that other tools draw: GraphML, or DOT for Graphviz."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...model.language import SpecError
from ...model.search import StateGraph
from .states import changes_in

if TYPE_CHECKING:
    import networkx

KINDS = (".graphml", ".dot")


def all_states(graph: StateGraph) -> networkx.MultiDiGraph:
    """A node a state, with its `depth`; an edge a transition that changes the state, with its `operation`."""
    import networkx

    made = networkx.MultiDiGraph()
    made.add_nodes_from((state, {"depth": depth}) for state, depth in enumerate(graph.depth.tolist()))
    numbered = graph.explorer.expander.numbered
    for source, target, call in zip(graph.source.tolist(), graph.target.tolist(), graph.call.tolist(), strict=True):
        made.add_edge(source, target, operation=numbered[call][0].name)
    return made


def life(graph: StateGraph, room: str) -> networkx.MultiDiGraph:
    """The graph as the things of a room see it: a node a state that one of them is in, an edge what leads from one to another.

    Raises SpecError for a room that follows nothing.
    """
    import networkx

    phases = graph.explorer.model.spec.phases
    if room not in phases:
        raise SpecError(f"no room is called {room!r}, or nothing is followed in it; there are {', '.join(phases)}")
    made = networkx.MultiDiGraph()
    for (old, new), operations in sorted(changes_in(graph)[room].items()):
        made.add_edge(old, new, operation=", ".join(sorted(operations)))
    return made


def write(graph: networkx.MultiDiGraph, path: Path) -> None:
    """Write a graph by the ending of the file's name.  Raises SpecError for another ending."""
    import networkx

    if path.suffix == ".graphml":
        networkx.write_graphml(graph, path)
    elif path.suffix == ".dot":
        path.write_text("\n".join(_dot(graph)) + "\n", encoding="utf-8")
    else:
        raise SpecError(f"{path}: a graph is written as {' or '.join(KINDS)}, by the ending of the name")


def _dot(graph: networkx.MultiDiGraph) -> list[str]:
    nodes = [f'  "{node}";' for node in graph.nodes]
    edges = [f'  "{a}" -> "{b}" [label="{told["operation"]}"];' for a, b, told in graph.edges(data=True)]
    return ["digraph states {", *nodes, *edges, "}"]
