"""May a schema change? Avro's rules for reading one schema's bytes with another. Pure."""

from collections.abc import Iterator
from typing import Any, Literal

Rule = Literal["FULL_TRANSITIVE", "BACKWARD_TRANSITIVE", "NONE"]

_PROMOTED = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def problems(new: Any, old: Any, rule: Rule) -> list[str]:
    """Why `new` may not follow `old`, empty when it may.

    BACKWARD: the new schema reads old bytes. FULL: and the old schema reads new bytes.
    """
    if rule == "NONE":
        return []
    found = [f"new cannot read old: {each}" for each in unreadable(reader=new, writer=old)]
    if rule == "FULL_TRANSITIVE":
        found += [f"old cannot read new: {each}" for each in unreadable(reader=old, writer=new)]
    return found


def unreadable(*, reader: Any, writer: Any) -> list[str]:
    """What keeps `reader` from reading every value that `writer` can write, each with its place."""
    resolution = _Resolution(_named(reader), _named(writer))
    return list(resolution.walk(reader, writer, _kind(reader) if isinstance(reader, str) else _short(reader)))


class _Resolution:
    """One comparison: the named types of both sides, and the pairs that are compared already (types may recur)."""

    def __init__(self, reader_names: dict[str, Any], writer_names: dict[str, Any]) -> None:
        self._reader_names, self._writer_names = reader_names, writer_names
        self._compared: set[tuple[str, str]] = set()

    def walk(self, reader: Any, writer: Any, place: str) -> Iterator[str]:
        reader = self._reader_names.get(reader, reader) if isinstance(reader, str) else reader
        writer = self._writer_names.get(writer, writer) if isinstance(writer, str) else writer
        if isinstance(writer, list):
            for branch in writer:
                yield from self.walk(reader, branch, place)
        elif isinstance(reader, list):
            if all(list(self._quietly(branch, writer, place)) for branch in reader):
                yield f"{place}: expected one of {', '.join(map(_short, reader))}, got {_short(writer)}"
        else:
            yield from self._single(reader, writer, place)

    def _quietly(self, reader: Any, writer: Any, place: str) -> list[str]:
        """A branch that is only tried must leave no trace among the compared pairs when it fails."""
        before = set(self._compared)
        found = list(self.walk(reader, writer, place))
        if found:
            self._compared = before
        return found

    def _single(self, reader: Any, writer: Any, place: str) -> Iterator[str]:
        expected, came = _kind(reader), _kind(writer)
        if expected != came:
            if expected not in _PROMOTED.get(came, ()):
                yield f"{place}: expected {_short(reader)}, got {_short(writer)}"
            return
        if _logical(reader) != _logical(writer):
            yield f"{place}: expected {_logical(reader) or 'no logical type'}, got {_logical(writer) or 'none'}"
        match expected:
            case "record":
                yield from self._record(reader, writer, place)
            case "array":
                yield from self.walk(reader["items"], writer["items"], f"{place}[]")
            case "map":
                yield from self.walk(reader["values"], writer["values"], f"{place}{{}}")
            case "enum":
                yield from _enum(reader, writer, place)
            case "fixed" if reader["size"] != writer["size"] or reader["name"] != writer["name"]:
                yield f"{place}: expected fixed {reader['name']} of {reader['size']} bytes, got {writer['size']}"

    def _record(self, reader: Any, writer: Any, place: str) -> Iterator[str]:
        if _last(writer["name"]) not in {_last(name) for name in (reader["name"], *reader.get("aliases", ()))}:
            yield f"{place}: expected record {reader['name']}, got {writer['name']}"
            return
        pair = (reader["name"], writer["name"])
        if pair in self._compared:
            return
        self._compared.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            if source is not None:
                yield from self.walk(field["type"], source["type"], f"{place}.{field['name']}")
            elif "default" not in field:
                yield f"{place}.{field['name']}: is not written and has no default"


def _enum(reader: Any, writer: Any, place: str) -> Iterator[str]:
    unknown = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if unknown and "default" not in reader:
        yield f"{place}: expected one of {', '.join(reader['symbols'])}, got {', '.join(unknown)}"


def _named(schema: Any) -> dict[str, Any]:
    """Every named type defined in a schema, by full name and by short name."""
    found: dict[str, Any] = {}
    for part in _parts(schema):
        if _kind(part) in ("record", "enum", "fixed"):
            found[part["name"]] = part
            found[f"{part.get('namespace') or 'returnflow'}.{part['name']}"] = part
    return found


def _parts(schema: Any) -> Iterator[Any]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _parts(branch)
    elif isinstance(schema, dict):
        yield schema
        for inner in (schema.get("items"), schema.get("values"), *(f["type"] for f in schema.get("fields", ()))):
            yield from _parts(inner)


def _kind(schema: Any) -> str:
    """`record`, `array`, `long`, …, or `union`."""
    if isinstance(schema, list):
        return "union"
    return schema if isinstance(schema, str) else _kind(schema["type"])


def _logical(schema: Any) -> str | None:
    return schema.get("logicalType") if isinstance(schema, dict) else None


def _short(schema: Any) -> str:
    if isinstance(schema, dict):
        return str(schema.get("name") or schema.get("logicalType") or _kind(schema))
    return "/".join(map(_short, schema)) if isinstance(schema, list) else str(schema)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
