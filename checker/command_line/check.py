"""The main job: proof, exploration and fuzzing in one."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ...model.language import load
from .console import (
    DEFAULT_IMPLEMENTATION,
    HOLDS,
    INTERRUPTED,
    NOTHING,
    UNKNOWN,
    VIOLATION,
    Number,
    Output,
    common,
    jobs_option,
    say,
    traces_option,
)
from .explore import exploration_code, exploration_totals, explore_all_scopes, interrupted, show_explorations
from .fuzz import fuzz_and_tell, fuzz_code, fuzz_json, show_fuzz
from .prove import proof_code, proof_json, prove_and_tell, show_proof

FUZZED = 20.0
"""For how many seconds of one process is fuzzed."""


@click.command()
@common
@click.option("--implementation", default=DEFAULT_IMPLEMENTATION, help="What is fuzzed.")
@click.option(
    "--time",
    "seconds",
    type=Number(0.1),
    help="Seconds to fuzz (default 20, or that shared out to --jobs), longer while a clause is missing.",
)
@jobs_option
@traces_option
def check(spec_name: str, format: str, implementation: str, seconds: float | None, jobs: int, traces: Path) -> int:
    """Prove the specification, explore it, and fuzz an implementation: the main job."""
    from ...model.symbolic import clauses
    from ..reports import causes_told

    spec, out = load(spec_name), Output(format)
    started = time.monotonic()
    quiet = Output("json")
    say("prove: any size, any depth")
    proof = prove_and_tell(spec, (), (), jobs)
    proved = proof_code(proof)
    if proved != HOLDS:
        show_proof(out, spec, proof, traces)
    if proof.interrupted:
        out.result({"prove": proof_json(spec, proof), "seconds": round(time.monotonic() - started, 3)})
        return proved
    say("explore: all reachable states of small scopes")
    explored = explore_all_scopes(spec, jobs)
    missing = show_explorations(quiet, spec, explored, traces, all_scopes=True)
    explore_code = exploration_code(explored, missing)
    if explore_code != HOLDS:
        show_explorations(out, spec, explored, traces, all_scopes=True)
    if interrupted(explored):
        totals = exploration_totals(explored) | {"unreached": missing}
        out.result({"prove": proof_json(spec, proof), "explore": totals, "seconds": round(time.monotonic() - started, 3)})
        return VIOLATION if proved == VIOLATION else explore_code
    say(f"fuzz: {implementation}")
    # somebody else's may hold on to what another of it would need
    beside = jobs if implementation == DEFAULT_IMPLEMENTATION and spec.where else 1
    seconds = seconds or FUZZED / beside
    fuzzed = fuzz_and_tell(spec, implementation, seconds, 100, None, None, False, traces, wanted=clauses(spec), jobs=beside)
    unexercised = show_fuzz(Output("json") if not fuzzed.failures else out, spec, implementation, fuzzed, traces)
    right = fuzz_code(fuzzed, unexercised)
    totals = exploration_totals(explored)
    known = len(totals["clauses"]) + len(missing)
    out.line(
        f"prove    {proof.count('proved')} of {len(proof.obligations)} obligations proved for any size and depth, "
        f"{proof.exits - len(proof.vacuous)} of {proof.exits} exits and {len(proof.causes.possible)} causes "
        f"shown possible  [{_word(proved)}]"
    )
    out.line(
        f"explore  {totals['states']} states, {totals['transitions']} transitions: all reachable states of "
        f"{len(explored)} small scopes, {len(totals['clauses'])} of {known} clauses and "
        f"{causes_told(spec, totals['causes'], spec.actions)} reached  [{_word(explore_code)}]"
    )
    out.line(
        f"fuzz     {fuzzed.calls} calls to {implementation}, {len(fuzzed.clauses)} of {known} clauses and "
        f"{causes_told(spec, fuzzed.causes, spec.actions)} exercised, "
        f"{len(fuzzed.failures)} failures  [{_word(right)}]"
    )
    if unexercised:
        out.line(f"         never exercised: {', '.join(unexercised)}")
    out.line(f"{time.monotonic() - started:.0f} s")
    codes = [proved, explore_code, right]
    out.result(
        {
            "prove": proof_json(spec, proof),
            "explore": totals | {"unreached": missing},
            "fuzz": fuzz_json(implementation, fuzzed, unexercised),
            "seconds": round(time.monotonic() - started, 3),
        }
    )
    return VIOLATION if VIOLATION in codes else max(codes)


def _word(code: int) -> str:
    return {HOLDS: "holds", VIOLATION: "VIOLATION", UNKNOWN: "unknown", NOTHING: "nothing ran", INTERRUPTED: "interrupted"}[code]
