"""What is wrong, as far as the facts show: an exception exists exactly as long as its cause is among these."""

from collections.abc import Iterable

import msgspec

from schemas import ids
from schemas.sku import same_sku
from streams.domain import explain
from streams.domain.explain import money
from streams.domain.learnt import Learnt
from streams.domain.proposal import Proposal
from streams.domain.seat import Seat, same_variant
from streams.domain.walk import Guard


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person must look at. Equal type, RMA and subject are the same cause."""

    type: str
    rma_id: str
    subject: str
    detail: str
    line_id: str | None = None
    unit_ids: tuple[str, ...] = ()
    sku: str | None = None
    location: str | None = None
    expected: str | None = None
    actual: str | None = None
    command_id: str | None = None

    def exception_id(self, learnt: Learnt) -> str:
        return ids.exception_id(
            merchant=learnt.merchant, kind=self.type, order_id=learnt.order_id, rma_id=self.rma_id,
            subject=self.subject,
        )  # fmt: skip


def merged(causes: Iterable[Cause], learnt: Learnt) -> dict[str, Cause]:
    """By exception id; the units of one cause are gathered."""
    found: dict[str, Cause] = {}
    units: dict[str, set[str]] = {}
    for cause in causes:
        exception_id = cause.exception_id(learnt)
        if exception_id in found:
            units.setdefault(exception_id, set(found[exception_id].unit_ids)).update(cause.unit_ids)
        else:
            found[exception_id] = cause
    for exception_id, gathered in units.items():
        found[exception_id] = msgspec.structs.replace(found[exception_id], unit_ids=tuple(sorted(gathered)))
    return found


def of_guard(guard: Guard[Seat], seat: Seat) -> Cause:
    """A guard of one unit that a person must help with."""
    said, found = seat.unit.said, seat.found
    match guard.raises:
        case "unknown_line":
            return _unknown_line(seat)
        case "over_quantity":
            if said.quantity < 1:
                detail = f"expected at least one unit to be returned, got {said.quantity}"
                return _both(about(seat, "over_quantity", detail), "at least 1", str(said.quantity))
            return _too_many(guard, seat)
        case "ambiguous_sku":
            return msgspec.structs.replace(about(seat, "ambiguous_sku", seat.unclear), subject=seat.sku, line_id=None)
        case "item_missing":
            detail = f"{said.sku}: {'' if found is None else found.disposition.replace('_', ' ')}"
            return about(seat, "item_missing", detail)
        case "unmapped_location" | "inactive_location" | "unmapped_reason" | "out_of_stock_component":
            return _of_place(guard, seat)
        case "unknown_resolution":
            return about(seat, "unknown_resolution", "the return asks for a resolution that we do not know")
        case "outside_policy_window":
            return about(seat, "outside_policy_window", "the return was asked for after the policy window")
        case _:
            if seat.dispute:
                return about(seat, guard.raises, f"inspections disagree: {seat.dispute}")
            return _not_as_sold(guard, seat)


def _unknown_line(seat: Seat) -> Cause:
    said = seat.unit.said
    detail = f"line {said.line_id} with SKU {said.sku or '(none)'} is not on the order"
    if said.line_id is None and seat.order is not None:
        same = sum(same_sku(line.sku, said.sku) for line in seat.order.lines)
        where = f"on {same} lines of the order" if same else "not on the order"
        detail = f"SKU {said.sku or '(none)'} is {where}, and the return names no line"
    lines = "" if seat.order is None else ", ".join(line.line_id for line in seat.order.lines)
    return _both(about(seat, "unknown_line", detail), f"one of {lines}", said.line_id or said.sku)


def _not_as_sold(guard: Guard[Seat], seat: Seat) -> Cause:
    said, line = seat.unit.said, seat.line
    if same_variant(seat) is False:
        cause = about(seat, guard.raises, "the variants of return and order differ")
        return _both(cause, (None if line is None else line.variant_id) or "", said.variant_id or "")
    return _both(about(seat, guard.raises, "the SKUs of return and order differ"), line.sku if line else "", said.sku)


def _too_many(guard: Guard[Seat], seat: Seat) -> Cause:
    """More units of a line are returned than there are."""
    line = seat.line
    bought, removed, sent = (0, 0, None) if line is None else (line.quantity, line.removed, line.sent)
    kept = f" less {removed} that were taken off the order" if removed else ""
    if guard.name != "left_the_shop":
        detail = f"more units of the line are returned than the {bought} bought{kept}"
        return _both(about(seat, "over_quantity", detail), str(bought - removed), str(seat.returned))
    detail = (
        f"units of the line are returned that never left the shop: {bought} bought{kept}, {sent or 0} sent. "
        "If the goods are here, fulfil them in the shop; else take them out of the return"
    )
    return _both(about(seat, "over_quantity", detail), f"{sent or 0} sent", str(seat.returned))


def _both(cause: Cause, expected: str, actual: str) -> Cause:
    return msgspec.structs.replace(cause, expected=expected, actual=actual)


def _of_place(guard: Guard[Seat], seat: Seat) -> Cause:
    """Something that keeps goods from lying anywhere."""
    found, subject, reason = seat.found, seat.subject, seat.unit.said.reason
    if guard.raises == "out_of_stock_component":
        cause = about(seat, guard.raises, f"bundle {seat.bundle_sku}: {seat.incomplete}")
        return msgspec.structs.replace(cause, subject=f"bundle|{seat.bundle_sku}")
    if guard.raises == "unmapped_reason":
        cause = about(seat, guard.raises, f"no rule says where goods go that come back for {reason or 'no reason'!r}")
        return msgspec.structs.replace(cause, subject=f"{subject}|{reason}", actual=reason)
    code, disposition = ("", "") if found is None else (found.location, str(found.disposition))
    state = {
        "location_mapped": "is not mapped",
        "location_active": "is mapped to an inactive place",
        "kept_apart": f"is for sale in {seat.model.stock}, a place in quarantine is not mapped",
    }[guard.name]
    place = f"{seat.source} location {code or '(none named)'}"
    detail = f"{place} for {disposition} goods {state}"
    if guard.name == "location_mapped" and seat.reason is not None and seat.reason.location_id is not None:
        wanted = f"place {seat.reason.location_id}, where goods go that come back for {reason or 'no reason'!r}"
        detail = f"{wanted}, is not mapped for {seat.model.stock}"
    cause = about(seat, guard.raises, detail)
    return msgspec.structs.replace(cause, location=code, subject=f"{subject}|{seat.source}|{code}|{disposition}")


def of_payment(guard: Guard[Proposal], proposal: Proposal) -> Cause:
    """A guard of a whole payment that a person must help with."""
    currency = proposal.order.currency
    cause = Cause(
        type=guard.raises, rma_id=proposal.seats[0].rma.rma_id, subject=proposal.command_id,
        command_id=proposal.command_id, detail="", unit_ids=proposal.unit_ids,
    )  # fmt: skip
    ours = money(proposal.amount, currency)
    match guard.name:
        case "one_currency":
            other = ", ".join(sorted(proposal.currencies))
            changes = {"detail": "the return is not in the order's currency", "expected": currency, "actual": other}
        case "money_counted":
            text = f"how much of the order is left to pay back is unknown: see {', '.join(proposal.foreign)}"
            changes = {"detail": text, "expected": currency}
        case "units_left":
            over = "; ".join(f"line {s.line_id}: {explain.count(s.quantity, 'unit')} too many" for s in proposal.beyond)
            changes = {"detail": f"more units than were bought would be paid back: {over}"}
        case "taxes_agree":
            changes = {"detail": f"the taxes differ: {explain.figures(proposal)}", **_taxes(proposal, currency)}
        case "amounts_agree":
            theirs = money(proposal.theirs or 0, currency)
            changes = {"detail": explain.figures(proposal), "expected": ours, "actual": theirs}
        case "nothing_below_zero":
            below = ", ".join(f"{name} {money(minor, currency)}" for name, minor in proposal.below_zero.items())
            text = f"no payment is made of less than nothing: {below} | {explain.figures(proposal)}"
            changes = {"detail": text, "expected": "0 or more", "actual": below}
        case "tender_mapped":
            changes = {"detail": f"no rule says when to repay {', '.join(proposal.unmapped)}"}
        case "captured":
            left = money(min(proposal.books.refundable - proposal.spoken, proposal.needs - proposal.short), currency)
            ours = money(proposal.needs, currency) if proposal.kind == "exchange" else ours
            text = f"{ours} is due, but only {left} of the captured money is not paid back yet"
            changes = {"detail": f"{text} | {explain.figures(proposal)}", "expected": ours, "actual": left}
        case "not_paid_by_hand":
            text = f"{ours} is due, but a refund that names no lines may have paid it: {', '.join(proposal.by_hand)}"
            changes = {"detail": text, "expected": ours}
        case _:
            changes = {"detail": f"{ours} of credit is due, but the order has no customer"}
    return msgspec.structs.replace(cause, **changes)


def _taxes(proposal: Proposal, currency: str) -> dict[str, str]:
    claimed = proposal.claimed_tax
    theirs = "none" if claimed is None else money(claimed, currency)
    return {"expected": money(proposal.goods_tax, currency), "actual": theirs}


def about(seat: Seat, kind: str, detail: str) -> Cause:
    """A cause about a unit's line."""
    return Cause(
        type=kind, rma_id=seat.rma.rma_id, subject=seat.subject, detail=detail, line_id=seat.unit.said.line_id,
        unit_ids=(seat.unit.unit_id,), sku=seat.sku or None,
    )  # fmt: skip
