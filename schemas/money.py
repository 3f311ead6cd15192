"""Money as integer minor units of an ISO-4217 currency, and the only places where it is read, written and split."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow

import msgspec

# ISO 4217 minor-unit exponents that differ from 2.
_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
EXPONENTS = dict.fromkeys(_WITHOUT_DECIMALS.split(), 0) | dict.fromkeys(_WITH_THREE.split(), 3) | {"CLF": 4, "UYW": 4}
# Beyond this no order of any shop is real; it keeps absurd input out of 64-bit arithmetic.
LARGEST_MINOR = 10**15
# Digits are never rounded away unseen, and 1e999999999 is no amount.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])


class MoneyError(ValueError):
    """An amount that is not money: the message says what was expected and what came."""


class Money(msgspec.Struct, frozen=True, kw_only=True, order=False):
    """An amount in minor units (cents, yen, fils) of `currency`."""

    minor: int
    currency: str

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
    """Number of decimals of an ISO-4217 code; raises MoneyError unless the code is three upper-case letters."""
    if not (len(currency) == 3 and currency.isascii() and currency.isupper() and currency.isalpha()):
        raise MoneyError(f"expected an ISO-4217 code such as EUR, got {currency!r}")
    return EXPONENTS.get(currency, 2)


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
    digits = exponent(money.currency)
    return Decimal(money.minor).scaleb(-digits).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


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
