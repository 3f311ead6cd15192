"""Large cases in which two things grow together: each return has its own line, refund or payment."""

from collections.abc import Iterator

from msgspec.structs import replace

from ops.bench.shapes import PRICE, Shape, looked_at, many_lines, one_line, recorded_refunds
from ops.bench.shop import HOUR_MS, MERCHANT, NOW_MS, ORDER, event
from schemas.facts import ObservedEffect, RefundedLine, ReturnedUnit
from schemas.money import Money
from streams.domain.learn import Fact


def _alone(unit: ReturnedUnit, i: int) -> Iterator[Fact]:
    """A return of one unit, from its request to its inspection."""
    yield replace(event("requested", 1, unit), rma_id=f"R{i}", fact_id=f"q{i}")
    yield replace(event("approved", 2, unit), rma_id=f"R{i}", fact_id=f"a{i}")
    yield replace(looked_at((unit,)), rma_id=f"R{i}", fact_id=f"i{i}")


def returns_of_lines(n: int) -> Iterator[Fact]:
    """As many returns, each of a line of its own."""
    snapshot, those = many_lines(n)
    yield snapshot
    for i, unit in enumerate(those):
        yield from _alone(unit, i)


def order_last(n: int) -> Iterator[Fact]:
    """An order with as many refunds by staff, which is read when its return is inspected already."""
    snapshot, those = one_line(n, recorded_refunds(n))
    yield from (event("requested", 1, *those), event("approved", 2, *those), looked_at(those), snapshot)


def at_the_till(n: int) -> Iterator[Fact]:
    """As many returns whose goods were each taken back and paid for in a store."""
    snapshot, those = one_line(n)
    yield snapshot
    for i in range(n):
        yield ObservedEffect(
            fact_id=f"e{i}", merchant=MERCHANT, order_id=ORDER, system="lightspeed-x", kind="store_return",
            external_id=f"e{i}", occurred_at_ms=NOW_MS + 3 * HOUR_MS + i, actor="till", currency="EUR",
            total_minor=PRICE, lines=(RefundedLine(line_id="L0", quantity=1, restocked=True),), rma_id=f"R{i}",
        )  # fmt: skip
    for i, unit in enumerate(those):
        yield from _alone(unit, i)


def cheaper(n: int) -> Iterator[Fact]:
    """As many returns whose unit is exchanged for cheaper goods: the difference of each is paid back."""
    snapshot, those = one_line(n)
    yield snapshot
    for i, unit in enumerate(those):
        swapped = replace(
            unit, resolution="exchange", exchange_sku="SKU-0", exchange_variant_id="V0",
            exchange_price=Money(minor=PRICE - 100, currency="EUR"),
        )  # fmt: skip
        asked, *later = _alone(swapped, i)
        yield replace(asked, exchange_draft_order_id=f"D{i}")
        yield from later


CROSSED: dict[str, Shape] = {each.__name__: each for each in (returns_of_lines, order_last, at_the_till, cheaper)}
