"""Large cases of every shape, as their facts in order: what `growth` times, and tests that a decision ends in time."""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from ops.bench.shop import HOUR_MS, MERCHANT, NOW_MS, ORDER, event, order
from schemas.facts import (
    Disposition,
    ObservedEffect,
    OrderLine,
    OrderSnapshot,
    Payment,
    RecordedRefund,
    RefundedLine,
    RefundedTender,
    ReturnedUnit,
    ReturnEvent,
    ReturnTransaction,
)
from schemas.money import Money
from streams.domain.learn import Fact

PRICE = 1000
Shape = Callable[[int], Iterator[Fact]]


def _unit(i: int, line: str, sku: str) -> ReturnedUnit:
    return ReturnedUnit(unit_id=f"u{i:05}", line_id=line, sku=sku, resolution="refund", reason="Fit")


def one_line(n: int, refunds: tuple[RecordedRefund, ...] = ()) -> tuple[OrderSnapshot, tuple[ReturnedUnit, ...]]:
    """One line of as many units, and all of these."""
    line = OrderLine(line_id="L0", sku="SKU-0", quantity=n, unit_price_minor=PRICE, item_id="I0", variant_id="V0")
    return order((line,), PRICE * n, refunds), tuple(_unit(i, "L0", "SKU-0") for i in range(n))


def many_lines(n: int) -> tuple[OrderSnapshot, tuple[ReturnedUnit, ...]]:
    """As many lines of one unit, and all of these."""
    lines = tuple(
        OrderLine(
            line_id=f"L{i}", sku=f"SKU-{i}", quantity=1, unit_price_minor=PRICE, item_id=f"I{i}", variant_id=f"V{i}"
        )
        for i in range(n)
    )
    return order(lines, PRICE * n), tuple(_unit(i, f"L{i}", f"SKU-{i}") for i in range(n))


def looked_at(units: Sequence[ReturnedUnit], hours: int = 6, disposition: Disposition = "sellable") -> ReturnEvent:
    """Their inspection."""
    found = tuple(replace(u, disposition=disposition, location="dock") for u in units)
    return event("inspected", hours, *found)


def lines(n: int) -> Iterator[Fact]:
    """As many lines, each with one unit that comes back."""
    snapshot, units = many_lines(n)
    yield from (snapshot, event("requested", 1, *units), event("approved", 2, *units), looked_at(units))


def units(n: int) -> Iterator[Fact]:
    """One line of as many units that all come back."""
    snapshot, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those), looked_at(those))


def returns(n: int) -> Iterator[Fact]:
    """As many returns of one unit each."""
    snapshot, those = one_line(n)
    yield snapshot
    for i, unit in enumerate(those):
        yield replace(event("requested", 1, unit), rma_id=f"R{i}", fact_id=f"q{i}")
        yield replace(event("approved", 2, unit), rma_id=f"R{i}", fact_id=f"a{i}")
        yield replace(looked_at((unit,)), rma_id=f"R{i}", fact_id=f"i{i}")


def _counted(n: int, pieces: int) -> Iterator[Fact]:
    snapshot, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those))
    for i in range(pieces):
        piece = ReturnedUnit(unit_id="", line_id=None, sku="SKU-0", disposition="sellable", location="dock")
        yield replace(event("inspected", 6, piece), system="warehouse", fact_id=f"piece{i}")


def pieces(n: int) -> Iterator[Fact]:
    """As many pieces that a warehouse counts one by one."""
    yield from _counted(n, n)


def more_pieces(n: int) -> Iterator[Fact]:
    """Half as many units as pieces that are counted one by one."""
    yield from _counted(n // 2, n)


def pieces_of_two_items(n: int) -> Iterator[Fact]:
    """Pieces that are counted one by one by a SKU that two items carry: some lie in stock, the last of them tell."""
    lines = tuple(
        OrderLine(
            line_id=f"L{i}", sku="SKU-0", quantity=n // 2, unit_price_minor=PRICE, item_id=f"I{i}", variant_id=f"V{i}"
        )
        for i in range(2)
    )
    those = tuple(_unit(i, f"L{i % 2}", "SKU-0") for i in range(n // 2 * 2))
    yield from (order(lines, PRICE * n), event("requested", 1, *those), event("approved", 2, *those))
    for i in range(n):
        line_id = "L0" if i % 4 == 0 else None
        piece = ReturnedUnit(unit_id="", line_id=line_id, sku="SKU-0", disposition="sellable", location="dock")
        yield replace(event("inspected", 6, piece), system="warehouse", fact_id=f"piece{i}")


def recorded_refunds(n: int, lines_named: bool = True) -> tuple[RecordedRefund, ...]:
    """As many refunds of a unit's price by staff."""
    tender = [
        RefundedTender(transaction_id=f"t{i}", payment_id="P1", tender="card", amount_minor=PRICE, status="success")
        for i in range(n)
    ]
    moved = (RefundedLine(line_id="L0", quantity=1, restocked=True),) if lines_named else ()
    return tuple(
        RecordedRefund(
            refund_id=f"f{i}", created_at_ms=NOW_MS + 2 * HOUR_MS + i, total_minor=PRICE, lines=moved, tenders=(t,)
        )
        for i, t in enumerate(tender)
    )


def refunds_by_others(n: int) -> Iterator[Fact]:
    """As many refunds that staff made of the units of one line."""
    snapshot, those = one_line(n, refunds=recorded_refunds(n))
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those), looked_at(those))


def refunds_of_no_line(n: int) -> Iterator[Fact]:
    """As many refunds that staff made without naming a line, of half of what was paid."""
    snapshot, those = one_line(2 * n, refunds=recorded_refunds(n, lines_named=False))
    yield from (snapshot, event("requested", 1, *those[:n]), event("approved", 2, *those[:n]), looked_at(those[:n]))


def restocks_by_others(n: int) -> Iterator[Fact]:
    """As many restocks that staff made of the units of one line."""
    snapshot, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those))
    for i in range(n):
        yield ObservedEffect(
            fact_id=f"e{i}", merchant=MERCHANT, order_id=ORDER, system="shopify", kind="restock", external_id=f"e{i}",
            occurred_at_ms=NOW_MS + 3 * HOUR_MS + i, actor="staff", lines=(RefundedLine(line_id="L0", quantity=1),),
        )  # fmt: skip
    yield looked_at(those)


