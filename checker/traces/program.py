"""A failing trace as a program to paste: what to run, and the answer that is wrong."""

from __future__ import annotations

from typing import Any

from ...model.language import Spec, answer_fields
from ..session import LATE, NEVER, Failure, Origin, Session, again


def program(spec: Spec, where: str, failure: Failure, implementation: Any) -> str:
    """The calls of a failure in Python; the last is the one that breaks the clause."""
    session, _ = again(spec, implementation, failure.scope, failure.calls)
    given = [session.start.found] if session.start.given else []
    names = _variables(spec, session) | {origin: repr(handle) for origin, handle in session.start.made.items()}
    told = {reason.call - 1 for reason in failure.reasons}
    lines = [
        "from oneowner.checker.adapters import connect",
        "",
        f"system = connect({where!r})",
        f"constants = system.reset({', '.join(map(repr, [spec.topology(failure.scope), *given]))})",
    ]
    for index, call in enumerate(session.recorded):
        if given and session.spec.given and call.operation in session.spec.given.operations:
            continue
        shown = ", ".join(f'"{name}": {_value(session, names, call.operation, name, a)}' for name, a in call.arguments.items())
        text = f'system.call("{call.operation}", {{{shown}}})'
        last = index == len(session.recorded) - 1
        begun = len(lines)
        used = [(f, v) for (number, f), v in names.items() if number == index and not f.startswith("late ")]
        late = [(f, v) for (number, f), v in names.items() if number == index and f.startswith("late ")]
        if last:
            lines.append(f"print({text})  # {failure.text}")
            if "/late-" in failure.clause or LATE in failure.text:
                lines.append("print(system.settle())")
        elif len(used) == 1 and call.exit == "ok":
            field, variable = used[0]
            lines.append(f'{variable} = {text}["ok"]' + (f'["{field}"]' if field else ""))
        elif used and call.exit == "ok":
            lines.append(f'answer = {text}["ok"]')
            lines += [f'{variable} = answer["{field}"]' for field, variable in used]
        else:
            lines.append(text)
        if index in told:
            lines[begun] += f"  # call {index + 1}"
        if not last and index in session.came_late:
            lines.append("late = system.settle()")
            lines += [f'{variable} = late[{f.split()[1]}]["ok"]["{f.split()[2]}"]' for f, variable in late]
    return "\n".join(lines)


def _variables(spec: Spec, session: Session) -> dict[tuple[int, str], str]:
    """A variable for each handle that a later call uses, by where it came from."""
    used = {(a.call, a.field) for c in session.recorded for a in c.arguments.values() if isinstance(a, Origin) and a.call >= 0}
    counts: dict[str, int] = {}
    names = {}
    for call, field in sorted(used):
        operations = spec.late_exits if field.startswith("late ") else [session.recorded[call].operation]
        fields = {n: kind for o in operations for n, kind in answer_fields(spec.actions[o].answer)}
        kind = fields[field.rpartition(" ")[2]].__name__.lower()
        counts[kind] = counts.get(kind, 0) + 1
        names[call, field] = f"{kind}{counts[kind]}"
    return names


def _value(session: Session, names: dict[tuple[int, str], str], operation: str, name: str, argument: Any) -> str:
    if isinstance(argument, Origin):
        return f'constants["{argument.field}"]' if argument.call < 0 else names[argument.call, argument.field]
    slot = next(s for s in session.actions[operation].slots if s.name == name)
    if argument is None or argument == NEVER:
        return repr(argument)
    return repr(session.encoded(slot.type, argument))
