"""Where Linux differs: found by the checker, kept in differences.toml, told in docs/linux.md.

    python examples/linux/differences.py find SECONDS [SEED]   differences that are not kept yet, as text for differences.toml
    python examples/linux/differences.py page                  docs/linux.md, after every kept sequence was made again

`oneowner conform` does not fuzz what fails the fixed suite.  `find` does, and goes on: a clause that has failed is tried less
often from then on, and whatever is new is shrunk to the fewest calls.
"""

from __future__ import annotations

import ast
import random
import re
import shlex
import sys
import textwrap
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from oneowner.checker.adapters import Implementation, reach, stopped
from oneowner.checker.fuzz import Aim
from oneowner.checker.session import NEVER, Mismatch, Origin, Recorded, Session, smallest_failure
from oneowner.model.concrete import call_text, value_of
from oneowner.model.language import Members, Spec, Step, load
from oneowner.model.symbolic import clauses

HERE = Path(__file__).resolve().parent
KEPT = HERE / "differences.toml"
ADAPTER = f"exec:{shlex.join([sys.executable, str(HERE / 'adapter.py')])}"
PROFILE = "sockets-short"
SCOPE = {
    "partitions": 3,
    "ports": 10,
    "receivers": 12,
    "senders": 0,
    "regions": 0,
    "shareds": 0,
    "signals": 9,
    "messages": 9,
    "processes": 2,
    "fds": 4,
    "services": 2,
    "shorts": 3,
    "files": 1,
    "queue_depth": 2,
}
"""Large enough that the adapter's own bookkeeping never runs out."""
STEPS = 60
SELDOM = 0.15
"""The least chance of a call that comes to a clause which is known to fail."""
TIMES = 40
"""How often a sequence is made that does not show its difference every time."""
DEAD = 99
"""In a kept sequence, a handle that is dead or was never given out."""


class Shown(NamedTuple):
    """A sequence of calls; the last one breaks the clause, or brings the late answer that does: every time, or `sometimes`."""

    clause: str
    says: str
    calls: tuple[Step, ...]
    sometimes: bool = False


def shown(spec: Spec, entry: dict[str, Any]) -> Shown:
    """A sequence as it is kept."""
    calls = tuple(_call(spec, line) for line in entry["calls"].splitlines())
    return Shown(entry["clause"], entry["says"], calls, entry.get("sometimes", False))


def _call(spec: Spec, line: str) -> Step:
    parsed = ast.parse(line, mode="eval").body
    assert isinstance(parsed, ast.Call)
    assert isinstance(parsed.func, ast.Name)
    slots = {s.name: s for s in spec.actions[parsed.func.id].slots}
    arguments = {}
    for given in parsed.keywords:
        assert given.arg
        value = given.value.id if isinstance(given.value, ast.Name) else ast.literal_eval(given.value)
        arguments[given.arg] = value_of(slots[given.arg].type, value)
    return parsed.func.id, arguments


def again(spec: Spec, implementation: Implementation, calls: tuple[Step, ...]) -> Mismatch | None:
    """Make the calls of a sequence; what is wrong with the answer to the last."""
    session = Session(spec, implementation, SCOPE, probing=False)
    for number, (name, arguments) in enumerate(calls, 1):
        try:
            session.compare_values(name, arguments)
        except Mismatch as mismatch:
            return mismatch if number == len(calls) else None
    return None


def check(spec: Spec, implementation: Implementation, each: Shown) -> None:
    """Raises ValueError for a sequence that does not show what it is kept for."""
    for _ in range(TIMES if each.sometimes else 1):
        seen = again(spec, implementation, each.calls)
        if seen is not None and (seen.clause, seen.text) == (each.clause, each.says):
            return
    came = "nothing is wrong" if seen is None else f"{seen.clause}: {seen.text}"
    raise ValueError(f"{each.clause}: {each.says!r} was expected; {came}")


def find(spec: Spec, implementation: Implementation, seconds: float, seed: int, known: set[str]) -> Iterator[Shown]:
    """Differences whose words are not `known`, as they are found."""
    chance, until = random.Random(seed), time.monotonic() + seconds
    without = frozenset(spec.actions) - spec.profile(PROFILE)
    openings = [[], *(calls for calls in spec.openings.values() if not without & {name for name, _ in calls})]
    targets = [c for c in clauses(spec) if "/late-" not in c and c.partition("/")[0] not in without]
    failed: Counter[str] = Counter()
    while time.monotonic() < until:
        session = Session(spec, implementation, SCOPE, without=without, probing=False)
        aim = Aim(session, chance, targets)
        try:
            for name, values in chance.choice(openings):
                session.compare_values(name, values)
            for _ in range(STEPS):
                (name, exit), given = aim.choose()
                if chance.random() < max(SELDOM, 0.95 ** failed[f"{name}/{exit}"]) and not _odd(name, given, chance):
                    session.compare(name, given)
                    aim.successes[name] += 1
        except Mismatch as mismatch:
            failed[mismatch.clause] += 1
            if words(mismatch) in known:
                continue
            known.add(words(mismatch))
            failure = smallest_failure(spec, implementation, session.scope, session.recorded, mismatch)
            calls = simplest(spec, implementation, _by_element(spec, implementation, failure.calls))
            seen = again(spec, implementation, calls)
            if seen is not None and (words(seen) == words(mismatch) or words(seen) not in known):
                known.add(words(seen))
                yield Shown(seen.clause, seen.text, calls)


