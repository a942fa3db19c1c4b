"""A C file changed in one place at a time: its mutants, by its tokens.

What the preprocessor is told, what it leaves out with no macro defined, and what stands outside functions is not changed.
Whether a mutant compiles is seen when it is built.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mutation import Mutant

TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>\"(?:\\.|[^\"\\])*\")|(?P<char>'(?:\\.|[^'\\])*')"
    r"|(?P<number>\d\w*)|(?P<name>[A-Za-z_]\w*)|(?P<mark>->|\+\+|--|<<=?|>>=?|[-+*/%&|^<>=!]=|&&|\|\||[^\s\w])",
    re.DOTALL,
)
SWAPPED = {
    "compare": {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="},
    "and-or": {"&&": "||", "||": "&&"},
    "arithmetic": {"+": "-", "-": "+", "+=": "-=", "-=": "+=", "++": "--", "--": "++"},
    "constant": {"true": "false", "false": "true"},
}
ORDER = {"<", "<=", ">", ">="}
CONTROL = {"if", "for", "while", "switch"}
LEAVES = {"return", "break", "continue", "goto"}
KEYWORDS = CONTROL | LEAVES | {"else", "do", "case", "default", "sizeof"}


@dataclass
class TextMutant(Mutant):
    """A change of a text: what stands in it from `start` to `end` becomes `text`."""

    start: int = field(repr=False)
    end: int = field(repr=False)
    text: str = field(repr=False)

    def applied(self, source: str) -> str:
        """The source with the change."""
        return source[: self.start] + self.text + source[self.end :]


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


def c_mutants(file: str, source: str) -> list[TextMutant]:
    """The mutants of a C file, in the order of its source."""
    numbers: Counter[tuple[str, str]] = Counter()
    found = []
    tokens = list(_tokens(source))
    for function, first, last in _functions(tokens):
        body = tokens[first : last + 1]
        for operator, start, end, text in sorted(_changes(source, body), key=lambda change: change[1]):
            numbers[function, operator] += 1
            lines = source.rfind("\n", 0, start) + 1, source.find("\n", end)
            before = source[lines[0] : lines[1]]
            after = source[lines[0] : start] + text + source[end : lines[1]]
            number, line = numbers[function, operator], source.count("\n", 0, start) + 1
            told = _stripped(before), _stripped(after)
            found.append(TextMutant(file, function, operator, number, line, *told, None, start, end, text))
    return found


def _stripped(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip(" ;\t"))


def _tokens(source: str) -> Iterator[Token]:
    """The tokens that are compiled, without comments."""
    visible = list(source)
    taken: list[bool] = []
    continued = False
    at = 0
    for line in source.splitlines(keepends=True):
        word = re.match(r"\s*#\s*(\w+)", line)
        if word and not continued:
            if word[1] in ("ifdef", "if"):
                taken.append(False)
            elif word[1] == "ifndef":
                taken.append(True)
            elif word[1] == "else":
                taken[-1] = not taken[-1]
            elif word[1] == "endif":
                taken.pop()
        if word or continued or not all(taken):
            visible[at : at + len(line)] = [c if c == "\n" else " " for c in line]
        continued = (bool(word) or continued) and line.rstrip("\n").endswith("\\")
        at += len(line)
    for match in TOKEN.finditer("".join(visible)):
        if match.lastgroup != "comment":
            yield Token(str(match.lastgroup), match[0], match.start(), match.end())


def _functions(tokens: list[Token]) -> Iterator[tuple[str, int, int]]:
    """The functions, by name, with the numbers of the tokens between which their bodies stand."""
    depth, name, began = 0, "", 0
    for number, token in enumerate(tokens):
        if token.text == "{":
            if depth == 0 and tokens[number - 1].text == ")":
                began = number
            depth += 1
        elif token.text == "}":
            depth -= 1
            if depth == 0 and began:
                yield name, began, number
                began = 0
        elif depth == 0 and token.text == "(" and tokens[number - 1].kind == "name":
            name = tokens[number - 1].text


Change = tuple[str, int, int, str]


def _changes(source: str, body: list[Token]) -> Iterator[Change]:
    for number, token in enumerate(body[:-1]):
        before = body[number - 1] if number else token
        operand = before.kind in ("name", "number") or before.text in (")", "]")
        for operator, swaps in SWAPPED.items():
            if token.text in swaps and token.kind in ("mark", "name") and (operand or token.text not in ("+", "-")):
                yield operator, token.start, token.end, swaps[token.text]
        if token.text == "!":
            yield "negate", token.start, token.end, ""
        if token.kind == "number" and token.text.isdecimal():
            yield "constant+1", token.start, token.end, str(int(token.text) + 1)
            yield "constant-1", token.start, token.end, str(int(token.text) - 1) if int(token.text) else "(-1)"
        if token.kind == "string":
            yield "string", token.end - 1, token.end - 1, "?"
        if token.text in ("if", "while") and body[number + 1].text == "(":
            close = _closing(body, number + 1)
            inner = source[body[number + 1].end : body[close].start]
            if inner.startswith("!") and not re.search(r"&&|\|\|", inner):
                continue  # the ! of which is taken off
            yield "negate", body[number + 1].end, body[close].start, f"!({inner})"
    previous: tuple[int, int] | None = None
    for first, last, in_block in _statements(body):
        start, end = body[first].start, body[last].end
        leaves = body[first].text in LEAVES
        if body[first].text == "return":
            # a constant is changed as one
            if source[body[first].end : body[last].start].strip() not in ("", "0", "true", "false", "NULL"):
                yield "return-zero", body[first].end, body[last].start, " 0"
        else:
            yield "delete", start, end, ";"
        if body[first].text in ("break", "continue"):
            yield "break-continue", start, end, "continue;" if body[first].text == "break" else "break;"
        if previous is not None and in_block and not leaves and body[first - 1].end == previous[1]:
            between = source[previous[1] : start]
            if "#" not in between:
                yield "swap", previous[0], end, source[start:end] + between + source[previous[0] : previous[1]]
        previous = None if leaves or not in_block else (start, end)


def _closing(body: list[Token], opening: int) -> int:
    depth = 0
    for number in range(opening, len(body)):
        depth += (body[number].text == "(") - (body[number].text == ")")
        if depth == 0:
            return number
    return len(body) - 1


def _statements(body: list[Token]) -> Iterator[tuple[int, int, bool]]:
    """The simple statements that are no declarations, by their first and last tokens; and whether they stand in a block by
    themselves, not under an if or a loop."""
    number, in_block = 1, True
    while number < len(body) - 1:
        token = body[number]
        if token.text in ("{", "}", ";"):
            number, in_block = number + 1, True
        elif token.text in CONTROL:
            number, in_block = _closing(body, number + 1) + 1, False
        elif token.text in ("else", "do"):
            number, in_block = number + 1, False
        else:
            last = number
            depth = 0
            while depth or body[last].text != ";":
                depth += (body[last].text in "({[") - (body[last].text in ")}]")
                last += 1
            if not _declares(body[number : last + 1]):
                yield number, last, in_block
            number, in_block = last + 1, True


def _declares(statement: list[Token]) -> bool:
    """Whether a statement declares something: two words at its beginning, or a word and a star and a word."""
    first, second = statement[0], statement[1]
    if first.kind != "name" or first.text in KEYWORDS:
        return False
    pointer = second.text == "*" and len(statement) > 3 and statement[2].kind == "name" and statement[3].text in "=;,"
    return second.kind == "name" or pointer
