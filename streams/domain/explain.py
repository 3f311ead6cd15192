"""Two or three figures that do not agree, line by line, for a person who must decide which one is right."""

from collections.abc import Iterable

from schemas.commands import Suggestion
from schemas.money import Money as Amount
from schemas.money import MoneyError
from streams.domain.decided import Crediting, Exchanging, Money, Paying, Share, asked
from streams.domain.learnt import Line, Order, Rma, Unit
from streams.domain.proposal import Proposal
from streams.domain.seat import Seat


def money(minor: int, currency: str | None) -> str:
    """An amount for people; bare minor units where the currency is none that we know."""
    try:
        return str(Amount(minor=minor, currency=currency or ""))
    except (MoneyError, ArithmeticError):
        return f"{minor} {currency or ''}".strip()


def count(number: int, noun: str) -> str:
    """`1 unit`, `2 units`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def figures(p: Proposal) -> str:
    """How the order gives our figure, and what ReturnGO's is made of."""
    currency = p.order.currency
    ours = [*_lines(p.order, p.shares), *_named(p, currency)]
    parts = [f"the order gives {money(p.amount, currency)}: {'; '.join(ours) or 'nothing'}"]
    if p.theirs is not None:
        asks = p.asked is not None and p.asked.amount_minor is not None
        parts.append(_returngos(p.theirs, currency, [seat.unit for seat in p.seats], asks=asks))
    total = p.books.total
    gone = total.refunded + total.credited + total.exchanged
    parts.append(f"paid {money(total.paid, currency)}, paid back before {money(gone, currency)}")
    return " | ".join(parts)


def refused(decision: Money, seat: Seat, suggested: Suggestion | None) -> str:
    """The figures of a payment that a system refused: ours, ReturnGO's and the system's own."""
    order = seat.order
    if order is None:
        return ""
    added: list[str] = []
    if isinstance(decision, Paying):
        named = {
            "shipping": decision.shipping_minor, "duties": decision.duties_minor, "less fees": decision.fees_minor,
            "less fees of units before": decision.carried_minor, "cash rounding": decision.rounding_minor,
        }  # fmt: skip
        added = [f"{name} {money(minor, decision.currency)}" for name, minor in named.items() if minor]
    words = "; ".join([*_lines(order, decision.shares), *added])
    parts = [f"ours is {money(decision.amount_minor, decision.currency)}: {words}", *_claimed(decision, seat.rma)]
    if suggested is not None:
        parts.append(f"{decision.system} suggests {_suggestion(suggested, order)}")
    return " | ".join(parts)


def _claimed(decision: Money, rma: Rma) -> Iterable[str]:
    """ReturnGO's figure for a payment: what it asked for last, else the prices it shows; nothing of an exchange."""
    units = [rma.units[unit_id] for unit_id in decision.unit_ids if unit_id in rma.units]
    steps = [each for each in asked(rma, decision) if each.amount_minor is not None]
    last = max(steps, key=lambda each: max(step.stamp for step in each.steps), default=None)
    if last is not None:
        yield _returngos(last.amount_minor or 0, last.currency or decision.currency, units, asks=True)
        return
    prices = [unit.said.paid_minor for unit in units if unit.said.paid_minor is not None]
    if isinstance(decision, Exchanging) or len(prices) < len(units) or not prices:
        return
    added = decision.bonus_minor if isinstance(decision, Crediting) else 0
    if isinstance(decision, Paying):
        if decision.exchange_id:
            return
        added = decision.shipping_minor + decision.duties_minor - decision.fees_minor
    yield _returngos(max(sum(prices) + added, 0), decision.currency, units, asks=False)


def _returngos(minor: int, currency: str, units: Iterable[Unit], *, asks: bool) -> str:
    words = "ReturnGO asks for" if asks else "ReturnGO's prices give"
    return f"{words} {money(minor, currency)}: {'; '.join(_unit(unit, currency) for unit in units)}"


def _suggestion(said: Suggestion, order: Order) -> str:
    skus = {line.line_id: line.sku for line in order.lines}
    parts = [f"{s.quantity} × {skus.get(s.line_id) or s.line_id} {money(s.amount_minor, said.currency)}"
             for s in said.lines]  # fmt: skip
    parts += [f"shipping {money(said.shipping_minor, said.currency)}"] if said.shipping_minor else []
    most = "" if said.most_minor is None else f", at most {money(said.most_minor, said.currency)}"
    return f"{money(said.amount_minor, said.currency)}{most}: {'; '.join(parts) or 'no lines'}"


def _named(p: Proposal, currency: str) -> Iterable[str]:
    named = {
        "shipping": p.shipping, "duties": p.duties, "bonus": p.bonus, "less fees": p.fees,
        "less fees of units before": p.carried, "cash rounding": p.rounding,
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


def _unit(unit: Unit, currency: str) -> str:
    said = unit.said
    if said.paid_minor is None:
        return f"{unit.unit_id} without a price"
    tax = "" if said.tax_minor is None else f" (tax {money(said.tax_minor, said.currency or currency)})"
    fees = f" less {money(said.fees_minor, said.currency or currency)}" if said.fees_minor else ""
    return f"{unit.unit_id} {money(said.paid_minor, said.currency or currency)}{tax}{fees}"
