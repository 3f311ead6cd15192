"""Two or three figures that do not agree, line by line, for a person who must decide which one is right."""

from collections.abc import Iterable

from schemas.money import Money as Amount
from schemas.money import MoneyError
from streams.domain.decided import Money, Paying, Share
from streams.domain.learnt import Line, Order
from streams.domain.proposal import Proposal
from streams.domain.seat import Seat


def money(minor: int, currency: str | None) -> str:
    """An amount for people; bare minor units where the currency is none that we know."""
    try:
        return str(Amount(minor=minor, currency=currency or ""))
    except MoneyError:
        return f"{minor} {currency or ''}".strip()


def figures(p: Proposal) -> str:
    """How the order gives our figure, and what ReturnGO's is made of."""
    currency = p.order.currency
    ours = [*_lines(p.order, p.shares), *_named(p, currency)]
    parts = [f"the order gives {money(p.amount, currency)}: {'; '.join(ours) or 'nothing'}"]
    if p.theirs is not None:
        asked = (
            f"ReturnGO asks for {money(p.theirs, currency)}"
            if _asked(p)
            else f"ReturnGO's prices give {money(p.theirs, currency)}"
        )
        units = "; ".join(_unit(seat, currency) for seat in p.seats)
        parts.append(f"{asked}: {units}")
    total = p.books.total
    gone = total.refunded + total.credited + total.exchanged
    parts.append(f"paid {money(total.paid, currency)}, paid back before {money(gone, currency)}")
    return " | ".join(parts)


def refused(decision: Money, order: Order | None) -> str:
    """Our figure beside the one with which a system refused it."""
    if order is None:
        return ""
    added: list[str] = []
    if isinstance(decision, Paying):
        named = {
            "shipping": decision.shipping_minor, "duties": decision.duties_minor, "less fees": decision.fees_minor,
            "cash rounding": decision.rounding_minor,
        }  # fmt: skip
        added = [f"{name} {money(minor, decision.currency)}" for name, minor in named.items() if minor]
    words = "; ".join([*_lines(order, decision.shares), *added])
    return f"ours is {money(decision.amount_minor, decision.currency)}: {words}"


def _asked(p: Proposal) -> bool:
    return p.step is not None and p.step.amount_minor is not None


def _named(p: Proposal, currency: str) -> Iterable[str]:
    named = {
        "shipping": p.shipping, "duties": p.duties, "bonus": p.bonus, "less fees": p.fees, "cash rounding": p.rounding,
    }  # fmt: skip
    if p.exchange is not None:
        named["difference to the cheaper goods"] = p.due
    return [f"{name} {money(minor, currency)}" for name, minor in named.items() if minor]


def _lines(order: Order, shares: Iterable[Share]) -> list[str]:
    lines = {line.line_id: line for line in order.lines}
    return [_line(lines[s.line_id], s, order) for s in shares if s.line_id in lines]


def _line(line: Line, share: Share, order: Order) -> str:
    currency = order.currency
    named = {"discount": -line.discount_minor, "order discount": -line.order_discount_minor}
    parts = [f"price {money(line.price_minor, currency)}"]
    parts += [f"{name} {money(minor, currency)}" for name, minor in named.items() if minor]
    if line.tax_minor:
        parts.append(f"tax {money(line.tax_minor, currency)} {'inside' if order.taxes_included else 'on top'}")
    worth = money(share.amount_minor, currency)
    return f"{share.quantity} of {line.quantity} × {line.sku or line.line_id} {worth} ({', '.join(parts)})"


def _unit(seat: Seat, currency: str) -> str:
    said = seat.unit.said
    if said.paid_minor is None:
        return f"{seat.unit.unit_id} without a price"
    tax = "" if said.tax_minor is None else f" (tax {money(said.tax_minor, said.currency or currency)})"
    fees = f" less {money(said.fees_minor, said.currency or currency)}" if said.fees_minor else ""
    return f"{seat.unit.unit_id} {money(said.paid_minor, said.currency or currency)}{tax}{fees}"
