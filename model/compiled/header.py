"""The header of an oracle: what somebody's own tree includes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ..language import Action, SpecError, Type, answer_fields, is_enumeration, is_subset, member_type
from .cells import MOST, MOST_IN_SUBSET, c_name
from .oracle import IN_ANSWER, IN_CALL, Oracle, member
from .printer import ILL_DEFINED

WIDTH = 128


def header(oracle: Oracle, about: Sequence[str]) -> str:
    """The header's text; `about` are the lines that it begins with."""
    lines = [
        *comment("\n".join(about), ""),
        "#ifndef OO_ORACLE_H",
        "#define OO_ORACLE_H",
        "",
        "#ifdef ONEOWNER_H",
        '#error "the oneowner.h of the adapter kit uses the same names: include the two in different source files"',
        "#endif",
        "",
        "#include <stdint.h>",
        "",
        *_sizes(oracle),
        *_enumerations(oracle),
        *_state(oracle),
        *_call(oracle),
        *_answer(oracle),
        *_oracle(oracle),
        "",
        "#endif",
    ]
    _check_names(oracle)
    return "\n".join(lines) + "\n"


def comment(text: str, edge: str) -> list[str]:
    """A text as a comment, paragraph by paragraph."""
    inner = [row for line in text.replace("*/", "* /").split("\n") for row in textwrap.wrap(line, WIDTH - len(edge)) or [""]]
    if len(inner) == 1:
        return [f"{edge}/* {inner[0]} */"]
    rows = [f"{edge}{' * ' if n else '/* '}{row}".rstrip() for n, row in enumerate(inner)]
    return [*rows[:-1], f"{rows[-1]} */"]


def _check_names(oracle: Oracle) -> None:
    """Raise SpecError where two things of a spec would be called the same in C."""
    names = [f"OO_{exit.upper()}" for exit in oracle.exits()] + list(oracle.verdicts())
    names += [f"OO_CALL_{name.upper()}" for name in oracle.actions]
    names += [f"OO_{kind.__name__.upper()}_{member.name}" for kind in _kinds(oracle) for member in kind]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"two things of {oracle.spec.name} would be called {name} in C: rename one")


def _sizes(oracle: Oracle) -> Iterator[str]:
    yield from comment(
        "How much there is of everything, at most.  Give others with -D, the same for every file that includes this.  Of a sort "
        "that has handles, the element after the last stands for handles that are dead or were never given out.",
        "",
    )
    for kind in oracle.spec.sorts:
        upper, more = kind.plural.upper(), " + 1" if kind in oracle.handled else ""
        yield from (f"#ifndef OO_N_{upper}", f"#define OO_N_{upper} {oracle.given[kind.plural]}", "#endif")
        yield f"#define OO_LAST_{upper} (OO_N_{upper}{more})"
    for name in ("numbers", *(c.name for c in oracle.spec.components if c.kind == "parameter")):
        macro = "OO_N_NUMBERS" if name == "numbers" else f"OO_P_{name.upper()}"
        yield from (f"#ifndef {macro}", f"#define {macro} {oracle.given[name]}", "#endif")
    yield from (
        "#ifndef OO_STATEMENTS",
        "#define OO_STATEMENTS 1 /* whether invariants and properties of steps are checked */",
        "#endif",
    )
    subsets = {s.type for a in oracle.actions.values() for s in a.slots if s.subset}
    subsets |= {member_type(k) for a in oracle.actions.values() for _, k in answer_fields(a.answer) if is_subset(k)}
    for kind in oracle.spec.sorts:
        most = MOST_IN_SUBSET if kind in subsets else MOST
        yield from (f"#if OO_LAST_{kind.plural.upper()} > {most}", f'#error "too many {kind.plural}"', "#endif")


def _kinds(oracle: Oracle) -> list[Type]:
    return [kind for kind in oracle.spec.types if is_enumeration(kind)]


def _enumerations(oracle: Oracle) -> Iterator[str]:
    for kind in _kinds(oracle):
        yield ""
        yield from comment(_doc(kind), "")
        members = ", ".join(f"OO_{kind.__name__.upper()}_{member.name}" for member in kind)
        yield from textwrap.wrap(f"enum {{ {members} }};", WIDTH, subsequent_indent="    ")
    yield from (
        "",
        "/* What a call comes to. */",
        "enum oo_exit {",
        f"    {ILL_DEFINED} = -1, /* oo_check never takes this for an answer */",
    )
    yield from (f"    OO_{exit.upper()}," for exit in oracle.exits())
    yield from ("};", "", "/* What a check comes to. */", "enum oo_verdict {")
    yield from (f"    {name}, /* {text} */" for name, text in oracle.verdicts().items())
    yield from ("};", "", "enum oo_operation {", *(f"    OO_CALL_{name.upper()}," for name in oracle.actions), "};")


def _doc(kind: Type) -> str:
    return " ".join((kind.__doc__ or kind.__name__).split())


def _state(oracle: Oracle) -> Iterator[str]:
    yield ""
    yield from comment("A state: cells are numbers of elements from 1, or 0 for none, at the numbers of their keys.", "")
    yield "struct oo_state {"
    found = [f"    uint8_t {field}{''.join(f'[{d}]' for d in dimensions)};" for _, field, dimensions in oracle.fields()]
    yield from found or ["    uint8_t nothing;"]
    yield "};"


