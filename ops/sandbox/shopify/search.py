"""Search strings such as `updated_at:>='2026-03-01T00:00:00Z' sku:TEE-M`: terms joined by AND, the few fields the
sandbox knows."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")
TERM = re.compile(r"""(?P<field>\w+):(?P<op>>=|<=|>|<)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>\S+))""")
Reader = Callable[[T], object]


def search(rows: list[T], query: str | None, fields: Mapping[str, Reader[T]]) -> list[T]:
    """The rows that fit all terms. Unknown fields do not narrow the result, as in Shopify."""
    for found in TERM.finditer(query or ""):
        read = fields.get(found["field"])
        if read is not None:
            wanted = next(text for text in (found["single"], found["double"], found["bare"]) if text is not None)
            rows = [row for row in rows if _fits(read(row), found["op"], wanted)]
    return rows


def _fits(value: object, op: str | None, wanted: str) -> bool:
    match value:
        case datetime():
            return _compare(value.timestamp(), op, _moment(wanted).timestamp())
        case bool():
            return value == (wanted.lower() == "true")
        case int():
            return _compare(float(value), op, float(wanted.rpartition("/")[2]))
        case list():
            return any(str(each).casefold() == wanted.casefold() for each in value)
        case None:
            return False
    if wanted.endswith("*"):
        return str(value).casefold().startswith(wanted[:-1].casefold())
    return str(value).casefold() == wanted.casefold()


def _compare(have: float, op: str | None, wanted: float) -> bool:
    match op:
        case ">=":
            return have >= wanted
        case "<=":
            return have <= wanted
        case ">":
            return have > wanted
        case "<":
            return have < wanted
    return have == wanted


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
