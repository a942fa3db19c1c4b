"""The protocol's messages: JSON-RPC 2.0, one object a line; their types, their checks and their JSON Schema.

What the checker sends it builds from plain data; what an adapter sends is decoded into these types, which is also the check
against the schema that `oneowner schema` prints.  docs/protocol.md says what they mean.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ...model.language import EFFECTIVE, Action, Slot, Spec, Type, answer_fields, is_enumeration, is_sort, is_subset, member_type
from ...model.symbolic import exits

PROTOCOL = 1
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""What has no control character in it."""

MAX_LINE = 1 << 20
"""Bytes that a line may have."""

UNSUPPORTED, INDETERMINATE, INTERNAL = -32001, -32002, -32603
METHOD_NOT_FOUND = -32601
"""Counts as unsupported: what a JSON-RPC library answers by itself."""

Value = int | bool | str | list[int | str] | None


class Capabilities(msgspec.Struct, forbid_unknown_fields=True):
    """What an adapter can do beside answering calls.  settle: it knows when every actor is idle or suspended, and says so.
    given: it has no calls that make what a specification says can be given, and takes that with reset."""

    settle: bool = False
    given: bool = False


class Introduction(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to initialize.  What is not named is not supported: `profiles` (of the specification), `capabilities`, and
    `limits`, the most that a topology may ask of each thing (what is not in it is not limited)."""

    protocol: Literal[1]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
    version: Annotated[str, msgspec.Meta(max_length=200, pattern=ONE_LINE)] = ""
    language: Annotated[str, msgspec.Meta(max_length=200, pattern=ONE_LINE)] = ""
    profiles: Annotated[list[Annotated[str, msgspec.Meta(max_length=200, pattern=ONE_LINE)]], msgspec.Meta(max_length=100)] = []
    capabilities: Capabilities = msgspec.field(default_factory=Capabilities)
    limits: dict[str, int] = {}


class Fault(msgspec.Struct):
    """A JSON-RPC error: the adapter's own, never an outcome of the system."""

    code: int
    message: str = ""
    data: Any = None


class Response(msgspec.Struct, forbid_unknown_fields=True):
    """Any line of an adapter's."""

    jsonrpc: Literal["2.0"]
    id: int | None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: Fault | msgspec.UnsetType = msgspec.UNSET


class CallResult(msgspec.Struct, forbid_unknown_fields=True):
    """What a call came to: one of `ok` (its answer, null if it has none) and `error` (the name of the refusal)."""

    ok: Value | dict[str, Value] | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET

    def plain(self) -> dict[str, Any]:
        """As a dictionary with one key.  Raises ValueError for one with none or two."""
        if (self.ok is msgspec.UNSET) == (self.error is msgspec.UNSET):
            raise ValueError('a call\'s result is {"ok": value} or {"error": name}')
        return {"ok": self.ok} if self.error is msgspec.UNSET else {"error": self.error}


_encoder = msgspec.json.Encoder()
response_decoder = msgspec.json.Decoder(Response)
introduction_decoder = msgspec.json.Decoder(Introduction)
handles_decoder = msgspec.json.Decoder(dict[str, str])
call_decoder = msgspec.json.Decoder(CallResult)


def parse(line: bytes) -> Response:
    """A line of an adapter's as a response.  Raises ValueError, saying what is wrong with it."""
    try:
        response = response_decoder.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if (response.result is msgspec.UNSET) == (response.error is msgspec.UNSET):
        raise ValueError("a response has one of result and error")
    return response


def request(number: int, method: str, params: dict[str, Any]) -> bytes:
    """A request as a line."""
    return _encoder.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + b"\n"


def schema(spec: Spec) -> dict[str, Any]:
    """The JSON Schema (2020-12) of every line that can pass: requests of the checker's and responses of an adapter's.

    A response does not say what it answers: `#/$defs/results` has the results by method, `#/$defs/answers` those of each
    operation, whose arguments are in `#/$defs/calls`.
    """
    types, definitions = msgspec.json.schema_components([Introduction, Fault], ref_template="#/$defs/{name}")
    handle = {"type": "string", "minLength": 1}
    definitions |= {
        "request": {"oneOf": [_request(method, params) for method, params in _params(spec).items()]},
        "response": {
            "type": "object",
            "required": ["jsonrpc", "id"],
            "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
            "properties": {
                "jsonrpc": {"const": "2.0"},
                "id": {"type": ["integer", "null"]},
                "result": {"anyOf": [{"$ref": f"#/$defs/results/{m}"} for m in ("initialize", "reset", "call", "settle")]},
                "error": types[1],
            },
            "additionalProperties": False,
        },
        "results": {
            "initialize": types[0],
            "reset": {
                "type": "object",
                "required": [c.name for kind in spec.unused if kind.handles for c in kind.constants],
                "additionalProperties": handle,
            },
            "call": {"anyOf": [{"$ref": f"#/$defs/answers/{name}"} for name in spec.actions]},
            "settle": {"type": "object", "additionalProperties": False},
            "shutdown": {"type": "object", "additionalProperties": False},
        },
        "calls": {action.name: _call(spec, action) for action in spec.actions.values()},
        "answers": {action.name: _answer(spec, action) for action in spec.actions.values()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{spec.name} protocol {PROTOCOL}",
        "anyOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/response"}],
        "$defs": definitions,
    }


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["jsonrpc", "id", "method", "params"],
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": "integer"},
            "method": {"const": method},
            "params": params,
        },
        "additionalProperties": False,
    }


