"""The walk of a unit: every guard on its way into stock and of its money, in the order in which they are asked.

This is the one place that answers "when may this refund go out?": read MONEY from top to bottom, WHOLE_RETURN, then
TOGETHER. The first guard that is not met is what the unit waits for; a guard with an exception type raises it. What
differs between operating models is asked of `seat.model`, the model that governs the unit (the table of models is in
schemas/merchant_model.py).

Policy of a refund (WHOLE_RETURN): one refund per RMA and kind of payment. Its units are paid together once every unit
that is to come back has been inspected. One unit that never arrives must not hold the others for ever: when the first
inspected unit has waited for the merchant's inspection limit, the ready ones are paid, and late ones get a refund of
their own. Units that do not come back (keep, donate) are paid together on approval. So the refunds of an RMA are the
same in whatever order its facts come in, as long as no deadline falls in between.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from schemas.exceptions import Team
from schemas.merchant import Merchant
from streams.domain import bundles, places
from streams.domain.proposal import Group, Proposal
from streams.domain.seat import GONE, Seat, gone, goods_as_sold, names_item, ready_since_ms, sku_agrees, units_known

T = TypeVar("T")
# Behind these a restock on an archived order is dropped without a word (INV-6); conflicts.py raises the archive.
DROPS_ARCHIVED = ("patchworks",)


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What holds a unit up, in words for people. `raises`: the exception type that it becomes."""

    name: str
    owner: Team
    unblocked_by: str
    raises: str = ""


class Guard(Reason, Generic[T], frozen=True, kw_only=True):
    """One condition; the first that is not met is the reason. `holds_others`: units of the same refund wait for it."""

    met: Callable[[T, Merchant], bool]
    holds_others: bool = False


NOTHING = Reason(name="nothing", owner="cx", unblocked_by="the end of the return in ReturnGO")


def _inspected(seat: Seat, _: Merchant) -> bool:
    return seat.found is not None or not seat.unit.said.ships or seat.restocked == "elsewhere"


def _received(seat: Seat, _: Merchant) -> bool:
    here = seat.arrived is not None or not seat.unit.said.ships or seat.restocked == "elsewhere"
    return here or not seat.model.inspecting.needs_receipt


def _line_known(seat: Seat, _: Merchant) -> bool:
    return bool(seat.parts) or (seat.order is not None and not seat.order.complete)


def _goods_here(seat: Seat, _: Merchant) -> bool:
    return not gone(seat)


def _in_stock_again(seat: Seat) -> bool:
    if seat.restocked in ("applied", "elsewhere"):
        return True
    if seat.unit.said.ships and seat.model.restocking.actor != "returnflow":
        return False
    # goods that go into no stock, and goods whose stock nobody tracks, are as good as restocked for their money
    untracked = seat.answer is not None and seat.answer.reason in ("untracked_item", "no_item")
    return untracked or not wants_stock(seat)


def _asked_for(seat: Seat, _: Merchant) -> bool:
    if not seat.model.refunding.needs_transaction or seat.kind != "refund":
        return True
    steps = seat.rma.steps.values()
    return any(s.kind == "refund" and (not s.unit_ids or seat.unit.unit_id in s.unit_ids) for s in steps)


def _captured(proposal: Proposal, _: Merchant) -> bool:
    return proposal.needs + proposal.spoken <= proposal.books.refundable and not proposal.short


def _ours_to_pay(seat: Seat, _: Merchant) -> bool:
    # an exchange order that ReturnGO made is released by us, whoever pays refunds
    released = seat.kind == "exchange" and seat.model.exchanges.made == "order"
    return released or seat.model.refunding.actor == "returnflow"


def _exchange_made(seat: Seat) -> bool:
    if seat.model.exchanges.made == "order":
        return seat.rma.exchange_order is not None
    return seat.rma.draft_order is not None


def _agree(proposal: Proposal) -> bool:
    return abs(proposal.difference) <= proposal.model.refunding.tolerance_minor + proposal.leeway


def wants_stock(seat: Seat) -> bool:
    """Whether this unit's goods are to be put into stock by us at all, now or once they were inspected."""
    if not seat.unit.said.ships or seat.model.restocking.actor != "returnflow":
        return False
    if seat.line is not None and (seat.line.gift_card or not names_item(seat)):
        return False
    return seat.found is None or seat.found.disposition in GONE or seat.status is not None


def wants_money(seat: Seat) -> bool:
    """Whether anything is to be paid for this unit, as far as is known."""
    if seat.kind == "none":
        return False
    damaged = seat.found is not None and seat.found.disposition == "damaged"
    return seat.model.refunding.damaged_is_refunded or not damaged


