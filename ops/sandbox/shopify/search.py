"""Search strings such as `updated_at:>='2026-03-01T00:00:00Z' sku:TEE-M`: terms joined by AND, alternatives by OR, over
the few fields the sandbox knows.

Texts are matched as a search engine does, not as a database: cut into words at whatever is no letter or digit, without
case; the words must follow each other, and the last may be the beginning of one. So `sku:TEE-1` finds TEE-1, TEE-10 and
RED TEE-1B, and a blank at the end of a SKU means nothing. Frozen sets (tags) are matched whole.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from ops.sandbox.shopify.index import Terms

T = TypeVar("T")
_QUOTED = r"""'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)\""""
_TERM = re.compile(rf"""(?P<field>\w+):(?P<op>>=|<=|>|<)?(?:{_QUOTED}|(?P<bare>[^\s()]+))|(?P<or>\bOR\b)""")
_WORD = re.compile(r"[^\W_]+")


def search(rows: Iterable[tuple[T, Terms]], query: str | None) -> list[T]:
    """The rows that fit all terms of an alternative. Unknown fields do not narrow the result, as in Shopify."""
    alternatives = _alternatives(query or "")
    return [row for row, terms in rows if any(all(_meets(terms, *each) for each in some) for some in alternatives)]


def _alternatives(query: str) -> list[list[tuple[str, str | None, str]]]:
    found: list[list[tuple[str, str | None, str]]] = [[]]
    for term in _TERM.finditer(query):
        if term["or"]:
            found.append([])
            continue
        quoted = term["single"] if term["single"] is not None else term["double"]
        wanted = term["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        found[-1].append((term["field"], term["op"], wanted))
    return found


def _meets(terms: Terms, field: str, op: str | None, wanted: str) -> bool:
    return field not in terms or _fits(terms[field], op, wanted)


def _fits(value: object, op: str | None, wanted: str) -> bool:
    match value:
        case datetime():
            return _compare(value.timestamp(), op, _moment(wanted).timestamp())
        case bool():
            return value == (wanted.lower() == "true")
        case int():
            return _compare(float(value), op, float(wanted.rpartition("/")[2]))
        case frozenset():
            return wanted.casefold() in {str(each).casefold() for each in value}
        case list():
            return any(_reads(str(each), wanted) for each in value)
        case None:
            return False
    return _reads(str(value), wanted)


def _reads(text: str, wanted: str) -> bool:
    have, asked = _WORD.findall(text.casefold()), _WORD.findall(wanted.casefold())
    if not asked:
        return False
    starts = (have[place : place + len(asked)] for place in range(len(have) - len(asked) + 1))
    return any(each[:-1] == asked[:-1] and each[-1].startswith(asked[-1]) for each in starts)


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
