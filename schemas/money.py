"""Money as integer minor units of an ISO-4217 currency, and the only places where it is read, written and split."""

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Annotated

import msgspec

# Codes that amounts may be in, by their decimals: of ISO 4217, and those withdrawn that old orders still bear. Metals,
# test codes and XXX are no money. MGA and MRU divide by five, which no decimal shows: the platforms that pay them
# treat them as whole (ISO lists two decimals), and who executes owns the last unit.
_WITHOUT_DECIMALS = "BIF BYR CLP DJF GNF ISK JPY KMF KRW MGA MRO MRU PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK
HTG HUF IDR ILS INR IRR JEP JMD KES KGS KHR KID KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MKD MMK MNT MOP
MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK
SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VEF VES WST
XCD XCG YER ZAR ZMW ZWG ZWL
"""
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_WITH_FOUR = "CLF UYW"
EXPONENTS = {
    code: decimals
    for decimals, codes in ((0, _WITHOUT_DECIMALS), (2, _WITH_TWO), (3, _WITH_THREE), (4, _WITH_FOUR))
    for code in codes.split()
}
# Beyond this no order of any shop is real; it keeps absurd input out of 64-bit arithmetic.
LARGEST_MINOR = 10**15
_RESTS = {
    first: "|".join(code[1:] for code in EXPONENTS if code[0] == first) for first in {code[0] for code in EXPONENTS}
}
_ANY = "|".join(f"{first}(?:{rest})" for first, rest in sorted(_RESTS.items()))
# What records may hold is checked when they are read from Kafka: these stand in the types of their fields.
Minor = Annotated[int, msgspec.Meta(ge=-LARGEST_MINOR, le=LARGEST_MINOR)]
Currency = Annotated[str, msgspec.Meta(pattern=rf"\A(?:{_ANY})\Z")]
# Digits are never rounded away unseen, and 1e999999999 is no amount.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])


class MoneyError(ValueError):
    """An amount that is not money: the message says what was expected and what came."""


class Money(msgspec.Struct, frozen=True, kw_only=True, order=False):
    """An amount in minor units (cents, yen, fils) of `currency`."""

    minor: Minor
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(minor=self.minor - other.minor, currency=self.currency)

    def __str__(self) -> str:
        return f"{to_decimal(self)} {self.currency}"

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MoneyError(f"expected an amount in {self.currency}, got {other}")


def exponent(currency: str) -> int:
    """Number of decimals of an ISO-4217 code, in upper case; raises MoneyError for anything else."""
    decimals = EXPONENTS.get(currency)
    if decimals is None:
        raise MoneyError(f"expected an ISO-4217 code such as EUR, got {currency!r}")
    return decimals


def parse(amount: str | int | Decimal, currency: str) -> Money:
    """Major units ("12.5", 12, Decimal) to Money. Digits beyond the currency's exponent must be zero."""
    digits = exponent(currency)
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise MoneyError(f"expected a decimal amount in {currency}, got {type(amount).__name__} {amount!r}")
    try:
        scaled = _EXACT.scaleb(Decimal(amount), digits)
        whole = scaled == scaled.to_integral_value()
    except ArithmeticError:
        raise MoneyError(f"expected a decimal amount in {currency}, got {amount!r}") from None
    if not whole:
        raise MoneyError(f"expected at most {digits} decimals in {currency}, got {amount!r}")
    if abs(scaled) > LARGEST_MINOR:
        raise MoneyError(f"expected an amount below {LARGEST_MINOR} minor units of {currency}, got {amount!r}")
    return Money(minor=int(scaled), currency=currency)


def to_decimal(money: Money) -> Decimal:
    """Major units with exactly the currency's decimals."""
    return Decimal(money.minor).scaleb(-exponent(money.currency), _EXACT)


def shifted(off_minor: int, limits: Sequence[int]) -> list[int] | None:
    """What each part is off when all together are off by `off_minor`: the earlier part takes what its limit allows.

    None when the limits do not allow it all. Limits are non-negative.
    """
    parts, left = [], abs(off_minor)
    for limit in limits:
        part = min(limit, left)
        parts.append(part if off_minor > 0 else -part)
        left -= part
    return None if left else parts


def split(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total_minor` in proportion to `weights` by largest remainder: they always add up to the total.

    Ties go to the earlier share. Weights are non-negative; if all are zero the shares are equal.
    """
    if not weights:
        raise MoneyError("expected at least one share to split an amount over, got none")
    if min(weights) < 0:
        raise MoneyError(f"expected non-negative weights, got {list(weights)}")
    parts = list(weights) if any(weights) else [1] * len(weights)
    whole = sum(parts)
    sign, size = (-1, -total_minor) if total_minor < 0 else (1, total_minor)
    shares = [size * part // whole for part in parts]
    remainders = [size * part % whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-remainders[i], i))
    for i in by_remainder[: size - sum(shares)]:
        shares[i] += 1
    return [sign * share for share in shares]
