"""Values as Shopify has them: money in two currencies, ids, and user errors."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, TypeAlias

ZERO = Decimal(0)
_NO_DECIMALS = frozenset({"CLP", "ISK", "JPY", "KRW", "UGX", "VND"})
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
_SYMBOLS = {"USD": "$", "CAD": "$", "AUD": "$", "NZD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "ZAR": "R"}
_GATEWAYS = {"shopify_payments": "Shopify Payments", "paypal": "PayPal", "gift_card": "Gift Card"}
_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(\?.*)?")

Payload: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    typename: ClassVar[str] = "MoneyV2"
    amount: Decimal
    currency_code: str


@dataclass(frozen=True, slots=True)
class MoneyBag:
    """The same amount in the shop's and in the customer's currency."""

    shop_money: Money
    presentment_money: Money


@dataclass(frozen=True, slots=True)
class Refusal:
    """A user error: what Shopify answers, with HTTP 200, instead of doing it."""

    field: list[str] | None
    message: str
    code: str | None = None
    element_index: int | None = None


def places(currency: str) -> int:
    """Decimals of a currency."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the smallest unit of the currency, halves up."""
    return amount.quantize(Decimal(1).scaleb(-places(currency)), rounding=ROUND_HALF_UP)


def bag(amount: Decimal, presentment: str, shop: str, rate: Decimal) -> MoneyBag:
    """An amount in the presentment currency, with its worth in the shop's: `rate` shop units per presentment unit."""
    return MoneyBag(Money(rounded(amount * rate, shop), shop), Money(rounded(amount, presentment), presentment))


def gateway_name(gateway: str) -> str:
    """How a payment method is shown to people."""
    return _GATEWAYS.get(gateway, gateway.replace("_", " ").title())


def amount_text(amount: Decimal) -> str:
    """As GraphQL answers write it: no padding, at least one decimal ("15.0", "8.34")."""
    text = format(amount.normalize(), "f")
    return text if "." in text else text + ".0"


def spoken(amount: Decimal, currency: str) -> str:
    """As error texts write it ("$25.00")."""
    number = f"{rounded(amount, currency):,}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency}"


def parse_gid(gid: str) -> tuple[str, int] | None:
    """Type and number of a GID, or None when it is not one."""
    found = _GID.fullmatch(gid)
    return (found[1], int(found[2])) if found else None
