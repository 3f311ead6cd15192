"""Avro schema of a record type, derived from its struct: writes and checks the files in schemas/avro."""

import types
import typing
from typing import Any

import msgspec

NAMESPACE = "returnflow"
_PRIMITIVES: dict[Any, str] = {str: "string", int: "long", bool: "boolean", bytes: "bytes", float: "double"}


def avro(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The Avro record schema of a struct; nested structs are defined where they are first met."""
    return _record(record, set())


def _record(record: type[msgspec.Struct], seen: set[str]) -> dict[str, Any]:
    seen.add(record.__name__)
    fields = [_field(f, seen) for f in msgspec.structs.fields(record)]
    doc = (record.__doc__ or "").strip()
    return {"type": "record", "name": record.__name__, "namespace": NAMESPACE, "doc": doc, "fields": fields}


def _field(field: msgspec.structs.FieldInfo, seen: set[str]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": _type(field.type, seen, field.name)}
    if field.default is not msgspec.NODEFAULT:
        described["default"] = _default(field.default)
    elif field.default_factory is not msgspec.NODEFAULT:
        described["default"] = _default(field.default_factory())
    return described


def _default(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _type(hint: Any, seen: set[str], name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:  # bounds are checked when a record is read; Avro knows none
        return _type(arguments[0], seen, name)
    if hint is int and name.endswith("_ms"):
        return {"type": "long", "logicalType": "timestamp-millis"}
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if origin is typing.Literal:
        return "string"
    if origin in (typing.Union, types.UnionType):
        return ["null", *(_type(a, seen, name) for a in arguments if a is not type(None))]
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0], seen, name)}
    if origin is dict:
        return {"type": "map", "values": _type(arguments[1], seen, name)}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"{NAMESPACE}.{hint.__name__}" if hint.__name__ in seen else _record(hint, seen)
    raise TypeError(f"expected a type that Avro can carry, got {hint!r} in field {name!r}")
