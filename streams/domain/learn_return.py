"""What a `ReturnEvent` adds: milestones, descriptions and inspections of units, payment steps, counted pieces."""

from msgspec.structs import replace

from schemas.facts import ReturnedUnit, ReturnEvent, ReturnTransaction
from streams.domain.learnt import Claim, Described, Inspection, Learnt, Noted, Rma, Roster, Stamp, Step, Unit, stamped

_FINALITY = {"requested": 0, "unknown": 0, "failed": 1, "success": 2}
# People wait from the first scan and arrival on, and an edited return is still as old as its first request.
_FIRST_COUNTS = ("requested", "approved", "in_transit", "received")


def event(learnt: Learnt, fact: ReturnEvent) -> Learnt:
    """Named units go to their RMA, counted ones become claims."""
    stamp = stamped(fact, fact.occurred_at_ms)
    if any(not each.unit_id or not fact.rma_id for each in fact.units):
        learnt = _claimed(learnt, fact, stamp)
    if not fact.rma_id:
        return learnt
    known = learnt.rmas.get(fact.rma_id)
    rma = _rma(known or Rma(fact.rma_id), fact, stamp)
    if rma is known:
        return learnt
    return replace(learnt, rmas=learnt.rmas | {fact.rma_id: rma})


def _claimed(learnt: Learnt, fact: ReturnEvent, stamp: Stamp) -> Learnt:
    if fact.kind not in ("inspected", "received"):
        return learnt
    counted = [_claim(fact, stamp, i, each) for i, each in enumerate(fact.units) if not each.unit_id or not fact.rma_id]
    known = {_piece(each): each for each in learnt.claims}
    # A message that came twice may carry two dates, but its pieces are there once: the earlier word stands.
    news = {
        _piece(each): each
        for each in counted
        if each.quantity > 0 and (_piece(each) not in known or _word(each) < _word(known[_piece(each)]))
    }
    return replace(learnt, claims=tuple(sorted((known | news).values()))) if news else learnt


def _piece(claim: Claim) -> tuple[str, int]:
    return claim.fact_id, claim.position


def _word(claim: Claim) -> tuple[Stamp, str, str, str, str, int, str, str, str]:
    return (
        claim.stamp, claim.source, claim.rma_id, claim.line_id, claim.sku, claim.quantity, claim.disposition or "",
        claim.location, claim.reason,
    )  # fmt: skip


def _claim(fact: ReturnEvent, stamp: Stamp, position: int, unit: ReturnedUnit) -> Claim:
    # a claim is compared as a whole, so its absent parts are "" and never None
    seen = unit.disposition if fact.kind == "inspected" else None
    return Claim(
        stamp, fact.fact_id, position, fact.system, fact.rma_id, unit.line_id or "", unit.sku, unit.quantity, seen,
        unit.location or "", unit.disposition_reason or "",
    )  # fmt: skip


def _rma(rma: Rma, fact: ReturnEvent, stamp: Stamp) -> Rma:
    units = rma.units
    if fact.units:
        units = dict(units)
        for each in fact.units:
            if each.unit_id:
                units[each.unit_id] = _unit(units.get(each.unit_id), each, fact, stamp)
    step = fact.transaction
    of_units = fact.kind in ("in_transit", "received", "inspected") and _listed(fact)
    marks = rma.marks if of_units else _marked(rma, fact, stamp)
    after = Rma(
        rma.rma_id, marks, units, rma.steps if step is None else _stepped(rma.steps, step, stamp),
        _newest(rma.draft_order, fact.exchange_draft_order_id, stamp),
        _newest(rma.exchange_order, fact.exchange_order_id, stamp), _newest(rma.tracking, fact.tracking_number, stamp),
        _newest(rma.carrier, fact.carrier, stamp),
        _roster(rma.roster, fact, stamp), _ended(rma.ended, fact, stamp),
    )  # fmt: skip
    return rma if after == rma else after


def _listed(fact: ReturnEvent) -> bool:
    """Whether it is about the units or pieces that it lists, and not about the whole return."""
    return any(each.unit_id for each in fact.units) or (fact.kind != "in_transit" and bool(fact.units))


