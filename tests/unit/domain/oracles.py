"""What is wrong with a run, from its facts and rules alone: an exception of a type exists if and only if it is here.

`causes` gives those that must be open and those that may be. The two are the same wherever the facts tell plainly what
became of a unit. Where they do not (others named a line and no unit, pieces were counted, a late change is compensated)
they are apart, and so they always are for these:

* out_of_stock_component, unmapped_tender, tax_mismatch, currency_rounding: raised only with what can cause them;
* amount_mismatch, currency_mismatch and credit_not_issued of a payment as a whole: the same, and one of them is open
  when a whole return is ready and not paid; certain for a unit alone in its return and on its line;
* over_quantity and orphan_return of counted pieces: raised only where pieces were counted;
* archived_order: certain while a unit waits for something, possible while the order is archived.
"""

from schemas.commands import Annotate, Exchange, Journal, Refund, StoreCredit
from schemas.exceptions import TYPES, ExceptionRaised
from schemas.facts import OrderSnapshot
from schemas.stock import RestockIntent
from tests.unit.domain.oracle_money import of_money
from tests.unit.domain.oracle_others import of_others
from tests.unit.domain.oracle_released import of_released
from tests.unit.domain.oracle_walk import Causes, Wrong, surely, waits
from tests.unit.domain.told_run import Told
from tests.unit.domain.told_units import Unit

LATEST_MS = 253_402_300_799_000  # the end of the year 9999
EARLIEST = (-(2**63), 0)


def of(raised: ExceptionRaised) -> Wrong:
    """The exception in these words."""
    if raised.type in ("refund_outside_workflow", "restock_outside_workflow"):
        return Wrong(raised.type, "", raised.detail.rpartition(": ")[2])
    return Wrong(raised.type, raised.rma_id, raised.line_id or raised.sku or "")


def causes(told: Told) -> Causes:
    found = Causes()
    for unit in told.units:
        _of_walk(unit, found)
        _of_pieces(unit, found)
        _of_answers(unit, found)
        _of_looks(unit, found)
        _of_time(unit, found)
    _of_order(told, found)
    of_others(told, found)
    _of_marks(told, found)
    of_money(told, found)
    of_released(told, found)
    return found


def _of_walk(unit: Unit, found: Causes) -> None:
    """Whatever is the first to keep its goods or its money."""
    for track in waits(unit):
        for raises in track:
            if raises in TYPES:
                certain = surely(track) and unit.plain
                found.add(Wrong(raises, unit.rma_id, unit.about), True if certain else None)
    if not unit.plain and unit.looks:
        for kind in ("contradicting_fact", "out_of_stock_component"):
            found.add(Wrong(kind, unit.rma_id, unit.about), None)


def _of_pieces(unit: Unit, found: Causes) -> None:
    """Goods whose restock bears no unit's name: what becomes of it may concern any unit of the line."""
    line = (unit.rma_id, unit.about)
    for intent in unit.told.sent:
        if not isinstance(intent, RestockIntent) or unit.plain or unit.said.line_id not in (None, intent.line_id):
            continue
        words = {f.reason for f in unit.told.verdicts if f.intent_id == intent.intent_id and f.reason}
        result = unit.told.results.get(intent.intent_id)
        if result is not None and result.outcome == "rejected":
            words.add(result.code or "")
        for kind in ("stuck_restock", "stock_drift", *(w if w in TYPES else "rejected_by_system" for w in words)):
            found.add(Wrong(kind, *line), None)


def _of_answers(unit: Unit, found: Causes) -> None:
    """What a system refused, and what moved although the return was stopped."""
    if unit.intents and unit.plain:
        bad = next((r for r in unit.restocks if r is not None and r.outcome == "rejected"), None)
        word = unit.verdict.reason if unit.verdict is not None and unit.verdict.verdict == "impossible" else None
        if bad is not None or (word and None in unit.restocks):
            code = bad.code if bad is not None else word
            refused = unit.stock == "refused" if unit.stock is not None else None
            found.add(Wrong(code if code in TYPES else "rejected_by_system", unit.rma_id, unit.about), refused)
    paid = unit.payment
    if paid is not None and unit.told.track_of(paid) == "refused":
        fallback = {StoreCredit: "credit_not_issued", Exchange: "exchange_not_released"}.get(type(paid), "")
        code = unit.told.results[paid.command_id].code or ""
        own = code if code in TYPES and code != "rejected_by_system" else fallback or "rejected_by_system"
        found.add(Wrong(own, unit.rma_id), None if unit.money is None else unit.money == "refused")
    if unit.stopped:
        gone = unit.money in ("open", "applied")
        stocked = None if unit.stock is None else unit.stock in ("open", "applied")
        found.add(Wrong("status_conflict", unit.rma_id), gone or (None if unit.money is None else stocked))
        found.add(Wrong("status_conflict", unit.rma_id), unit.late)


