"""The executable schema: the SDL files beside this module, scalars that read and write Shopify's forms, and the
resolvers."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from ops.sandbox.clock import iso
from ops.sandbox.shopify import mutate, read_goods, read_lines, read_orders, read_returns, read_shop
from ops.sandbox.shopify.connections import connection_sdl
from ops.sandbox.shopify.scopes import guarded
from ops.sandbox.shopify.values import amount_text

SDL = Path(__file__).parent / "sdl"
_PLAIN = {"id": "gid", "format": "media"}  # argument names that would hide a builtin


def build_sandbox_schema() -> GraphQLSchema:
    """Reads the SDL and hangs scalars, resolvers and snake-case argument names on it."""
    schema = build_schema("\n".join([*(path.read_text() for path in sorted(SDL.glob("*.graphqls"))), connection_sdl()]))
    for name, (write, read) in _SCALARS.items():
        scalar = schema.type_map[name]
        if isinstance(scalar, GraphQLScalarType):
            scalar.coerce_output_value = write
            scalar.coerce_input_value = read
    for module in (read_goods, read_orders, read_lines, read_returns, read_shop):
        for type_name, resolvers in module.RESOLVERS.items():
            _hang(schema, type_name, resolvers)
    for module in (read_goods, read_orders, read_returns, read_shop):
        _hang(schema, "QueryRoot", {name: guarded(name, resolver) for name, resolver in module.ROOT.items()})
    _hang(schema, "Mutation", {name: guarded(name, resolver) for name, resolver in mutate.ROOT.items()})
    _rename(schema)
    return schema


def _hang(schema: GraphQLSchema, type_name: str, resolvers: dict[str, Callable[..., object]]) -> None:
    kind = schema.type_map[type_name]
    if not isinstance(kind, GraphQLObjectType):
        raise TypeError(f"{type_name} in the resolvers is not an object type of the SDL")
    for name, resolver in resolvers.items():
        kind.fields[name].resolve = resolver


def _rename(schema: GraphQLSchema) -> None:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                field.out_name = snake(name)
        elif isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for field_of_kind in kind.fields.values():
                for name, argument in field_of_kind.args.items():
                    argument.out_name = _PLAIN.get(name, snake(name))


@cache
def snake(name: str) -> str:
    """camelCase to snake_case."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def read_attribute(source: object, info: GraphQLResolveInfo[object], **_args: object) -> object:
    """The resolver of all other fields: a payload's key or an entity's attribute of the same name. A hole is an
    error, not a null."""
    name = snake(info.field_name)
    return source[name] if isinstance(source, dict) else getattr(source, name)


def type_of(value: object, _info: object, _kind: object) -> str:
    """The concrete type behind an interface or union."""
    return str(value["__typename"]) if isinstance(value, dict) else str(getattr(value, "typename"))  # noqa: B009


def _read_decimal(value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise GraphQLError(f"invalid decimal '{value}'") from None
    if isinstance(value, bool) or not number.is_finite():
        raise GraphQLError(f"invalid decimal '{value}'")
    return number


def _read_moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise GraphQLError(f"invalid date time '{value}'") from None
    if moment.tzinfo is None:
        raise GraphQLError(f"invalid date time '{value}': an offset is needed")
    return moment


def _read_day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise GraphQLError(f"invalid date '{value}'") from None


def _write_moment(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)


def _write_decimal(value: object) -> str:
    return amount_text(value) if isinstance(value, Decimal) else str(value)


_SCALARS: dict[str, tuple[Callable[[object], object], Callable[[object], object]]] = {
    "DateTime": (_write_moment, _read_moment),
    "Date": (str, _read_day),
    "Decimal": (_write_decimal, _read_decimal),
    "Money": (_write_decimal, _read_decimal),
    "UnsignedInt64": (str, lambda value: int(str(value))),
    "URL": (str, str),
    "JSON": (lambda value: value, lambda value: value),
}
