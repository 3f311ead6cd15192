"""Reading vendor JSON: each function returns a value of the right type or raises Malformed with the path. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

import msgspec
import orjson

from schemas import lenient_json, money
from schemas.money import Money
from schemas.numbers import LARGEST_COUNT, LATEST_MS
from schemas.text import held, replaced

Json = Mapping[str, object]
T = TypeVar("T")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_QUOTED = re.compile(r"Invalid enum value .*?(?=( - at `[^`]*`)?$)", re.DOTALL)
_PATTERN = re.compile(r"`str` matching regex .*?(?= - at `|$)", re.DOTALL)
LONGEST_LABEL = 200
LONGEST_CODE = 255


class Malformed(ValueError):
    """A payload that cannot be used. The message names path, expectation and kind of value, no text of the payload."""


def malformed(path: str, expected: str, came: object) -> Malformed:
    """Numbers are shown, everything else by its type: a text could be somebody's name."""
    shown = repr(came)[:40] if isinstance(came, int | float | Decimal) else type(came).__name__
    return Malformed(f"{path}: expected {expected}, got {shown}")


def body_as(kind: type[T], body: bytes) -> T:
    """A JSON body as a record; raises Malformed with path and types. The one value msgspec would quote is left out."""
    try:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.convert(json_of(body), kind)
    except msgspec.ValidationError as error:
        told = _PATTERN.sub("text that every database can hold", str(error))
        raise Malformed(_QUOTED.sub("a word that is not allowed", told)) from None
    except (RecursionError, UnicodeError):
        raise _no_json() from None


def json_of(body: bytes) -> object:
    """What a body says, if it is JSON; raises Malformed."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return lenient_json.loads(body)
    except (ValueError, RecursionError):
        raise _no_json() from None


def _no_json() -> Malformed:
    return Malformed("expected a JSON body, nested as a message is, got something else")


def obj(value: object, path: str) -> Json:
    """A JSON object."""
    if isinstance(value, Mapping):
        return value
    raise malformed(path, "an object", value)


def opt(value: object, path: str) -> Json:
    """A JSON object; an absent one is empty."""
    return {} if value is None else obj(value, path)


def rows(value: object, path: str) -> list[Json]:
    """Objects of a list or of a GraphQL connection; an absent list is empty."""
    if isinstance(value, Mapping):
        value = value.get("nodes")
    if value is None:
        return []
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise malformed(path, "a list", value)
    return [obj(each, f"{path}[{i}]") for i, each in enumerate(value)]


def ident(value: object, path: str) -> str:
    """An id as text: numbers, numeric strings and GIDs become the same thing."""
    found = opt_ident(value, path)
    if found is None:
        raise malformed(path, "an id", value)
    return found


def opt_ident(value: object, path: str) -> str | None:
    """As `ident`; absent or empty is None."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise malformed(path, "an id", value)
    if isinstance(value, int) and value < 0:
        raise malformed(path, "an id", value)
    text = str(value).rsplit("/", 1)[-1].split("?", 1)[0] if isinstance(value, str) else str(value)
    if not _ID.fullmatch(text):
        raise malformed(path, "an id of letters, digits, hyphens", value)
    return text


def label(value: object, path: str) -> str | None:
    """A merchant's short text for people; blank is None, anything longer than a label is cut, what no store holds is
    replaced."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise malformed(path, "a text", value)
    return replaced(value).strip()[:LONGEST_LABEL] or None


def code(value: object, path: str) -> str | None:
    """A text by which something is found: a SKU, a tracking number. Blank is None; it is never cut or replaced."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise malformed(path, "a text", value)
    text = value.strip()
    if len(text) > LONGEST_CODE or not held(text):
        raise malformed(path, f"at most {LONGEST_CODE} characters that a database can hold", value)
    return text or None


def flag(value: object, path: str) -> bool | None:
    """true, false, 0, 1, also as text; absent is None."""
    if value is None:
        return None
    if isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower(), value)
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise malformed(path, "true, false, 0 or 1", value)


def count(value: object, path: str) -> int:
    """A whole number of things, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise malformed(path, f"a whole number from 0 to {LARGEST_COUNT}", value)
    return value


def opt_count(value: object, path: str) -> int | None:
    """As `count`; absent is None."""
    return None if value is None else count(value, path)


def instant(value: object, path: str) -> int:
    """ISO 8601 to UTC epoch milliseconds; a time without offset is taken as UTC."""
    if not isinstance(value, str):
        raise malformed(path, "an ISO 8601 time", value)
    try:
        read = datetime.fromisoformat(value)
        at_ms = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise malformed(path, "an ISO 8601 time", value) from None
    if not 0 <= at_ms <= LATEST_MS:
        raise malformed(path, "a time since 1970", at_ms)
    return at_ms


def opt_instant(value: object, path: str) -> int | None:
    """As `instant`; absent or empty is None."""
    return None if value is None or value == "" else instant(value, path)


def exact_money(value: object, code: object, path: str) -> Money:
    """A non-negative amount in major units, with no more decimals than its currency has."""
    known = currency(code, path)
    if not isinstance(value, str | int | Decimal):
        raise malformed(path, f"a decimal amount in {known}", value)
    try:
        amount = money.parse(value, known)
    except (money.MoneyError, ArithmeticError):
        raise malformed(path, f"an amount in {known} below {money.LARGEST_MINOR} minor units", _shown(value)) from None
    if amount.minor < 0:
        raise malformed(path, "an amount of 0 or more", _shown(value))
    return amount


def rounded_money(value: object, code: object, path: str) -> Money:
    """As `exact_money`, for amounts a system derives by division: half up to the currency's decimals."""
    known = currency(code, path)
    try:
        exact = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
        unit = Decimal(1).scaleb(-money.exponent(known))
        value = exact.quantize(unit, rounding=ROUND_HALF_UP) if exact is not None else value
    except ArithmeticError:
        raise malformed(path, f"a decimal amount in {known}", _shown(value)) from None
    return exact_money(value, known, path)


def rounded_off(value: object, code: object, path: str) -> int:
    """What `rounded_money` takes off an amount (below zero: adds to it), in millionths of a minor unit."""
    minor = rounded_money(value, code, path).minor
    exact = Decimal(str(value)).scaleb(money.exponent(currency(code, path)))
    return int(((exact - minor) * 1_000_000).to_integral_value())


def currency(code: object, path: str) -> str:
    """An ISO-4217 code."""
    try:
        money.exponent(code if isinstance(code, str) else "")
    except money.MoneyError:
        raise malformed(path, "an ISO-4217 currency", code) from None
    return str(code)


def _shown(value: object) -> object:
    """An amount written as text may be shown when it really is a number."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except ArithmeticError:
        return value
