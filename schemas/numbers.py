"""Numbers that a record may hold, as types of its fields: what is beyond is refused when the record is read."""

import functools
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

LATEST_MS = 253_402_300_799_000  # the end of the year 9999
LARGEST_COUNT = 1_000_000

Millis = Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]
Change = Annotated[int, msgspec.Meta(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]  # a movement, in or out
Level = Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]  # below zero when a shop oversells
Ordinal = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_ANY_TIME = 2**62  # whoever decides knows what to make of a wrong date, as long as it is a number that can be kept


class _Plan(msgspec.Struct, frozen=True):
    """What of a struct is to be looked at: numbers with the size that each may have, and what holds more of them."""

    sizes: tuple[tuple[str, int], ...]
    nested: tuple[str, ...]


def beyond(record: msgspec.Struct, path: str = "$") -> str | None:
    """The first number that no decision can be made with: what was expected, what came and where; None for none.

    A record that was read from Kafka has none. Signs and dates are not judged: whoever decides can tell of them.
    """
    plan = _plan(type(record))
    for name, size in plan.sizes:
        value = getattr(record, name)
        if value is not None and not -size <= value <= size:
            return f"{path}.{name}: expected a number from {-size} to {size}, got {value!r:.24}"
    for name in plan.nested:
        value = getattr(record, name)
        listed = value if isinstance(value, tuple) else () if value is None else (value,)
        for each in listed:
            if (found := beyond(each, f"{path}.{name}")) is not None:
                return found
    return None


def unfit(record: msgspec.Struct) -> str | None:
    """As `beyond`, by every bound of its type: what a stored record must keep to be read again."""
    found = beyond(record)
    if found is None:
        try:
            msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record))
        except msgspec.ValidationError as error:
            return str(error)
    return found


@functools.cache
def _plan(kind: type[msgspec.Struct]) -> _Plan:
    hints = typing.get_type_hints(kind, include_extras=True)
    parts = {name: list(_parts(hint)) for name, hint in hints.items()}
    sizes = {name: size for name, found in parts.items() for part in found if (size := _size(part)) is not None}
    nested = [name for name, found in parts.items() if any(_is_struct(part) for part in found)]
    return _Plan(tuple(sizes.items()), tuple(nested))


def _parts(hint: Any) -> Iterator[Any]:
    """A type without what is around it: None beside it, a tuple of it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        for each in arguments:
            yield from _parts(each)
    elif origin is tuple:
        yield from _parts(arguments[0])
    else:
        yield hint


def _size(hint: Any) -> int | None:
    if hint is int or hint == Millis:
        return _ANY_TIME
    if typing.get_origin(hint) is not Annotated or typing.get_args(hint)[0] is not int:
        return None
    return int(typing.get_args(hint)[1].le)


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)