def _of_looks(unit: Unit, found: Causes) -> None:
    """Goods that were graded anew after something was done, that came at an impossible time, or that never came."""
    if unit.stopped:
        return
    line = (unit.rma_id, unit.about)
    order = unit.told.order
    for at_ms in (unit.seen("received"), unit.looks[-1][0] if unit.looks else None):
        if order is not None and at_ms is not None and not order.created_at_ms <= at_ms <= LATEST_MS:
            found.add(Wrong("contradicting_fact", *line), True if unit.plain else None)
    unseen = unit.said.ships and (unit.grade is None or unit.gone)
    if unseen and unit.money in (None, "elsewhere"):
        found.add(Wrong("refund_before_goods", *line), True if unit.money and unit.stock and unit.plain else None)
    if not unit.intents or unit.grade is None:
        return
    moved = None if unit.money is None else unit.money in ("open", "applied")
    if unit.compensates:
        if unit.gone:
            found.add(Wrong("refund_before_goods", *line), moved)
        elif not unit.wants_money:
            found.add(Wrong("contradicting_fact", *line), moved)
        return
    done, place = unit.intents[-1], unit.place
    none = unit.gone or not unit.wants_stock
    same = not none and place is not None and (unit.status, place.location_id) == (done.stock_status, done.location_id)
    if not same and (unit.gone or place is not None):
        found.add(Wrong("contradicting_fact", *line), True if unit.plain else None)


def _of_time(unit: Unit, found: Causes) -> None:
    """What takes longer than the merchant allows."""
    told, line = unit.told, (unit.rma_id, unit.about)
    certain = True if unit.plain and unit.stock and unit.money else None
    last = unit.intents[-1] if unit.intents else None
    _of_bookkeeping(unit, found)
    if last is not None and unit.stock in (None, "open") and (not unit.stopped or unit.stock is None):
        sure = True if unit.stock and unit.wants_stock else None
        found.add(Wrong("stuck_restock", *line), told.late(last.decided_at_ms, "restock") and sure)
    if unit.stopped:
        return
    arrived, scanned = unit.seen("received"), unit.seen("in_transit")
    if unit.said.ships and unit.grade is None:
        if arrived is not None:
            found.add(Wrong("stuck_received", *line), told.late(arrived, "inspection") and certain)
        elif scanned is not None:
            found.add(Wrong("stuck_in_transit", *line), told.late(scanned, "transit") and certain)
    stock, money = waits(unit)
    if unit.looks and "received" in (*stock, *money):
        first = (stock or money) == ["received"]
        found.add(Wrong("status_conflict", *line), told.late(unit.looks[-1][0], "inspection") and (first or None))
    _of_payment(unit, found, certain)


def _of_bookkeeping(unit: Unit, found: Causes) -> None:
    """A restock that no stock journal shows, a refund that is not booked."""
    told, line = unit.told, (unit.rma_id, unit.about)
    if unit.intents and unit.model.restocking.journal_check and unit.plain:
        known = [r for r in unit.restocks if r is not None]
        shown = unit.verdict is not None and unit.verdict.verdict == "confirmed"
        if known and all(r.outcome != "rejected" for r in known) and not shown:
            alone = True if len(unit.restocks) == 1 else None  # components are shown one by one
            found.add(Wrong("stock_drift", *line), told.late(known[0].settled_at_ms, "journal") and alone)
    for journal in unit.journals:
        if journal.command_id not in told.results and told.late(journal.decided_at_ms, "booking"):
            found.add(Wrong("stuck_booking", *line), True)
            for other in told.units:  # a request that names no units is booked for all of them
                if other.rma_id == unit.rma_id:
                    found.add(Wrong("stuck_booking", other.rma_id, other.about), None)


