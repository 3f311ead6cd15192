"""One mark for people: its id from what it is about, and what it says packed away until it is emitted."""

import msgspec

from schemas import ids
from schemas.merchant import Merchant
from streams.domain.decided import Marking, Said
from streams.domain.learnt import Order
from streams.domain.state import Case

_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(Said).decode


def mark(
    case: Case, system: str, rma_id: str, subject: str, said: Said, unit_ids: tuple[str, ...] = (), generation: int = 0
) -> Marking:
    """The decision to leave a mark on an order or RMA of that system, about this subject."""
    decision_id = ids.command_id(
        merchant=case.learnt.merchant, system=system, kind="annotate", rma_id=rma_id,
        unit_ids=(case.learnt.order_id, subject), generation=generation,
    )  # fmt: skip
    return Marking(
        decision_id=decision_id, system=system, rma_id=rma_id, unit_ids=unit_ids, subject=subject, said=_PACK(said),
        decided_at_ms=case.learnt.now_ms, generation=generation,
    )  # fmt: skip


def said(marking: Marking) -> Said:
    """What it says; only of one that was not answered yet."""
    return _UNPACK(marking.said)


def reachable(order: Order, rules: Merchant) -> bool:
    """Whether marks may be left on the order at all."""
    return order.system != "shopify" or rules.systems.shopify is not None