def transactions(n: int) -> Iterator[Fact]:
    """As many payment steps of ReturnGO, one for each unit."""
    snapshot, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those), looked_at(those))
    for i, unit in enumerate(those):
        step = ReturnTransaction(
            transaction_id=f"t{i}", kind="refund", status="success" if i % 2 else "requested",
            amount=Money(minor=PRICE, currency="EUR"), external_id=f"x{i}" if i % 2 else None, unit_ids=(unit.unit_id,),
        )  # fmt: skip
        yield replace(event("transaction", 7), transaction=step, fact_id=f"t{i}")


def bundles(n: int) -> Iterator[Fact]:
    """As many bundles of two components, sold as lines of their own."""
    parts = tuple(
        OrderLine(
            line_id=f"L{i}{c}", sku=f"C{c}-{i}", quantity=1, unit_price_minor=PRICE, item_id=f"I{i}{c}",
            variant_id=f"V{i}{c}", bundle_id=f"G{i}", bundle_sku=f"SET-{i}", bundle_quantity=1,
        )
        for i in range(n) for c in "ab"
    )  # fmt: skip
    those = tuple(ReturnedUnit(unit_id=f"u{i:05}", line_id=None, sku=f"SET-{i}", resolution="refund") for i in range(n))
    yield from (order(parts, 2 * PRICE * n), event("requested", 1, *those), event("approved", 2, *those))
    yield looked_at(those)


def same_bundle(n: int) -> Iterator[Fact]:
    """One bundle sold as many times, in groups of its own."""
    parts = tuple(
        OrderLine(
            line_id=f"L{i}{c}", sku=f"C{c}", quantity=1, unit_price_minor=PRICE, item_id=f"I{c}",
            variant_id=f"V{c}", bundle_id=f"G{i}", bundle_sku="SET", bundle_quantity=1,
        )
        for i in range(n) for c in "ab"
    )  # fmt: skip
    those = tuple(ReturnedUnit(unit_id=f"u{i:05}", line_id=None, sku="SET", resolution="refund") for i in range(n))
    yield from (order(parts, 2 * PRICE * n), event("requested", 1, *those), event("approved", 2, *those))
    yield looked_at(those)


def components(n: int) -> Iterator[Fact]:
    """Bundles of which a warehouse counts the components."""
    *before, _ = bundles(n // 2)
    yield from before
    for i in range(n):
        piece = ReturnedUnit(
            unit_id="", line_id=None, sku=f"C{'ab'[i % 2]}-{i // 2}", disposition="sellable", location="dock"
        )
        yield replace(event("inspected", 6, piece), system="warehouse", fact_id=f"piece{i}")


def graded_anew(n: int) -> Iterator[Fact]:
    """Units that two sources grade differently."""
    snapshot, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those), looked_at(those))
    yield replace(looked_at(those, 8, "damaged"), system="warehouse", fact_id="anew")


def payments(n: int) -> Iterator[Fact]:
    """An order that was paid with as many payments."""
    snapshot, those = one_line(n)
    paid = tuple(Payment(payment_id=f"P{i:05}", tender="card", status="success", amount_minor=PRICE) for i in range(n))
    yield from (replace(snapshot, payments=paid), event("requested", 1, *those), event("approved", 2, *those))
    yield looked_at(those)


def exchanges(n: int) -> Iterator[Fact]:
    """As many returns whose unit is exchanged."""
    snapshot, those = one_line(n)
    yield snapshot
    for i, unit in enumerate(those):
        swapped = replace(unit, resolution="exchange", exchange_sku="SKU-0", exchange_variant_id="V0")
        asked = replace(event("requested", 1, swapped), rma_id=f"R{i}", fact_id=f"q{i}")
        yield replace(asked, exchange_draft_order_id=f"D{i}")
        yield replace(event("approved", 2, swapped), rma_id=f"R{i}", fact_id=f"a{i}")
        yield replace(looked_at((swapped,)), rma_id=f"R{i}", fact_id=f"i{i}")


def over_quantity(n: int) -> Iterator[Fact]:
    """Twice as many units as were bought."""
    snapshot, _ = one_line(n // 2)
    _, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those), looked_at(those))


def no_order(n: int) -> Iterator[Fact]:
    """Units whose order is not known yet."""
    _, those = one_line(n)
    yield from (event("requested", 1, *those), event("approved", 2, *those), looked_at(those))


def unmapped(n: int) -> Iterator[Fact]:
    """Units at a place that no merchant file names: as many exceptions."""
    snapshot, those = one_line(n)
    yield from (snapshot, event("requested", 1, *those), event("approved", 2, *those))
    yield event("inspected", 6, *(replace(u, disposition="sellable", location="nowhere") for u in those))


SHAPES: dict[str, Shape] = {
    each.__name__: each
    for each in (
        lines, units, returns, pieces, more_pieces, pieces_of_two_items, refunds_by_others, refunds_of_no_line,
        restocks_by_others, transactions, bundles, same_bundle, components, graded_anew, payments, exchanges,
        over_quantity, no_order, unmapped,
    )
}  # fmt: skip
