"""What of a webhook's body is kept: only what anybody reads of it later. Pure.

ReturnGO's and Shopify's bodies are signals, and what they are about is read again: of them the ids stay. The bodies of
our own doors are the facts themselves: of them the documented fields stay, with texts as facts may hold them. Names,
addresses, notes and whatever else a sender adds never reach Kafka (ADR 0035).
"""

from collections.abc import Collection, Mapping

import orjson

from schemas import labels
from streams.sources import envelope
from streams.sources.fields import Json, Malformed, json_of, label, opt_ident
from streams.sources.returngo_signals import STATUSES

_LINE = ("quantity", "sku", "line_id", "grade", "location", "reason")
_FIELDS = {
    "warehouse": ("type", "rma", "order", "inspected_at"),
    "carrier": ("type", "tracking_number", "status", "rma", "order", "carrier", "scanned_at"),
}
_WORDS = ("eventName", "status")
_SAID = envelope.RETURNGO_EVENTS | STATUSES
_LONGEST = 255
# How an id is kept that was found in what is no JSON object.
_AS = {"shopify": b"gid://shopify/Order/%", "returngo": b'"rma_id":"%"'}


def kept(system: str, body: bytes, known: Collection[str]) -> bytes:
    """The body without what nobody needs; a body that is no JSON object says nothing that can be kept."""
    try:
        read = json_of(body)
    except Malformed:
        read = None
    found = envelope.salvaged(system, body)
    if not isinstance(read, dict):
        return _AS[system].replace(b"%", found.encode()) if found else b"[]" if isinstance(read, list) else b""
    if system in _FIELDS:
        return orjson.dumps(_own(system, read, known))
    first = {"salvaged": {"rma_id": found} if system == "returngo" else f"gid://shopify/Order/{found}"} if found else {}
    return orjson.dumps(first | _signal(read))


def _signal(read: Json) -> dict[str, object]:
    found: dict[str, object] = {name: _word(read[name]) for name in _WORDS if name in read}
    asked = any(name in read for name in ("orders_to_redact", "orders_requested"))  # else nobody needs who it is
    for path in envelope.PATHS:
        value: object = read
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None and (path != envelope.CUSTOMER or asked):
            _put(found, path, _named(value))
    orders = read.get("orders_to_redact") or read.get("orders_requested")
    if isinstance(orders, list):
        found["orders_to_redact"] = [name for each in orders if (name := _id(each)) is not None]
    return found


def _named(value: object) -> object:
    """An id as it stands; what is none stays what is none, without its content."""
    if isinstance(value, bool | int | float):
        return value
    if not isinstance(value, str):
        return []
    return value if value == "" or _id(value) is not None else "?"


def _word(value: object) -> object:
    """A word of ReturnGO's, or any other sign that it is none."""
    return value if isinstance(value, str) and (value in _SAID or not value) else "" if value is None else "?"


def _put(found: dict[str, object], path: tuple[str, ...], name: object) -> None:
    *above, last = path
    place = found
    for key in above:
        inner = place.setdefault(key, {})
        assert isinstance(inner, dict)
        place = inner
    place[last] = name


def _own(system: str, read: Json, known: Collection[str]) -> dict[str, object]:
    found = {name: _scalar(name, read[name], known) for name in _FIELDS[system] if name in read}
    listed = read.get("lines")
    if system == "warehouse" and "lines" in read:
        rows = listed if isinstance(listed, list) else []
        found["lines"] = [
            {name: _scalar(name, row[name], known) for name in _LINE if name in row}
            for row in rows
            if isinstance(row, dict)
        ] if isinstance(listed, list) else None  # fmt: skip
    return found


def _scalar(name: str, value: object, known: Collection[str]) -> object:
    """A value as it may be kept. What is of the wrong type stays of the wrong type, without its content."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if not isinstance(value, str):
        return []
    if name == "tracking_number":
        return labels.number(value.strip()[:_LONGEST])
    if name == "carrier":
        return labels.carrier(label_of(value), known)
    if name == "reason":
        return labels.kept(label_of(value), known)
    if name in ("sku", "location", "inspected_at", "scanned_at"):
        return value[: _LONGEST + 1]
    return value if _id(value) is not None else labels.stable(value)


def label_of(value: object) -> str | None:
    """A text as a label, cut and without what no store holds; anything else is none."""
    return label(value, "") if isinstance(value, str) else None


def _id(value: object) -> str | None:
    try:
        return opt_ident(value, "")
    except Malformed:
        return None
