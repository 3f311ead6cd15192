"""The conversations that are kept as golden files: a command, an attempt, and what the system answers."""

import msgspec

from schemas.commands import Command
from sinks.contract import Attempt
from sinks.systems.shopify import marks
from tests.unit.systems import givens
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import COMMAND_ID, FIRST, NOW_MS, again
from tests.unit.systems.peer import Answer
from tests.unit.systems.test_returngo import OK, TRANSACTION, rma, transactions

IN_PROGRESS = shop.restock_look(return_status="IN_PROGRESS")
LINE = shop.returned_line()
RESTOCKED = shop.returned_line(dispositions=[shop.disposition(51)])
CLAIM = marks.Claim(cmd=COMMAND_ID, line="9001", state="claimed", at_ms=NOW_MS - 60_000)
CLAIMED_LOOK = shop.restock_look(
    return_status="IN_PROGRESS", claim={"value": marks.encode(CLAIM), "compareDigest": "digest-1"}
)
TAKEN_OUT = msgspec.structs.replace(givens.RESTOCK, quantity=-1, stocked_before=True)
OUR_REFUND = [{"id": "gid://shopify/Refund/401", "note": marks.note("20000017", COMMAND_ID)}]


class Conversation(msgspec.Struct, frozen=True):
    system: str
    name: str
    command: Command
    answers: tuple[Answer, ...]
    attempt: Attempt = FIRST


def _shop(name: str, command: Command, *answers: Answer, attempt: Attempt = FIRST) -> Conversation:
    return Conversation("shopify", name, command, answers, attempt)


def _store(name: str, command: Command, *answers: Answer, attempt: Attempt = FIRST) -> Conversation:
    return Conversation("returngo", name, command, answers, attempt)


CONVERSATIONS = (
    _shop("restock-adjusts", givens.RESTOCK, shop.restock_look(), shop.adjusted()),
    _shop(
        "restock-again-same-key",
        givens.RESTOCK,
        shop.restock_look(),
        shop.claimed(),
        shop.adjusted(),
        attempt=again(),
    ),
    _shop("restock-damaged", givens.DAMAGED, shop.restock_look(), shop.adjusted("damaged")),
    _shop(
        "restock-activates",
        givens.RESTOCK,
        shop.restock_look(item=shop.item(inventoryLevel=None)),
        shop.activated(),
        shop.adjusted(),
    ),
    _shop(
        "restock-native-return",
        givens.RESTOCK,
        IN_PROGRESS,
        shop.returns(shop.native_return(LINE)),
        shop.claimed(),
        shop.disposed(RESTOCKED),
        shop.claimed("digest-2"),
        shop.closed(),
    ),
    _shop(
        "restock-native-return-found",
        givens.RESTOCK,
        CLAIMED_LOOK,
        shop.returns(shop.native_return(RESTOCKED)),
        shop.claimed("digest-2"),
        attempt=again(),
    ),
    _shop("restock-taken-out", TAKEN_OUT, shop.restock_look(), shop.adjusted(delta=-1)),
    _shop("restock-untracked", givens.RESTOCK, shop.restock_look(item=shop.item(tracked=False))),
    _shop("refund", givens.REFUND, shop.refund_look(), shop.refunded()),
    _shop("refund-found", givens.REFUND, shop.refund_look(refunds=OUR_REFUND), shop.refund_status(), attempt=again()),
    _shop("refund-mismatch", givens.REFUND, shop.refund_look(suggested="24.0")),
    _shop("refund-throttled", givens.REFUND, shop.refund_look(), shop.throttled()),
    _shop("store-credit", givens.STORE_CREDIT, shop.refund_look(), shop.refunded()),
    _shop("gift-card", givens.GIFT_CARD, shop.card_look(), shop.card_created()),
    _shop(
        "gift-card-taken",
        givens.GIFT_CARD,
        shop.card_look(),
        shop.refused("giftCardCreate", "Code has already been taken", giftCard=None),
        shop.card_look(shop.card(marks.note("20000017", COMMAND_ID))),
    ),
    _shop("exchange", givens.EXCHANGE, shop.draft(), shop.completed(), shop.tagged()),
    _shop("exchange-found", givens.EXCHANGE, shop.draft(order=shop.exchange_order()), shop.tagged(), attempt=again()),
    _shop("annotate-tags", givens.TAGS, shop.tagged(), shop.tagged("tagsRemove")),
    _shop("annotate-note", givens.NOTE, shop.note_look("ring the bell"), shop.noted()),
    _store("comment", givens.COMMENT, OK),
    _store("comment-found", givens.COMMENT, rma("Received", f"(cmd {COMMAND_ID})"), attempt=again()),
    _store("status", givens.STATUS, rma("Received"), OK),
    _store("transaction", TRANSACTION, transactions({"id": 61, "status": "Requested"}), OK),
)