# fmt: off
ORDER_KNOWN: Guard[Seat] = Guard(
    name="order_known", owner="cx", unblocked_by="the order as the shop has it",
    met=lambda s, _: s.order is not None,
)
LINE_KNOWN: Guard[Seat] = Guard(
    name="line_known", owner="data", unblocked_by="a return line that is on the order", raises="unknown_line",
    met=_line_known,
)
LINE_READ: Guard[Seat] = Guard(
    name="line_read", owner="integration", unblocked_by="the rest of the order's lines",
    met=lambda s, _: bool(s.parts),
)
BOUGHT: Guard[Seat] = Guard(
    name="bought", owner="cx", unblocked_by="no more units returned than were bought", raises="over_quantity",
    met=lambda s, _: s.bought,
)
LEFT: Guard[Seat] = Guard(
    name="left_the_shop", owner="cx", unblocked_by="its fulfilment in the shop, or its end in ReturnGO",
    raises="over_quantity", met=lambda s, _: s.left,
)
RECEIVED: Guard[Seat] = Guard(
    name="received", owner="warehouse", unblocked_by="its receipt", met=_received, holds_others=True,
)
INSPECTED: Guard[Seat] = Guard(
    name="inspected", owner="warehouse", unblocked_by="an inspection", met=_inspected, holds_others=True,
)
ITEM_TOLD: Guard[Seat] = Guard(
    name="item_told", owner="warehouse", unblocked_by="a count that names its line, or that covers all of its SKU",
    raises="ambiguous_sku", met=lambda s, _: not s.unclear or s.restocked == "elsewhere", holds_others=True,
)
GOODS_HERE: Guard[Seat] = Guard(
    name="goods_here", owner="cx", unblocked_by="the item, or the end of the return", raises="item_missing",
    met=_goods_here,
)
UNDISPUTED: Guard[Seat] = Guard(
    name="undisputed", owner="warehouse", unblocked_by="inspections that agree", raises="contradicting_fact",
    met=lambda s, _: not s.dispute,
)
SKU_AGREES: Guard[Seat] = Guard(
    name="sku_agrees", owner="data", unblocked_by="the same SKU on the return and on the order line",
    raises="contradicting_fact", met=lambda s, _: sku_agrees(s),
)

# Into stock: only units that come back, and only while wants_stock().
STOCK: tuple[Guard[Seat], ...] = (
    ORDER_KNOWN, LINE_KNOWN, LINE_READ, SKU_AGREES, BOUGHT, LEFT, RECEIVED, ITEM_TOLD, INSPECTED, GOODS_HERE,
    UNDISPUTED,
    Guard(name="order_open", owner="cx", unblocked_by="the order, out of the archive",
          met=lambda s, _: s.order is None or not s.order.archived or s.model.stock not in DROPS_ARCHIVED),
    Guard(name="reason_mapped", owner="cx", unblocked_by="a rule for the return reason", raises="unmapped_reason",
          met=lambda s, r: not r.reasons or s.reason is not None),
    Guard(name="location_mapped", owner="store_operations", unblocked_by="a mapped location",
          raises="unmapped_location", met=lambda s, _: s.place is not None),
    Guard(name="location_active", owner="store_operations", unblocked_by="an active location",
          raises="inactive_location", met=lambda s, _: s.place is not None and s.place.active),
    Guard(name="kept_apart", owner="store_operations", unblocked_by="a place in quarantine for goods not for sale",
          raises="unmapped_location", met=lambda s, _: places.fits(s)),
    Guard(name="bundle_whole", owner="warehouse", unblocked_by="all parts of its bundle, in one state and place",
          raises="out_of_stock_component", met=lambda s, _: not s.incomplete),
    Guard(name="bundle_here", owner="warehouse", unblocked_by="the inspection of the other parts of its bundle",
          met=lambda s, _: bundles.all_here(s)),
)

# Its money: only while wants_money().
MONEY: tuple[Guard[Seat], ...] = (
    ORDER_KNOWN, LINE_KNOWN, LINE_READ, msgspec.structs.replace(SKU_AGREES, met=lambda s, _: goods_as_sold(s)), BOUGHT,
    LEFT,
    Guard(name="resolution_known", owner="integration", unblocked_by="a resolution that we know",
          raises="unknown_resolution", met=lambda s, _: s.kind != "unknown"),
    Guard(name="units_known", owner="integration", unblocked_by="the list of all units of the return",
          met=lambda s, _: units_known(s.rma)),
    Guard(name="approved", owner="cx", unblocked_by="the approval of the return", holds_others=True,
          met=lambda s, _: "approved" in s.rma.marks),
    Guard(name="within_policy", owner="cx", unblocked_by="a decision to allow or refuse it",
          raises="outside_policy_window", met=lambda s, _: s.in_policy),
    RECEIVED, ITEM_TOLD, INSPECTED, GOODS_HERE, UNDISPUTED,
    Guard(name="restocked", owner="integration", unblocked_by="the restock", holds_others=True,
          met=lambda s, _: s.model.refunding.after == "inspected" or _in_stock_again(s)),
    Guard(name="asked_for", owner="cx", unblocked_by="ReturnGO's request for the refund", met=_asked_for,
          holds_others=True),
    Guard(name="ours_to_pay", owner="finance", unblocked_by="the refund by whoever pays for this merchant",
          met=_ours_to_pay),
    Guard(name="exchange_made", owner="cx", unblocked_by="the exchange order in ReturnGO", holds_others=True,
          met=lambda s, _: s.kind != "exchange" or _exchange_made(s)),
)

