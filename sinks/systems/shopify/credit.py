"""Give the original customer credit for what came back, once: store credit through the order's refund, or a gift card.

Store credit goes through `refundCreate`: it takes a key, carries our mark and lowers what the order can still give; a
bare credit does none of that. A gift card takes no key; its code comes from the command, so a second one is refused.
"""

import hashlib
import hmac
from datetime import UTC, datetime

import msgspec

from schemas.commands import StoreCredit
from schemas.facts import SOMEBODY
from schemas.money import Money, to_decimal
from sinks.contract import Attempt, Flow, ReadFlow
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import calls, marks, refund, refusals
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid, number
from sinks.systems.shopify.pages import MOST_PAGES
from sinks.systems.shopify.shapes import Amount, Paged, Payload, Ref, Shape

CODE_LENGTH = 16  # Shopify takes 8 to 20 letters and digits; 16 of 36 are 82 bits
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class GiftCard(Shape, frozen=True):
    id: str
    last_characters: str
    initial_value: Amount
    note: str | None = None


class CardOrder(Shape, frozen=True):
    id: str
    currency_code: str
    customer: Ref | None = None


class CardLimit(Shape, frozen=True):
    issue_limit: Amount


class CardLook(Shape, frozen=True):
    gift_cards: Paged[GiftCard]
    order: CardOrder | None
    gift_card_configuration: CardLimit | None = None


class CardCreated(Payload, frozen=True):
    gift_card: GiftCard | None = None


def credit(command: StoreCredit, c: Connection, attempt: Attempt) -> Flow:
    """Issues exactly `amount_minor` in the form that the command names."""
    match command.form:
        case "store_credit":
            return (yield from _store_credit(command, c, attempt))
        case "gift_card":
            return (yield from _gift_card(command, c))


