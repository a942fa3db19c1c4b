"""Terms made without being asked what they are: z3's own `And`, `Not`, `==` look at every operand's sort, which costs several
times what the solver needs to make the term.  Here they are known to fit; where they do not, the solver says so all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import z3


def negated(term: z3.BoolRef) -> z3.BoolRef:
    """What z3's `Not` makes."""
    return z3.BoolRef(z3.Z3_mk_not(term.ctx_ref(), term.as_ast()), term.ctx)


def all_of(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """What z3's `And` makes, of one part at least."""
    context = parts[0].ctx
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), len(parts), _array(parts)), context)


def any_of(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """What z3's `Or` makes; false of none."""
    if not parts:
        return z3.Or([])
    context = parts[0].ctx
    return z3.BoolRef(z3.Z3_mk_or(context.ref(), len(parts), _array(parts)), context)


def implied(condition: z3.BoolRef, then: z3.BoolRef) -> z3.BoolRef:
    """What z3's `Implies` makes."""
    return z3.BoolRef(z3.Z3_mk_implies(then.ctx_ref(), condition.as_ast(), then.as_ast()), then.ctx)


def equal(left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
    """What `==` makes of terms of one sort."""
    return z3.BoolRef(z3.Z3_mk_eq(left.ctx_ref(), left.as_ast(), right.as_ast()), left.ctx)


def chosen(condition: z3.BoolRef, yes: Any, no: Any) -> Any:
    """What z3's `If` makes of terms of one sort."""
    return _class(yes)(z3.Z3_mk_ite(yes.ctx_ref(), condition.as_ast(), yes.as_ast(), no.as_ast()), yes.ctx)


def applied(function: z3.FuncDeclRef, arguments: Sequence[z3.ExprRef], like: z3.ExprRef) -> z3.ExprRef:
    """What a call of a function makes, whose values are of the sort of `like`."""
    made = z3.Z3_mk_app(function.ctx_ref(), function.ast, len(arguments), _array(arguments))
    found: z3.ExprRef = _class(like)(made, like.ctx)
    return found


def is_constant(term: z3.ExprRef) -> bool:
    """Whether a term is a constructor without arguments, or a number."""
    context, here = term.ctx_ref(), term.as_ast()
    kind = z3.Z3_get_ast_kind(context, here)
    if kind != z3.Z3_APP_AST:
        return bool(kind == z3.Z3_NUMERAL_AST)
    if z3.Z3_get_app_num_args(context, here):
        return False
    return bool(z3.Z3_get_decl_kind(context, z3.Z3_get_app_decl(context, here)) == z3.Z3_OP_DT_CONSTRUCTOR)


def _array(parts: Sequence[z3.ExprRef]) -> Any:
    return (z3.Ast * len(parts))(*(part.as_ast() for part in parts))


def _class(like: z3.ExprRef) -> Any:
    """Of which class a term of the sort of another is, that is no number itself."""
    if isinstance(like, z3.IntNumRef):
        return z3.ArithRef
    return z3.BoolRef if isinstance(like, z3.BoolRef) else type(like)
