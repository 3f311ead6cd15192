"""What Shopify would pay back for lines of an order: `Order.suggestedRefund` as it answers, and as a figure of ours."""

from schemas.commands import LineShare, Suggestion
from sinks.systems.shopify.gids import number
from sinks.systems.shopify.shapes import Presented, Ref, Shape


class SuggestedTransaction(Shape, frozen=True):
    gateway: str | None = None
    parent_transaction: Ref | None = None
    maximum_refundable_set: Presented | None = None


class SuggestedLine(Shape, frozen=True):
    quantity: int
    line_item: Ref
    subtotal_set: Presented
    total_tax_set: Presented


class SuggestedShipping(Shape, frozen=True):
    amount_set: Presented
    tax_set: Presented


class SuggestedRefund(Shape, frozen=True):
    """The sum, and the parts it is made of; taxes are inside the parts or on top, as on the order."""

    amount_set: Presented
    maximum_refundable_set: Presented
    refund_line_items: tuple[SuggestedLine, ...] = ()
    shipping: SuggestedShipping | None = None
    suggested_transactions: tuple[SuggestedTransaction, ...] = ()

    @property
    def taxed(self) -> frozenset[str]:
        """Ids of the lines with a tax."""
        return frozenset(number(line.line_item.id) for line in self.refund_line_items if line.total_tax_set.money.minor)


def figure(found: SuggestedRefund | None, *, taxes_included: bool) -> Suggestion | None:
    """The suggestion line by line, with taxes; None when there is none."""
    if found is None:
        return None
    amount, shipping, inside = found.amount_set.money, found.shipping, taxes_included
    lines = tuple(
        LineShare(
            line_id=number(line.line_item.id), quantity=line.quantity,
            amount_minor=_with_tax(line.subtotal_set, line.total_tax_set, inside=inside),
        )
        for line in found.refund_line_items
    )  # fmt: skip
    return Suggestion(
        currency=amount.currency, amount_minor=amount.minor, most_minor=found.maximum_refundable_set.money.minor,
        lines=lines,
        shipping_minor=0 if shipping is None else _with_tax(shipping.amount_set, shipping.tax_set, inside=inside),
    )  # fmt: skip


def _with_tax(price: Presented, tax: Presented, *, inside: bool) -> int:
    return price.money.minor + (0 if inside else tax.money.minor)