def _marked(rma: Rma, fact: ReturnEvent, stamp: Stamp) -> dict[str, Stamp]:
    known = rma.marks.get(fact.kind)
    if known is not None and (known <= stamp if fact.kind in _FIRST_COUNTS else known >= stamp):
        return rma.marks
    return rma.marks | {fact.kind: stamp}


def _unit(unit: Unit | None, said: ReturnedUnit, fact: ReturnEvent, stamp: Stamp) -> Unit:
    described = _described(said, fact, stamp)
    unit = unit or Unit(said.unit_id, described)
    scanned, received, inspections = unit.scanned, unit.received, unit.inspections
    if fact.kind == "in_transit":
        scanned = stamp if scanned is None or stamp < scanned else scanned
    elif fact.kind == "received":
        received = stamp if received is None or stamp < received else received
    elif fact.kind == "inspected" and said.disposition is not None:
        found = Inspection(stamp, said.disposition, said.location or "", said.disposition_reason or "")
        known = inspections.get(fact.system)
        inspections = inspections if known is not None and known >= found else inspections | {fact.system: found}
    newest = described if _newer(described, unit.said) else unit.said
    return Unit(unit.unit_id, newest, scanned, received, inspections)


def _newer(one: Described, other: Described) -> bool:
    return (one.rank, one.stamp) > (other.rank, other.stamp)


def _described(unit: ReturnedUnit, fact: ReturnEvent, stamp: Stamp) -> Described:
    paid, tax, fees, wanted = unit.paid, unit.paid_tax, unit.fees, unit.exchange_price
    paid_minor = None if paid is None else paid.minor
    rest = unit.paid_rest
    if paid_minor is not None and tax is not None and unit.tax_included is False:
        paid_minor, rest = paid_minor + tax.minor, rest + unit.paid_tax_rest
    currencies = sorted({each.currency for each in (paid, tax, fees, wanted) if each is not None})
    return Described(
        1 if fact.system == "returngo" else 0, stamp, unit.line_id, unit.sku, unit.quantity, unit.variant_id,
        unit.reason or "", unit.resolution, unit.ships, paid_minor, 0 if fees is None else fees.minor,
        "+".join(currencies) or None, None if tax is None else tax.minor, None if wanted is None else wanted.minor,
        rest, unit.paid_tax_rest, unit.options,
    )  # fmt: skip


def _stepped(steps: dict[str, Step], said: ReturnTransaction, stamp: Stamp) -> dict[str, Step]:
    amount = said.amount
    step = Step(
        _FINALITY[said.status], stamp, said.transaction_id, said.kind, said.status,
        None if amount is None else amount.minor, None if amount is None else amount.currency, said.external_id,
        tuple(sorted(said.unit_ids)),
    )  # fmt: skip
    known = steps.get(said.transaction_id)
    if known is not None and _progress(known) >= _progress(step):
        return steps
    return steps | {said.transaction_id: step}


def _progress(step: Step) -> tuple[bool, int, int, int, int]:
    """Which of two states of a step holds: one that ended by how it ended, and that by its newest word, so that money
    that came back is not taken for paid. Words of one time that were read in no order go by what usually comes last."""
    return step.rank > 0, step.stamp.at_ms, max(step.stamp.tie, 0), step.rank, step.stamp.tie


def _roster(known: Roster | None, fact: ReturnEvent, stamp: Stamp) -> Roster | None:
    if fact.kind != "requested":
        return known
    new = Roster(stamp, tuple(sorted(each.unit_id for each in fact.units)))
    return new if known is None or new > known else known


def _ended(known: dict[str, Stamp], fact: ReturnEvent, stamp: Stamp) -> dict[str, Stamp]:
    if fact.kind not in ("cancelled", "expired") or (fact.kind in known and known[fact.kind] <= stamp):
        return known
    return known | {fact.kind: stamp}


def _newest(known: Noted | None, value: str | None, stamp: Stamp) -> Noted | None:
    if value is None:
        return known
    noted = Noted(stamp, value)
    return noted if known is None or noted > known else known
