"""The command that asks whether an adapter speaks the protocol."""

from __future__ import annotations

from pathlib import Path

import click

from ...model.language import ALL, Spec, load
from ..adapters import Implementation, finished, limited, reach, stopped
from ..errors import AdapterError, Unsupported
from .configuration import Configured
from .console import CONVERSATION, HOLDS, VIOLATION, Output, budgets_option, common, traces_option


@click.command(cls=Configured)
@common
@click.argument("connection")
@budgets_option
@traces_option
def smoke(spec_name: str, format: str, connection: str, must_return: float, must_not_return: float, traces: Path) -> int:
    """Shake hands with the implementation at CONNECTION and make every call once: does it speak the protocol?"""
    from ..conform import smoke as run
    from ..conform import taken_as_given
    from ..session import Mismatch

    spec, out = load(spec_name), Output(format)
    implementation = reach(spec, connection, must_return, must_not_return, traces / CONVERSATION)
    try:
        about = getattr(implementation, "introduction", None)
        profiles = list(about.profiles) if about else [ALL]
        for profile in profiles:
            spec.profile(profile)
        unsupported = run(spec, implementation, limited(spec.fuzz_scope, implementation), spec.actions)
        finished(implementation)
    except Mismatch as mismatch:
        out.line(f"{connection}: {mismatch.text}")
        out.result({"connection": connection, "wrong": mismatch.clause, "text": mismatch.text})
        return VIOLATION
    except Unsupported as error:
        raise AdapterError(f"{connection}: {error}") from None
    finally:
        stopped(implementation)
    given = taken_as_given(spec, implementation)
    supported = [name for name in spec.actions if name not in unsupported | given]
    name = about.name if about else connection
    out.line(f"{name} speaks the protocol; profiles: {', '.join(profiles) or 'none named'}")
    out.line(
        f"{len(supported)} of {len(spec.actions)} operations are supported{': ' + ', '.join(supported) if supported else ''}"
    )
    if given:
        out.line(f"{len(given)} more make what is there from the start: {', '.join(n for n in spec.actions if n in given)}")
    out.result({"connection": connection, "name": name, "profiles": profiles, "supported": supported, "given": sorted(given)})
    return HOLDS


def unsupported(spec: Spec, implementation: Implementation, scope: dict[str, int]) -> set[str]:
    """The operations that an adapter does not support; of an implementation in this process it is known that it supports all."""
    from ..conform import smoke as run
    from ..session import Mismatch

    if not hasattr(implementation, "introduction"):
        return set()
    try:
        return run(spec, implementation, scope, spec.actions)
    except Mismatch:
        # fuzzing will find it again, and shrink it
        return set()
