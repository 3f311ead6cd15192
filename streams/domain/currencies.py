"""The currency of an order: one that exists, and the same from the order's first word to its last (MON-13)."""

from schemas.money import EXPONENTS
from streams.domain.learnt import Learnt


def fault(learnt: Learnt) -> tuple[str, str, str] | None:
    """What is wrong with it, what was expected and what came; None: nothing. Nothing is paid while something is: the
    same number of minor units is another amount in another currency."""
    order, first = learnt.order, learnt.sold_in
    if order is None:
        return None
    if order.currency not in EXPONENTS:
        return "the order is in no currency that we know", "an ISO-4217 code such as EUR", repr(order.currency)
    if first is not None and first.value != order.currency:
        return "the order was in another currency before", first.value, order.currency
    return None