# After both tracks were decided.
SETTLED: tuple[Guard[Seat], ...] = (
    Guard(name="restock_applied", owner="integration", unblocked_by="the result of the restock",
          met=lambda s, _: s.restocked != "open"),
    Guard(name="money_applied", owner="finance", unblocked_by="the result of the payment",
          met=lambda s, _: s.money != "open"),
    Guard(name="restock_accepted", owner="integration", unblocked_by="a restock that the system accepts",
          met=lambda s, _: s.restocked != "refused"),
    Guard(name="money_accepted", owner="finance", unblocked_by="a payment that the system accepts, or one by hand",
          met=lambda s, _: s.money != "refused"),
    Guard(name="booked", owner="finance", unblocked_by="the result of the booking",
          met=lambda s, _: s.booked in (None, "applied", "refused")),
    Guard(name="booking_accepted", owner="finance", unblocked_by="a booking that the system accepts, or one by hand",
          met=lambda s, _: s.booked != "refused"),
)

# Units that are ready, while others of the same payment are not: what they come to is of no use before.
WHOLE_RETURN: Guard[Group] = Guard(
    name="whole_return", owner="warehouse", unblocked_by="the inspection of the other units, or its time limit",
    met=lambda g, r: not g.others_pending or g.clock_ms >= limit_ms(g, r),
)

# Their payment as a whole.
TOGETHER: tuple[Guard[Proposal], ...] = (
    Guard(name="exchange_released", owner="cx", unblocked_by="the release of the exchange order",
          met=lambda p, _: p.released),
    Guard(name="earlier_settled", owner="integration", unblocked_by="the result of the refund before it",
          met=lambda p, _: not p.books.unsettled),
    Guard(name="order_currency", owner="finance", unblocked_by="an order in one currency that we know",
          met=lambda p, _: p.sound),
    Guard(name="one_currency", owner="finance", unblocked_by="amounts in the order's currency",
          raises="currency_mismatch", met=lambda p, _: p.currencies <= {p.order.currency}),
    Guard(name="money_counted", owner="finance", unblocked_by="refunds in the order's currency",
          raises="currency_mismatch", met=lambda p, _: not p.foreign),
    Guard(name="units_left", owner="finance", unblocked_by="no more units paid back than were bought",
          raises="amount_mismatch", met=lambda p, _: not p.beyond),
    Guard(name="taxes_agree", owner="finance", unblocked_by="the same tax on the return and on the order",
          raises="tax_mismatch", met=lambda p, _: _agree(p) or not p.by_tax),
    Guard(name="amounts_agree", owner="finance", unblocked_by="figures that agree, or a refund by hand",
          raises="amount_mismatch", met=lambda p, _: _agree(p)),
    Guard(name="nothing_below_zero", owner="finance", unblocked_by="prices and fees of nothing or more",
          raises="amount_mismatch", met=lambda p, _: not p.below_zero),
    Guard(name="tender_mapped", owner="finance", unblocked_by="a rule for the tender", raises="unmapped_tender",
          met=lambda p, _: not (p.pays_back and p.short and p.unmapped)),
    Guard(name="captured", owner="finance", unblocked_by="captured money that is not repaid yet",
          raises="amount_mismatch", met=_captured),
    Guard(name="not_paid_by_hand", owner="finance", unblocked_by="the rest by hand, with its lines",
          raises="amount_mismatch", met=lambda p, _: not p.by_hand),
    Guard(name="customer_known", owner="finance", unblocked_by="a customer on the order", raises="credit_not_issued",
          met=lambda p, _: p.kind != "credit" or bool(p.order.customer_id)),
)
# fmt: on


def limit_ms(group: Group, rules: Merchant) -> int:
    """When the ready units are paid without the others."""
    return rules.due_ms(min([ready_since_ms(seat) for seat in group.ready]), "inspection")


def first_unmet(guards: tuple[Guard[T], ...], asked: T, rules: Merchant) -> Guard[T] | None:
    """What it waits for; None: nothing more."""
    for guard in guards:
        if not guard.met(asked, rules):
            return guard
    return None
