"""Z3 terms evaluated on a concrete state, by walking them: an interpreter of the symbolic reading's results.

An element of an uninterpreted sort is its index, as in the concrete reading; quantifiers range over all of them, none too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3

from oneowner.model.concrete import Model, Vector
from oneowner.model.language import Counter, Members, reading
from oneowner.model.symbolic import Path, SubsetTerm, Symbolic, System, Term, Unknown, line_counter

Env = dict[str, Any]
Closure = Callable[[Env, tuple[int, ...]], Any]
AFTER = "after."


class Evaluator:
    """The paths of a spec's operations, as Python functions of a concrete state and arguments."""

    def __init__(self, symbolic: Symbolic, model: Model) -> None:
        self.symbolic, self.model = symbolic, model
        self._closures: dict[int, tuple[Any, Closure]] = {}
        self._inside: dict[int, tuple[SubsetTerm, Closure]] = {}
        self._members: dict[str, int] = {}
        self._enumerated: dict[str, int] = {}
        world = symbolic.world
        kinds = {k for c in symbolic.components.values() for k in (*c.keys, c.value)}
        for action in symbolic.spec.actions.values():
            kinds |= {s.type for s in action.slots}
        self._sizes = {}
        for kind in kinds:
            sort = world.sort(kind)
            if kind in (int, bool):
                continue
            if hasattr(kind, "plural"):
                self._sizes[str(sort)] = model.domain(kind).stop
                self._members[str(world.none(kind))] = 0
                for constant in kind.constants:
                    self._members[str(world.lift(kind, constant))] = int(constant)
            else:
                self._sizes[str(sort)] = len(kind)
                for index, member in enumerate(world.elements(kind)):
                    self._enumerated[str(member)] = index
        queues = [c for c in symbolic.components.values() if c.kind == "queue"]
        declared = [c for module in symbolic.spec.modules for c in vars(module).values() if isinstance(c, Counter)]
        self._counters = {counter.name: counter for counter in (*map(line_counter, queues), *declared)}

    def environment(self, vector: Vector, action: Any, arguments: dict[str, Any]) -> Env:
        """What free constants and functions stand for: the state's cells, the arguments, counts by counting."""
        env: Env = {"vector": vector, **self._cells(vector, "")}
        for slot in action.slots:
            given = arguments[slot.name]
            name = f"argument {slot.name} of {action.name}!{self.symbolic.world._mark}"
            env[name] = given.__contains__ if slot.subset else given
        return env

    def later(self, vector: Vector) -> Env:
        """What the cells of the state `unknown_after` stand for."""
        return {"after": vector, **self._cells(vector, AFTER)}

    def unknown_after(self) -> System:
        """A state after some step, about which nothing is known."""
        world, parts = self.symbolic.world, dict(self.symbolic.state._parts)
        for name, part, kinds, value in self.symbolic.parts():
            if kinds and self.symbolic.components[name].kind != "rigid":
                domain = [world.sort(kind) for kind in kinds]
                parts[part] = Unknown(z3.Function(f"{AFTER}{part}!{world._mark}", *domain, world.sort(value)))
        return System(self.symbolic, parts, "'", before=self.symbolic.state)

    def _cells(self, vector: Vector, prefix: str) -> Env:
        env: Env = {}
        mark = self.symbolic.world._mark
        for component, part in zip(self.model.components, vector, strict=True):
            name = (prefix or "part ") + component.name
            if component.kind == "parameter":
                env[f"{name}!{mark}"] = part[0]
            elif component.kind == "queue":
                place = {e: key for key, line in enumerate(part) for e in line}
                ticket = {e: at for line in part for at, e in enumerate(line)}
                env[f"{name}.place!{mark}"] = lambda e, place=place: place.get(e, 0)
                env[f"{name}.ticket!{mark}"] = lambda e, ticket=ticket: ticket.get(e, 0)
                env[f"{name}.clock!{mark}"] = 1000
            else:
                env[f"{name}!{mark}"] = lambda *key, c=component, p=part: p[self.model.index(c, key)]
        return env

    def count(self, env: Env, name: str, key: tuple[int, ...]) -> int:
        """What the function "count NAME" stands for in the state, "count NAME'" in the one after."""
        base = name.removeprefix("count ").partition("!")[0]
        vector = env["after" if base.endswith("'") else "vector"]
        with reading(self.model):
            return self.model.count(self._counters[base.removesuffix("'")], self.model.system(vector), key)

    def heads(self, env: Env, path: Path) -> None:
        """Give each defined head of a path its value."""
        for head in path.heads:
            line = self.value(head.line, env)
            kind = self.symbolic.components[head.queue].value
            best = 0
            if line:
                inside = []
                for element in self.model.domain(kind):
                    variable = z3.Const("probe", self.symbolic.world.sort(kind))
                    scope = env | {"probe": element}
                    if self.value(head.place.read((variable,)), scope) == line:
                        inside.append((self.value(head.ticket.read((variable,)), scope), element))
                best = min(inside)[1] if inside else 0
            env[str(head.term)] = best

    def value(self, term: z3.ExprRef, env: Env) -> Any:
        return self.closure(term)(env, ())

    def closure(self, term: z3.ExprRef) -> Closure:
        key = term.get_id()
        if key not in self._closures:
            self._closures[key] = term, self._compile(term)
        return self._closures[key][1]

    def _compile(self, term: z3.ExprRef) -> Closure:
        if z3.is_quantifier(term):
            sizes = [self._sizes[str(term.var_sort(i))] for i in range(term.num_vars())]
            body, universal = self.closure(term.body()), term.is_forall()

            def quantified(env: Env, bound: tuple[int, ...], depth: int = 0) -> bool:
                if depth == len(sizes):
                    return bool(body(env, bound))
                found = (quantified(env, (*bound, v), depth + 1) for v in range(sizes[depth]))
                return all(found) if universal else any(found)

            return quantified
        if z3.is_var(term):
            back = z3.get_var_index(term)
            return lambda env, bound: bound[-1 - back]
        if z3.is_int_value(term):
            number = term.as_long()
            return lambda env, bound: number
        return self._application(term)

    def _application(self, term: z3.ExprRef) -> Closure:
        kind, name = term.decl().kind(), str(term.decl().name())
        parts = [self.closure(child) for child in term.children()]
        if kind == z3.Z3_OP_UNINTERPRETED:
            return self._named(name, parts)
        if kind == z3.Z3_OP_DT_CONSTRUCTOR:
            index = self._enumerated[name]
            return lambda env, bound: index
        if kind in (z3.Z3_OP_TRUE, z3.Z3_OP_FALSE):
            return lambda env, bound: kind == z3.Z3_OP_TRUE
        if kind == z3.Z3_OP_ITE:
            return lambda e, b: parts[1](e, b) if parts[0](e, b) else parts[2](e, b)
        if kind == z3.Z3_OP_AND:
            return lambda e, b: all(p(e, b) for p in parts)
        if kind == z3.Z3_OP_OR:
            return lambda e, b: any(p(e, b) for p in parts)
        if kind == z3.Z3_OP_ADD:
            return lambda e, b: sum(p(e, b) for p in parts)
        if kind == z3.Z3_OP_SUB:
            return lambda e, b: parts[0](e, b) - parts[1](e, b)
        if kind == z3.Z3_OP_NOT:
            return lambda e, b: not parts[0](e, b)
        compare = {
            z3.Z3_OP_EQ: lambda x, y: x == y,
            z3.Z3_OP_IMPLIES: lambda x, y: (not x) or y,
            z3.Z3_OP_LE: lambda x, y: x <= y,
            z3.Z3_OP_GE: lambda x, y: x >= y,
            z3.Z3_OP_LT: lambda x, y: x < y,
            z3.Z3_OP_GT: lambda x, y: x > y,
        }[kind]
        left, right = parts
        return lambda e, b: compare(left(e, b), right(e, b))

    def _named(self, name: str, parts: list[Closure]) -> Closure:
        if name in self._members:
            index = self._members[name]
            return lambda env, bound: index
        if not parts:
            return lambda env, bound: env[name]

        def apply(env: Env, bound: tuple[int, ...]) -> Any:
            key = tuple(p(env, bound) for p in parts)
            return env[name](*key) if name in env else self.count(env, name, key)

        return apply

    def answer(self, env: Env, answer: Any) -> Any:
        """What a path answers: a number, a subset, or a tuple of them."""
        if isinstance(answer, tuple):
            return tuple(self.answer(env, part) for part in answer)
        if isinstance(answer, SubsetTerm):
            if id(answer) not in self._inside:
                probe = z3.Const("probe", self.symbolic.world.sort(answer.type))
                self._inside[id(answer)] = answer, self.closure(answer.holds(probe))
            inside = self._inside[id(answer)][1]
            return Members(e for e in self.model.domain(answer.type) if inside(env | {"probe": e}, ()))
        return int(self.value(answer.expr, env)) if isinstance(answer, Term) else plain(answer)

    def after(self, env: Env, path: Path) -> Vector:
        """The state that a path leaves, with what it writes to outputs."""
        world, found = self.symbolic.world, []
        for component, before in zip(self.model.components, env["vector"], strict=True):
            parts, name = path.after._parts, component.name
            if component.kind in ("parameter", "rigid") or not any(c.split(".")[0] == name for c in path.changed):
                found.append(before)
            elif component.kind == "queue":
                variable = z3.Const("probe", world.sort(component.value))
                lines: list[list[tuple[int, int]]] = [[] for _ in before]
                for element in self.model.domain(component.value):
                    scope = env | {"probe": element}
                    line = self.value(parts[f"{name}.place"].read((variable,)), scope)
                    ticket = self.value(parts[f"{name}.ticket"].read((variable,)), scope)
                    if line:
                        lines[line].append((ticket, element))
                found.append(tuple(tuple(e for _, e in sorted(line)) for line in lines))
            else:
                keys = [z3.Const(f"probe{i}", world.sort(kind)) for i, kind in enumerate(component.keys)]
                cell = self.closure(parts[name].read(tuple(keys)))
                cells = list(before)
                for key in self.model.keys(component):
                    scope = env | {f"probe{i}": k for i, k in enumerate(key)}
                    cells[self.model.index(component, key)] = cell(scope, ())
                found.append(tuple(cells))
        return tuple(found)


def plain(answer: Any) -> Any:
    """An answer of the concrete reading, to be compared."""
    if isinstance(answer, tuple):
        return tuple(map(plain, answer))
    return answer if answer is None or isinstance(answer, Members) else int(answer)