def _params(spec: Spec) -> dict[str, dict[str, Any]]:
    return {
        "initialize": _object({"protocol": {"type": "array", "items": {"type": "integer"}}, "client": {"type": "string"}}),
        "reset": _object(
            {"topology": {"type": "object", "additionalProperties": {"type": "integer"}}}, {"given": {"type": "object"}}
        ),
        "call": {"oneOf": [{"$ref": f"#/$defs/calls/{name}"} for name in spec.actions]},
        "settle": _object({}),
        "shutdown": _object({}),
    }


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    every = properties | (optional or {})
    return {"type": "object", "properties": every, "required": list(properties), "additionalProperties": False}


def _call(spec: Spec, action: Action) -> dict[str, Any]:
    first, *rest = [s for s in action.slots if not s.fresh]
    return _object(
        {
            "actor": _type(spec, first.type, optional=False),
            "op": {"const": action.name},
            "args": _object({s.name: _argument(spec, s) for s in rest}),
        }
    )


def _argument(spec: Spec, slot: Slot) -> dict[str, Any]:
    kind = _type(spec, slot.type, optional=slot.optional)
    return {"type": "array", "items": kind} if slot.subset else kind


def _answer(spec: Spec, action: Action) -> dict[str, Any]:
    fields = answer_fields(action.answer)
    if not fields:
        ok: dict[str, Any] = {"type": "null"}
    elif fields[0][0]:
        ok = _object({name: _type(spec, kind, optional=True) for name, kind in fields})
    else:
        ok = _type(spec, fields[0][1], optional=True)
    errors = [exit for exit in exits(spec)[action.name] if exit not in EFFECTIVE and not exit.startswith("late-")]
    late = [exit.removeprefix("late-") for exit in exits(spec)[action.name] if exit.startswith("late-")]
    refused = {"enum": [e for e in dict.fromkeys([*errors, *late]) if e not in EFFECTIVE]}
    return {"oneOf": [_object({"ok": ok}), _object({"error": refused})]}


def _type(spec: Spec, kind: Type, *, optional: bool) -> dict[str, Any]:
    if is_subset(kind):
        return {"type": "array", "items": _type(spec, member_type(kind), optional=False)}
    if kind in spec.unused and is_sort(kind) and kind.handles:
        return {"type": ["string", "null"] if optional else "string"}
    if is_sort(kind) and kind in spec.encodings:
        return {"type": ["integer", "string", "null"]}
    if is_enumeration(kind):
        return {"enum": [member.name for member in kind]}
    return {"type": "boolean"} if kind is bool else {"type": "integer"}
