"""Confluent wire format: magic byte 0, four-byte schema id, Avro body. Pure once the schema ids are known."""

import io
import json
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar, cast

import fastavro
import msgspec

from schemas.catalogue import SCHEMA_IDS, Record, avro_file

_HEADER = struct.Struct(">bI")
# what fastavro raises when broken bytes lead it astray
_BROKEN = (ValueError, TypeError, LookupError, EOFError, OverflowError, MemoryError, struct.error, StopIteration)
R = TypeVar("R", bound=msgspec.Struct)


class Undecodable(ValueError):
    """Bytes that are not a record of ours; the message says what was expected, what came and where."""


# schema id → (record type, parsed writer schema); looks further than the checked-in ids when a registry is configured
Lookup = Callable[[int], tuple[type[msgspec.Struct], Any] | None]


def parse(schema: Any) -> Any:
    """A schema for fastavro. Logical types are dropped: times stay epoch milliseconds, the bytes are the same."""
    return fastavro.parse_schema(_plain(schema))


def _plain(schema: Any) -> Any:
    if isinstance(schema, dict):
        if "logicalType" in schema:
            return schema["type"]
        return {key: _plain(value) for key, value in schema.items() if key != "doc"}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


class Codec:
    """Record ↔ bytes. `ids` are what is written; every id in `ids` and every checked-in id can be read."""

    def __init__(self, ids: Mapping[type[msgspec.Struct], int] = SCHEMA_IDS, lookup: Lookup | None = None) -> None:
        self._lookup = lookup
        self._parsed = {record: parse(avro_file(record)) for record in SCHEMA_IDS}
        self._header = {record: _HEADER.pack(0, schema_id) for record, schema_id in ids.items()}
        own = {schema_id: record for record, schema_id in SCHEMA_IDS.items()}
        known = own | {schema_id: record for record, schema_id in ids.items()}
        self._readers: dict[int, tuple[type[msgspec.Struct], Any]] = {
            schema_id: (record, self._parsed[record]) for schema_id, record in known.items()
        }

    def encode(self, record: Record) -> bytes:
        """Wire format of a record; raises TypeError naming the field when a value does not fit its schema."""
        kind = type(record)
        out = io.BytesIO()
        out.write(self._header[kind])
        try:
            fastavro.schemaless_writer(out, self._parsed[kind], msgspec.to_builtins(record, builtin_types=(bytes,)))
        except (ValueError, TypeError, AttributeError, OverflowError, struct.error) as error:
            raise TypeError(f"{kind.__name__} does not fit its Avro schema: {error}") from error
        return out.getvalue()

    def decode(self, value: bytes | None) -> Record:
        """Any record of the catalogue; raises Undecodable."""
        if value is None or len(value) < _HEADER.size:
            raise Undecodable(
                f"expected a record in Confluent wire format, got {0 if value is None else len(value)} bytes"
            )
        magic, schema_id = _HEADER.unpack_from(value)
        if magic != 0:
            raise Undecodable(f"expected magic byte 0 at the start, got {magic}")
        record, writer = self._reader(schema_id)
        body = io.BytesIO(value)
        body.seek(_HEADER.size)
        try:
            fields = fastavro.schemaless_reader(
                body, writer, self._parsed[record] if writer is not self._parsed[record] else None
            )
            decoded = msgspec.convert(fields, record, builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise Undecodable(f"{record.__name__}: {_told(error, fields)}") from error
        except _BROKEN as error:
            raise Undecodable(f"{record.__name__}: broken Avro body ({type(error).__name__})") from error
        if body.tell() != len(value):
            raise Undecodable(f"{record.__name__}: {len(value) - body.tell()} bytes are left over after the record")
        return cast(Record, decoded)

    def decode_as(self, record: type[R], value: bytes | None) -> R:
        """A record of exactly this type; raises Undecodable for any other."""
        decoded = self.decode(value)
        if isinstance(decoded, record):
            return decoded
        raise Undecodable(f"expected a {record.__name__}, got a {type(decoded).__name__}")

    def _reader(self, schema_id: int) -> tuple[type[msgspec.Struct], Any]:
        found = self._readers.get(schema_id)
        if found is None and self._lookup is not None:
            found = self._lookup(schema_id)
            if found is not None:
                self._readers[schema_id] = found
        return found or _unknown(schema_id)


def _unknown(schema_id: int) -> NoReturn:
    raise Undecodable(f"schema id {schema_id} is not one of ours (known: {', '.join(map(str, SCHEMA_IDS.values()))})")


_PLACE = re.compile(r"\$[^`]*")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_PATTERN = re.compile(r"`str` matching regex .*?(?= - at `|$)", re.DOTALL)


def _told(error: msgspec.ValidationError, fields: Any) -> str:
    """What was expected and where; and what came, if it is a number or stands where a currency should."""
    told = _PATTERN.sub("an ISO-4217 code such as EUR", str(error))
    place = _PLACE.search(told)
    came = fields
    for name, index in _STEP.findall(place.group() if place else ""):
        try:
            came = came[name or int(index)]
        except (LookupError, TypeError):
            return told
    numeric = isinstance(came, int | float) and not isinstance(came, bool)
    code = isinstance(came, str) and place is not None and place.group().endswith("currency")
    return f"{told}, got {came!r:.24}" if numeric or code else told


def fingerprint(schema: Any) -> str:
    """Canonical text of a schema without documentation: equal text, equal wire format."""
    return json.dumps(_plain(schema), sort_keys=True, separators=(",", ":"))
