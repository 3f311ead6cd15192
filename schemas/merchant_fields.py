"""Kinds of values in a merchant file, each with what is allowed."""

import functools
import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from schemas import addresses
from schemas.money import MoneyError, exponent

Stage = Literal["order", "transit", "inspection", "restock", "refund", "booking", "exchange", "credit", "journal"]
DEFAULT_HOURS: dict[Stage, float] = {
    "order": 24, "transit": 336, "inspection": 48, "restock": 4, "refund": 4, "booking": 24, "exchange": 24,
    "credit": 4, "journal": 24,
}  # fmt: skip


def _currency(code: str) -> str:
    try:
        exponent(code)
    except MoneyError:
        raise ValueError("expected an ISO-4217 code such as EUR") from None
    return code


def like(pattern: str, expected: str) -> AfterValidator:
    """What the pattern means, in words."""

    def fits(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(fits)


def _address(url: str) -> str:
    expected = addresses.wrong(url)
    if expected is None:
        return url
    if "@" in url:  # the message must not repeat a password
        raise PydanticCustomError("secret", "expected {expected} (not shown)", {"expected": expected})
    raise ValueError(f"expected {expected}")


def _reference(value: object) -> str:
    """A secret that stands in the file itself must not be repeated in the message about it."""
    if isinstance(value, str) and re.fullmatch(r"env:[A-Z][A-Z0-9_]*|file:/.+", value):
        return value
    raise PydanticCustomError("secret", "expected a reference env:NAME or file:/path, got something else (not shown)")


def _all_stages(hours: dict[Stage, float]) -> dict[Stage, float]:
    """A file that names some time limits leaves the others as they are."""
    return {**DEFAULT_HOURS, **hours}


@functools.cache
def _zones() -> frozenset[str]:
    """Asked of the disk once: that takes longer than all else that a file is checked for."""
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("expected an IANA time zone such as Europe/Berlin")
    return name


Owner = Annotated[
    str,
    like(r"([a-z0-9][a-z0-9-]{0,47})?", "up to 48 of a to z, 0 to 9 and -, the first of them no -"),
]
Name = Annotated[
    str,
    like(r"[a-z0-9][a-z0-9-]{1,62}", "2 to 63 of a to z, 0 to 9 and -, the first of them no -"),
]
Url = Annotated[str, AfterValidator(_address)]
Currency = Annotated[str, AfterValidator(_currency)]
Zone = Annotated[str, AfterValidator(_zone)]
SecretRef = Annotated[str, BeforeValidator(_reference)]
# 400 days: no case is kept for longer.
Hours = Annotated[dict[Stage, Annotated[float, Field(ge=0, le=9600)]], AfterValidator(_all_stages)]