def simplest(spec: Spec, implementation: Implementation, calls: tuple[Step, ...]) -> tuple[Step, ...]:
    """A sequence that shows the same in fewer calls, or with the first of what there are several of."""
    wanted = again(spec, implementation, calls)
    if wanted is None:
        return calls

    def simpler() -> Iterator[tuple[Step, ...]]:
        for number, (name, values) in enumerate(calls):
            yield (*calls[:number], *calls[number + 1 :])
            for slot, value in values.items():
                if isinstance(value, int) and 1 < value < DEAD:
                    yield (*calls[:number], (name, values | {slot: value - 1}), *calls[number + 1 :])

    while True:
        for tried in simpler():
            seen = again(spec, implementation, tried) if tried else None
            if seen is not None and words(seen) == words(wanted):
                calls = tried
                break
        else:
            return calls


def _odd(name: str, given: dict[str, Any], chance: random.Random) -> bool:
    """What leads to a known difference so soon that little else would be seen: mostly it is left out."""
    odd = (
        (name in ("send", "send_file") and given["short"] in (0, SCOPE["shorts"]))
        or (name == "socket" and given["mode"] != 0)
        or (name == "connect" and given["partition"] != "SYSTEM")
        or name in ("connect_socket", "exit")
    )
    return odd and chance.random() < 0.9


def words(what: Mismatch | Shown) -> str:
    """A difference without the names that differ from one run to the next."""
    clause, text = (what.clause, what.text) if isinstance(what, Mismatch) else (what.clause, what.says)
    return clause + ": " + re.sub(r"\b[a-z]?\d+\b", "_", text)


def _by_element(spec: Spec, implementation: Implementation, calls: list[Recorded]) -> tuple[Step, ...]:
    """Recorded calls in the model's values, as sequences are kept."""
    session = Session(spec, implementation, SCOPE, probing=False)
    steps: list[Step] = []
    for recorded in calls:
        slots = {s.name: s for s in session.actions[recorded.operation].slots}
        values: dict[str, Any] = {}
        for name, argument in recorded.arguments.items():
            names = session.names.get(slots[name].type)
            if names is None:
                values[name] = argument
            elif isinstance(argument, Origin):
                handle = next((h for h, origin in names.origin.items() if origin == argument), NEVER)
                values[name] = names.element.get(handle, DEAD)
            else:
                values[name] = 0 if argument is None else DEAD
        steps.append((recorded.operation, values))
        try:
            session.compare_values(*steps[-1])
        except Mismatch:
            break
    return tuple(steps)


def told(spec: Spec, each: Shown) -> Iterator[str]:
    """A sequence as text: what leads to it in a few lines, the last call in one of its own, what the checker says about it."""
    *before, last = [_text(spec, step) for step in each.calls]
    yield f"`{each.clause}`" + (", not every time" if each.sometimes else "")
    yield ""
    yield "```"
    kept_whole = "; ".join(call.replace(" ", "\0") for call in before)
    yield from (line.replace("\0", " ") for line in textwrap.wrap(kept_whole, 120, break_long_words=False))
    yield last
    yield from textwrap.wrap(f"# {each.says}", 120, subsequent_indent="# ")
    yield "```"
    yield ""


def _text(spec: Spec, step: Step) -> str:
    action = spec.actions[step[0]]
    fresh = {s.name: 0 for s in action.slots if s.fresh}
    values: dict[str, Any] = {n: Members(v) if isinstance(v, frozenset) else v for n, v in step[1].items()}
    text = call_text(action, values | fresh)
    return re.sub(r", (" + "|".join(fresh) + r")=none\b", "", text) if fresh else text


def read() -> tuple[str, list[dict[str, Any]]]:
    """What stands at the head of the page, and the differences that are kept."""
    kept = tomllib.loads(KEPT.read_text(encoding="utf-8"))
    return kept["head"], kept["difference"]


def page(spec: Spec, implementation: Implementation) -> str:
    """docs/linux.md.  Raises ValueError for a sequence that does not show what it is kept for."""
    head, differences = read()
    lines = [head.strip(), ""]
    for difference in differences:
        lines += [f"## {difference['name']}", "", difference["text"].strip(), ""]
        for entry in difference["shown"]:
            each = shown(spec, entry)
            check(spec, implementation, each)
            lines += told(spec, each)
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> None:
    spec = load("oneowner.spec:SPEC")
    implementation = reach(spec, ADAPTER)
    try:
        if arguments[:1] == ["page"]:
            print(page(spec, implementation), end="")
            return
        known = {words(shown(spec, entry)) for d in read()[1] for entry in d["shown"]} if KEPT.exists() else set()
        for each in find(spec, implementation, float(arguments[1]), int((arguments[2:] or ["0"])[0]), known):
            calls = "\n".join(_text(spec, step) for step in each.calls)
            print(f"[[difference.shown]]\nclause = {each.clause!r}\nsays = '''{each.says}'''")
            print(f"calls = '''\n{calls}\n'''\n", flush=True)
    finally:
        stopped(implementation)


if __name__ == "__main__":
    main(sys.argv[1:])
