"""Exchange orders of no value: known by tag or name, and marked so that no sales report counts them (EXG-1, EXG-4).

Such an order is a case of its own, without any return: the mark goes to the order itself.
"""

from schemas.labels import among
from schemas.merchant_model import Model
from streams.domain.learnt import Order


def to_mark(order: Order | None, model: Model) -> str:
    """The mark that the order must carry and does not carry yet, "" for every other order."""
    mark = model.exchanges.mark
    if not mark or order is None or order.cancelled or among(mark, order.tags) or not _is_exchange(order, model):
        return ""
    return "" if _value(order) else mark


def _is_exchange(order: Order, model: Model) -> bool:
    prefix = model.exchanges.prefix
    return any(among(tag, order.tags) for tag in model.exchanges.tags) or (
        bool(prefix) and order.name.startswith(prefix)
    )


def _value(order: Order) -> int:
    if order.total_minor is not None:
        return order.total_minor
    return sum(line.net_minor for line in order.lines) + order.shipping_minor