def _of_payment(unit: Unit, found: Causes, certain: bool | None) -> None:
    told, line, paid = unit.told, (unit.rma_id, unit.about), unit.payment
    approved = told.times(unit.rma_id, "approved")
    ready = unit.looks[-1][0] if unit.looks else approved[0][0] if approved else unit.said_at[0]
    if paid is not None and unit.money in (None, "open"):
        sure = certain if unit.wants_money and (unit.wants_stock or not unit.intents) else None
        if isinstance(paid, StoreCredit):
            found.add(Wrong("credit_not_issued", *line), told.late(paid.decided_at_ms, "credit") and sure)
        elif isinstance(paid, Refund) or told.track_of(paid) == "applied":
            found.add(Wrong("stuck_refund", *line), told.late(paid.decided_at_ms, "refund") and sure)
        else:
            found.add(Wrong("exchange_not_released", *line), told.late(paid.decided_at_ms, "exchange") and sure)
        return
    stock, money = waits(unit)
    here = unit.grade is not None and not unit.gone if unit.plain else None
    if "unread" in stock and unit.looks and here is not False:
        sure = True if surely(stock) and certain and here else None
        found.add(Wrong("stuck_restock", *line), told.late(ready, "restock") and sure)
    sure = True if surely(money) and certain else None
    if {"unread", "unapproved"} & set(money) and unit.looks and here is not False:
        found.add(Wrong("stuck_refund", *line), told.late(ready, "refund") and sure and here)
    if "no exchange" in money:
        found.add(Wrong("exchange_not_released", *line), told.late(ready, "exchange") and sure)
    if "unpaid" in money:
        found.add(Wrong("stuck_refund", *line), told.late(ready, "refund") and sure)
    if "restocked" in money and unit.model.restocking.actor != "returnflow":
        found.add(Wrong("stuck_restock", *line), told.late(ready, "restock") and sure)


def _of_order(told: Told, found: Causes) -> None:
    """A return whose order nobody knows or that was ended too early, an archived order, an exchange that is a sale."""
    order = told.order
    for rma_id in {e.rma_id for e in told.events if e.rma_id}:
        marks = told.marks(rma_id)
        if order is None and not told.stopped(rma_id):
            found.add(Wrong("orphan_return", rma_id), told.late(min(marks.values())[0], "order") if marks else None)
        done, again = marks.get("resolved", EARLIEST), marks.get("reopened", EARLIEST)
        if "resolved" in marks and done >= again and told.late(done[0], "refund"):
            mine = [u for u in told.units if u.rma_id == rma_id and u.money in ("undecided", "refused")]
            unpaid = any(surely(track) for unit in mine for track in waits(unit))
            found.add(Wrong("status_conflict", rma_id), True if unpaid else None)
    if order is None:
        return
    if order.archived:
        unfinished = any(surely(track) for unit in told.units for track in waits(unit))
        found.add(Wrong("archived_order"), True if unfinished else None)
    ways = told.model.exchanges
    known = any(tag in order.tags for tag in ways.tags) or (bool(ways.prefix) and order.name.startswith(ways.prefix))
    unmarked = bool(ways.mark) and ways.mark not in order.tags and not order.cancelled and known and not value(order)
    found.add(Wrong("exchange_counted_as_sale"), unmarked and told.late(order.created_at_ms, "exchange"))


def value(order: OrderSnapshot) -> int:
    """What the order comes to."""
    lines = [
        each.unit_price_minor * each.quantity - each.discount_minor - each.order_discount_minor for each in order.lines
    ]
    return order.shipping_minor + sum(lines) if order.total_minor is None else order.total_minor


def _of_marks(told: Told, found: Causes) -> None:
    """Marks and bookings that were refused."""
    for record in told.sent:
        result = told.results.get(record.command_id) if isinstance(record, Annotate | Journal) else None
        if result is not None and result.outcome == "rejected":
            code = result.code or ""
            found.add(Wrong(code if code in TYPES else "rejected_by_system", record.rma_id), True)