def _store_credit(command: StoreCredit, c: Connection, attempt: Attempt) -> Flow:
    nothing = Money(minor=0, currency=command.currency)
    order = yield from refund.look(c, command.order_id, command.lines, nothing)
    made = refund.marked(order, command.command_id)
    if made is not None:
        return refund.already(made, (yield from refund.status(c, made)))
    _check_store_credit(order, command)
    credited: calls.Variables = {"amount": {"amount": _decimal(command), "currencyCode": command.currency}}
    if command.expires_at_ms is not None:
        credited["expiresAt"] = _moment(command.expires_at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = {
        "orderId": gid("Order", command.order_id),
        "currency": command.currency,
        "note": marks.note(command.rma_id, command.command_id),
        "notify": False,
        "refundLineItems": refund.line_inputs(command.lines),
        "refundMethods": [{"storeCreditRefund": credited}],
        "transactions": [],
    }
    return refund.settled((yield from refund.create(c, fields, attempt.idempotency_key)))


def _check_store_credit(order: refund.LookedOrder, command: StoreCredit) -> None:
    _same_customer(order.customer, command)
    if command.currency != order.presentment_currency_code:
        detail = f"the order was paid in {order.presentment_currency_code}, the credit is in {command.currency}"
        raise Ended(Rejected(code="currency_mismatch", detail=detail))
    most = order.suggested_refund.maximum_refundable_set.money if order.suggested_refund else None
    if most is None or command.amount_minor > most.minor:
        detail = f"the credit of {_money(command)} is more than the {most or 'nothing'} that the order can still give"
        raise Ended(Rejected(code="amount_mismatch", detail=detail, suggested=order.suggestion))


def _gift_card(command: StoreCredit, c: Connection) -> Flow:
    if command.customer_id == SOMEBODY:
        command = yield from _named(command, c)
    looked = yield from _look_for_card(command, c)
    found = _ours(looked, command.command_id)
    if found is not None:
        return found
    _check_card(looked, command, c)
    reply = yield from calls.effect(c, "gift_card_create", {"input": _card_input(command, c)}, CardCreated)
    if reply.gift_card is not None:
        card = reply.gift_card
        return Applied(external_ids=_card_ids(card), amount=card.initial_value.money, detail=_ending(card))
    if not reply.user_errors:
        return Uncertain(reason="gift_card_without_answer")
    refused = refusals.outcome("GiftCardCreate", reply.user_errors)
    if isinstance(refused, Uncertain):  # the code is taken: only an earlier attempt of this command can have taken it
        return _ours((yield from _look_for_card(command, c)), command.command_id) or refused
    return refused


def _named(command: StoreCredit, c: Connection) -> ReadFlow[StoreCredit]:
    """The command with the customer of its order, whom only the shop names; as it is while there is none."""
    wanted = {"order": gid("Order", command.order_id), "query": "customer_id:0", "after": None}
    order = (yield from calls.look(c, "gift_card_look", wanted, CardLook)).order
    if order is None or order.customer is None:
        return command
    return msgspec.structs.replace(command, customer_id=number(order.customer.id))


def _look_for_card(command: StoreCredit, c: Connection) -> ReadFlow[CardLook]:
    """Newest first, as far as ours or to the end: a card that is not seen would be issued a second time."""
    wanted = {"order": gid("Order", command.order_id), "query": f"customer_id:{command.customer_id}"}
    after: str | None = None
    for _ in range(MOST_PAGES):
        looked = yield from calls.look(c, "gift_card_look", {**wanted, "after": after}, CardLook)
        page = looked.gift_cards.page_info
        if not page.has_next_page or _ours(looked, command.command_id) is not None:
            return looked
        after = page.end_cursor
    raise Ended(Deferred(reason="gift_cards_cut_off"))


def _ours(looked: CardLook, command_id: str) -> AlreadyApplied | None:
    for card in looked.gift_cards.nodes:
        if marks.command_in(card.note) == command_id:
            detail = f"{_ending(card)} carries the mark of this command"
            return AlreadyApplied(external_ids=_card_ids(card), amount=card.initial_value.money, detail=detail)
    return None


def _check_card(looked: CardLook, command: StoreCredit, c: Connection) -> None:
    if looked.order is None:
        detail = f"order {command.order_id} is not in the shop; older than 60 days it needs the scope read_all_orders"
        raise Ended(Rejected(code="orphan_return", detail=detail))
    _same_customer(looked.order.customer, command)
    if c.api_version == "2026-04" and command.currency != looked.order.currency_code:
        detail = (
            f"gift cards are in the shop's currency {looked.order.currency_code}, the credit is in {command.currency}"
        )
        raise Ended(Rejected(code="currency_mismatch", detail=detail))
    limit = looked.gift_card_configuration.issue_limit.money if looked.gift_card_configuration else None
    if limit and limit.currency == command.currency and command.amount_minor > limit.minor:
        detail = f"the shop issues gift cards up to {limit}, asked for {_money(command)}"
        raise Ended(Rejected(code="credit_not_issued", detail=detail))


def _same_customer(customer: Ref | None, command: StoreCredit) -> None:
    """Whose the order is, the shop knows; a command of an earlier version names the customer itself."""
    if customer is None or command.customer_id not in (SOMEBODY, number(customer.id)):
        came = f"customer {number(customer.id)}" if customer else "no customer"
        detail = f"the credit is for customer {command.customer_id}, the order has {came}"
        raise Ended(Rejected(code="credit_not_issued", detail=detail))


def _card_input(command: StoreCredit, c: Connection) -> calls.Variables:
    fields: calls.Variables = {
        "code": gift_card_code(c.gift_card_secret.get_secret_value(), command.command_id),
        "customerId": gid("Customer", command.customer_id),
        "note": marks.note(command.rma_id, command.command_id),
    }
    if c.api_version == "2026-04":  # later versions take an amount with its currency
        fields["initialValue"] = _decimal(command)
    else:
        fields["initialAmount"] = {"amount": _decimal(command), "currencyCode": command.currency}
    if command.expires_at_ms is not None:
        fields["expiresOn"] = _moment(command.expires_at_ms).date().isoformat()
    return fields


def gift_card_code(secret: str, command_id: str) -> str:
    """The one code that this command can issue; without the secret it cannot be guessed from the id."""
    left = int.from_bytes(hmac.digest(secret.encode(), command_id.encode(), hashlib.sha256), "big")
    digits = []
    for _ in range(CODE_LENGTH):
        left, digit = divmod(left, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


def _card_ids(card: GiftCard) -> dict[str, str]:
    return {"gift_card_id": number(card.id)}


def _ending(card: GiftCard) -> str:
    """What staff know a card by; the rest of its code is money and is told nowhere."""
    return f"gift card {number(card.id)} ending in {card.last_characters}"


def _money(command: StoreCredit) -> Money:
    return Money(minor=command.amount_minor, currency=command.currency)


def _decimal(command: StoreCredit) -> str:
    return str(to_decimal(_money(command)))


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
