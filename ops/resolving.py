"""A person closes an exception that nothing else closes: who, when and why go with it. Touches broker and clock."""

from ops.inbox import Item
from ops.producing import tell
from ops.when import at
from schemas.clock import now_ms
from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised, by_hand
from schemas.kafka import Brokers

BY_ITSELF = "by itself, when no fact shows its cause any more"
BY_HAND = (
    "by `returnflow exceptions resolve ID --why TEXT`; one of a delivery also by itself, when what it was about is read"
)


class NotByHand(Exception):
    """It is closed already, or closes by itself; the message says which, and what to do instead."""


def ends(raised: ExceptionRaised) -> str:
    """How it closes, for people."""
    return BY_HAND if by_hand(raised) else BY_ITSELF


def resolve(bootstrap: Brokers, codec: Codec, item: Item, why: str, by: str) -> ExceptionCleared:
    """The record that closes it, once Kafka has it; raises NotByHand, or CannotStart when Kafka does not take it."""
    raised = item.raised
    if item.state != "open":
        who = f" by {item.cleared_by}" if item.cleared_by else " by itself"
        raise NotByHand(f"{raised.exception_id} was closed at {at(item.cleared_at_ms)}{who}: {item.why_cleared}")
    if not by_hand(raised):
        raise NotByHand(
            f"{raised.exception_id} ({raised.type}) is not closed by hand: it closes {BY_ITSELF}. Closed by hand it "
            f"would hide what is still wrong: {raised.detail}. Next step: {raised.next_step}"
        )
    # never before it was raised, whoever's clock said when that was: then it would be open again at the next look
    closed = ExceptionCleared(
        exception_id=raised.exception_id, type=raised.type, merchant=raised.merchant,
        cleared_at_ms=max(now_ms(), raised.since_ms), why=why, order_id=raised.order_id, rma_id=raised.rma_id, by=by,
    )  # fmt: skip
    tell(bootstrap, codec, closed, "the record that closes the exception")
    return closed
