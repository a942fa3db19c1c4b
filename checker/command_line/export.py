"""The commands that write the specification in another language."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...model.language import SpecError, load, parse_scope
from .console import DEFAULT_SPEC, HOLDS, Output, common
from .explore import chosen_explorations, exploration_of

if TYPE_CHECKING:
    from ...model.tla import Module


@click.group()
def export() -> None:
    """Write the specification in another language."""


@export.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@click.option("--scope", metavar="SIZES", help="How much there is of everything, as stations=2,parcels=1; -D can say otherwise.")
@click.option("--profile", default="all", help="Only the operations of a profile (default: all).")
@click.option("--lines", is_flag=True, help="Name the specification's lines in the source, for debuggers.")
@click.argument("folder", type=click.Path(path_type=Path))
def c(spec_name: str, scope: str | None, profile: str, lines: bool, folder: Path) -> int:
    """Write an oracle in C into FOLDER: it stands beside an implementation, in its own tree, and says at each call whether it
    answered as it must.

    The sizes are those of fuzzing where --scope does not say otherwise.
    """
    from ..export import export_c

    spec = load(spec_name)
    sizes = {**spec.fuzz_scope, **(parse_scope(scope) if scope else {})}
    options = [("--spec", spec_name if spec_name != DEFAULT_SPEC else ""), ("--scope", scope), ("--profile", profile)]
    words = [word for option, value in options if value and value != "all" for word in (option, value)]
    command = shlex.join(["oneowner", "export", "c", *words, *(["--lines"] if lines else []), "DIR"])
    oracle = export_c(spec, folder, sizes, profile, command=command, lines=lines)
    click.echo(f"{folder} has the oracle of {len(oracle.actions)} operations; its README.md says how to go on. Next:\n")
    click.echo(f"    cc -std=c11 -O2 -c {shlex.quote(str(folder / 'oneowner.c'))}")
    return HOLDS


@export.command()
@common
@click.option("--name", "names", multiple=True, help="Only this scope of the specification's own (may be repeated).")
@click.option("--large", is_flag=True, help="The large scopes of the specification's own.")
@click.option("--scope", metavar="NAME=N,...", help="One scope of your own, such as partitions=2,regions=1.")
@click.option("--without", metavar="OPERATION,...", default="", help="Operations to leave out of --scope.")
@click.option("--only", metavar="OPERATION,...", default="", help="The only operations to call in --scope.")
@click.option("--after", metavar="OPENING", default="", help="Begin --scope after this opening of the specification.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def tla(
    spec_name: str,
    format: str,
    names: tuple[str, ...],
    large: bool,
    scope: str | None,
    without: str,
    only: str,
    after: str,
    folder: Path,
) -> int:
    """Write scopes into DIR as modules of TLA+, which TLC checks: the same states, the same invariants."""
    from ...model.tla import Module

    spec, out = load(spec_name), Output(format)
    if scope is None and (without or only or after):
        raise SpecError("--without, --only and --after go with --scope")
    if scope is not None and (large or names):
        raise SpecError("--scope is a scope of your own; --large and --name are the specification's")
    if scope is None:
        wanted = chosen_explorations(spec, large, names)
    else:
        wanted = {"scope": exploration_of(spec, scope, without, only, after)}
    modules = [Module(spec, name, one) for name, one in wanted.items()]
    files: dict[str, str] = {}
    for module in modules:
        for ending, text in ((".tla", module.text), (".cfg", module.configuration)):
            if any(name.lower() == f"{module.name}{ending}".lower() for name in files):
                raise SpecError(f"two scopes would be the module {module.name}: give one of them another name")
            files[module.name + ending] = text
    files["README.md"] = _readme(modules, files)
    _write(folder, files)
    for module in modules:
        out.line(f"{folder / module.name}.tla: {module.title}")
    out.line(f"{folder / 'README.md'} says how TLC is run on them")
    out.result({"folder": str(folder), "modules": {module.title: module.name for module in modules}})
    return HOLDS


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder, which is made.  Raises SpecError, and writes nothing, where one is there that this did not
    write."""
    from ...model.tla import MARK

    try:
        for name in files:
            path = folder / name
            if path.exists() and not (path.is_file() and MARK.encode() in path.read_bytes()):
                raise SpecError(f"{path} exists, and oneowner did not write it: name another folder")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="ascii")
    except OSError as error:
        raise SpecError(f"{folder}: cannot be written: {error.strerror or error}") from None


def _readme(modules: list[Module], files: Mapping[str, str]) -> str:
    from ...model.tla import MARK

    digest = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    first = modules[0].name
    return README.format(
        mark=MARK,
        version=version("oneowner"),
        digest=digest,
        spec=modules[0].spec.name,
        first=first,
        rows="\n".join(f"| `{module.name}.tla` | {module.title} |" for module in modules),
    )


README = """\
# {spec} in TLA+

{mark} {version}; a change belongs in the specification. SHA-256 of the modules and configurations: `{digest}`.

TLC checks one of them so (`tla2tools.jar` is TLC's own distribution):

```
java -cp tla2tools.jar tlc2.TLC -workers 1 -config {first}.cfg {first}.tla
```

| module | scope |
| --- | --- |
{rows}

TLC's `distinct states` are the states that `oneowner explore` counts of the same scope, its `states generated` are the
transitions and the state where it begins, and its depth is one more, as it counts states where ours counts calls. With more
than one worker its depth may differ.

- A map has a value at `none` too, which is the default of its type and is never written, so that every question has an answer.
- What no operation of the scope writes is a definition, not a variable. `Init` is the state after the opening.
- An operation's guards come in the order of the specification, with the error of a call that one refuses. A guard with a
  disjunction is compared with `TRUE`, or TLC would make a successor for each of its sides. A call that changes nothing is a
  stuttering step.
- `OPERATION_keeps` asserts the step properties of every call that takes effect, also where it changes nothing: as properties
  of the form `[][P]_vars` they would not be judged there, could not speak of outputs, and would take TLC far longer. TLC's
  message begins with the property's name. What the specification's own text takes for granted is asserted too.
- Left out: answers and what comes about at last, return to rest, and symmetry.
"""
