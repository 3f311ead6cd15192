"""What is sent instead of returned units costs: of each unit, or of the return as a whole. Pure.

`effectivePrice` is the price of a piece by ReturnGO's own rules, on the same tax basis as `paidPrice`. A price of 0
tells nothing: goods cost something, and an even exchange may be written so. What is not told stays None, never 0.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from schemas.facts import ReturnedUnit
from schemas.money import LARGEST_MINOR, Money, MoneyError, split
from streams.sources.fields import Json, malformed, opt, opt_count, rounded_money, rows

_BY_PAID_PRICE = "PaidPrice"  # the one reference price that an RMA tells; a catalogue's is not in it


def priced(units: Iterable[ReturnedUnit], body: Json) -> tuple[ReturnedUnit, ...]:
    """The units of an RMA with what is sent instead of them.

    Units to exchange that name nothing of their own share what the RMA lists, by what was paid for them.
    """
    found: list[ReturnedUnit] = []
    sharing: list[ReturnedUnit] = []
    for i, (each, row) in enumerate(zip(units, rows(body.get("items"), "items"), strict=True)):
        wanted = _wanted(row, f"items[{i}].exchangeItems")
        if each.resolution != "exchange":
            found.append(each)
        elif wanted:
            found.append(replace(each, exchange_price=_cost(wanted, [each], f"items[{i}].exchangeItems")))
        else:
            found.append(each)
            sharing.append(each)
    shares = _shares(_cost(_wanted(body, "exchangeItems"), sharing, "exchangeItems"), sharing)
    return tuple(replace(each, exchange_price=shares.get(each.unit_id, each.exchange_price)) for each in found)


def _wanted(row: Json, path: str) -> list[Json]:
    listed = rows(row.get("exchangeItems"), path)
    return [each for each in listed if _pieces(each, path) != 0]


def _pieces(row: Json, path: str) -> int:
    pieces = opt_count(row.get("quantity"), f"{path}.quantity")
    return 1 if pieces is None else pieces


def _shares(cost: Money | None, units: Sequence[ReturnedUnit]) -> dict[str, Money]:
    if cost is None:
        return {}
    paid = [each.paid.minor for each in units if each.paid is not None]
    parts = split(cost.minor, paid if len(paid) == len(units) else [1] * len(units))
    return {
        each.unit_id: Money(minor=part, currency=cost.currency) for each, part in zip(units, parts, strict=True)
    }  # fmt: skip


def _cost(wanted: Sequence[Json], units: Sequence[ReturnedUnit], path: str) -> Money | None:
    """All that is wanted in place of these units, with tax."""
    price = _sum([_price(each, path) for each in wanted], path)
    if price is None or not units:
        return None
    paid = _sum([each.paid for each in units], path)
    if paid is not None and _is_free(wanted, price, paid, path):
        return _sum([_gross(each) for each in units], path)
    # what tax comes on top of other goods is not told
    return None if any(_gross(each) != each.paid for each in units) else price


def _price(row: Json, path: str) -> Money | None:
    amount = opt(row.get("effectivePrice"), f"{path}.effectivePrice")
    if amount.get("amount") is None:
        return None
    piece = rounded_money(amount.get("amount"), amount.get("currency"), f"{path}.effectivePrice.amount")
    minor = piece.minor * _pieces(row, path)
    if minor > LARGEST_MINOR:
        raise malformed(f"{path}.effectivePrice", f"a price below {LARGEST_MINOR} minor units", minor)
    return Money(minor=minor, currency=piece.currency) if minor else None


def _is_free(wanted: Sequence[Json], price: Money, paid: Money, path: str) -> bool:
    """Nothing is charged or paid back: it costs what was paid, or is within the free range of that, in percent."""
    if price.currency != paid.currency or price == paid:
        return price == paid
    if len(wanted) != 1 or wanted[0].get("itemPriceMethod") != _BY_PAID_PRICE:
        return False
    span = opt(wanted[0].get("freeExchangePriceRange"), f"{path}.freeExchangePriceRange")
    low, high = (_percent(span.get(end), f"{path}.freeExchangePriceRange.{end}") for end in ("min", "max"))
    return low is not None and high is not None and low * paid.minor <= 100 * price.minor <= high * paid.minor


def _percent(value: object, path: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise malformed(path, "a percentage", value)
    return Decimal(value)


def _gross(unit: ReturnedUnit) -> Money | None:
    """What was paid for the unit, with tax."""
    if unit.tax_included is not False or unit.paid is None:
        return unit.paid
    return None if unit.paid_tax is None else _sum([unit.paid, unit.paid_tax], "items.paidTax")


def _sum(amounts: Iterable[Money | None], path: str) -> Money | None:
    """None while one of them is not told."""
    total: Money | None = None
    for each in amounts:
        if each is None:
            return None
        try:
            total = each if total is None else total + each
        except MoneyError:
            raise malformed(path, "amounts in one currency", each.currency) from None
    return total