def _kind(oracle: Oracle, kind: Type) -> str:
    """What a word holds."""
    if is_subset(kind):
        return f"bits of {member_type(kind).__name__}s, bit n for element n"
    if kind in oracle.handled:
        return f"handle of a {kind.__name__}"
    return {int: "a number", bool: "0 or 1"}.get(kind) or (
        f"OO_{kind.__name__.upper()}_..." if is_enumeration(kind) else kind.__name__
    )


def _call(oracle: Oracle) -> Iterator[str]:
    yield ""
    yield from comment(
        "A call: its operation, and its arguments under the operation's name.  A handle is whatever number the implementation "
        "knows a thing by, but not 0, which is none; of what has no handles it is the element's number from 1, or 0 for none.",
        "",
    )
    yield from ("struct oo_call {", "    enum oo_operation operation;", "    union {")
    yield f"        uint64_t arguments[{oracle.most_arguments}];"
    for name, action in oracle.actions.items():
        yield from comment(action.text, "        ")
        slots = oracle.asked(action)
        if not slots:
            continue
        yield "        struct {"
        for slot in slots:
            kind = f"bits of {slot.type.__name__}s, bit n for element n" if slot.subset else _kind(oracle, slot.type)
            yield f"            uint64_t {c_name(slot.name)}; /* {kind}{', or 0' if slot.optional else ''} */"
        yield f"        }} {member(name, IN_CALL)};"
    yield from ("    };", "};")


def _parts(oracle: Oracle, actions: Sequence[Action]) -> Iterator[str]:
    yield from ("    union {", "        uint64_t parts[OO_MOST_PARTS];")
    for action in actions:
        fields = answer_fields(action.answer)
        if fields and not fields[0][0]:
            yield f"        uint64_t {member(action.name, IN_ANSWER)}; /* {_kind(oracle, fields[0][1])} */"
        elif fields:
            yield "        struct {"
            yield from (f"            uint64_t {c_name(name)}; /* {_kind(oracle, kind)} */" for name, kind in fields)
            yield f"        }} {member(action.name, IN_ANSWER)};"
    yield "    };"


def _answer(oracle: Oracle) -> Iterator[str]:
    yield from ("", f"#define OO_MOST_PARTS {oracle.most_parts + (1 if oracle.late_clauses else 0)}")
    if oracle.waiter is not None and oracle.late_clauses:
        yield ""
        yield from comment("What a call that was suspended is answered at last; the call that brought it about tells of it.", "")
        waiting = [oracle.spec.actions[name] for name in dict.fromkeys(name for name, _ in oracle.late_clauses)]
        yield from ("struct oo_late {", f"    uint64_t waiter; /* {_kind(oracle, oracle.waiter.type)} */", "    int exit;")
        yield from (*_parts(oracle, waiting), "};")
    yield ""
    yield from comment("What an implementation answers: the exit, and if that is OO_OK what the operation answers.", "")
    yield from ("struct oo_answer {", "    int exit;", *_parts(oracle, list(oracle.actions.values())))
    if oracle.late_clauses:
        yield from ("    const struct oo_late *late; /* the suspended calls that are answered now */", "    int lates;")
    yield "};"


def _oracle(oracle: Oracle) -> Iterator[str]:
    yield from ("", "/* An oracle, beside one implementation. */", "struct oo_oracle {")
    yield "    int strict; /* set it after oo_begin to have the first error that applies only; else any that does will do */"
    yield "    int expected; /* the exit that the last call had to come to */"
    yield "    uint64_t parts[OO_MOST_PARTS]; /* and its answer, in elements */"
    yield "    int undefined; /* after OO_UNDEFINED, and OO_NO_ROOM: why, a number of oo_undefined_text */"
    if oracle.late_clauses:
        yield "    uint64_t waiter; /* whose late answer is wrong */"
    yield "    unsigned current; /* which of the two states is that now */"
    yield "    struct oo_state states[2];"
    yield "    struct {"
    for kind in oracle.handled:
        yield f"        uint64_t {c_name(kind.__name__.lower())}[OO_N_{kind.plural.upper()} + 1];"
    if not oracle.handled:
        yield "        uint64_t none;"
    yield from (
        "    } handles; /* by element; 0 where none was shown */",
        "};",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
    )
    given = "".join(f", uint64_t {c_name(name)}" for _, name, _ in oracle.constants())
    whose = ", with the handles of what is there from the start" if given else ""
    yield f"/* Begin anew, in the initial state{whose}. */"
    yield from (f"void oo_begin(struct oo_oracle *oracle{given});", "")
    yield from comment(
        "Hold a call and its answer against the specification, and go on to the state after.  After anything but OO_AGREES and "
        "OO_BAD_CALL the oracle does not know the implementation's state any more: begin both anew.",
        "",
    )
    yield "enum oo_verdict oo_check(struct oo_oracle *oracle, const struct oo_call *call, const struct oo_answer *answer);"
    yield from ("", "/* Names of enum oo_operation, enum oo_exit from 0, enum oo_verdict; and why a call makes no sense. */")
    for name in ("oo_operation_name", "oo_exit_name", "oo_verdict_name", "oo_undefined_text"):
        yield f"extern const char *const {name}[];"
    yield from ("", "#ifdef __cplusplus", "}", "#endif")
