"""A shop that keeps honest books: it carries out commands and lets staff do the same things by hand.

What happens in it becomes known later, in any order, as the facts in `news`. It refuses what it has no money for.
"""

from msgspec.structs import replace

from schemas.commands import Annotate, Command, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.facts import OrderSnapshot
from schemas.money import Money
from tests.unit.domain.factories import covers, put_back, refunded
from tests.unit.domain.world import AnyFact, settled


class Shop:
    """One order. `moved` is what went back per payment, `stock` the units of each line that were put back."""

    def __init__(self, order: OrderSnapshot) -> None:
        self.order = order
        self.moved = {payment.payment_id: 0 for payment in order.payments}
        self.stock = {line.line_id: 0 for line in order.lines}
        self.paid_units: list[tuple[str, str]] = []
        self.credited = 0
        self.by_staff = False
        self.news: list[AnyFact] = []
        self._done: dict[str, Command] = {}
        self._count = 0

    def refundable(self, payment_id: str) -> int:
        """What a payment can still give back."""
        captured = next(p.amount_minor for p in self.order.payments if p.payment_id == payment_id)
        return captured - self.moved[payment_id]

    def carry_out(self, command: Command, at_ms: int) -> bool:
        """Whether it did so; a command that comes again has its first answer and no second effect."""
        self._count += 1
        if command.command_id in self._done:
            assert self._done[command.command_id] == command, "one id, two contents"
            return True
        if isinstance(command, Refund) and not self._pay_back(command):
            self.news.append(settled(command, "rejected", at_ms=at_ms, code="amount_mismatch"))
            return False
        self._done[command.command_id] = command
        if isinstance(command, Restock) and command.line_id is not None:
            self.stock[command.line_id] += command.quantity
        if isinstance(command, StoreCredit):
            self.credited += command.amount_minor
        if isinstance(command, Refund | StoreCredit | Exchange):
            self.paid_units += [(command.rma_id, unit) for unit in command.unit_ids]
        external = {} if isinstance(command, Annotate | Journal) else {"refund_id": f"ours-{self._count}"}
        if isinstance(command, Refund):
            seen = refunded(f"ours-{self._count}", command.amount_minor, actor="returnflow", tenders=())
            lines = tuple(covers(share.line_id, share.quantity) for share in command.lines)
            self.news.append(
                replace(seen, command_id=command.command_id, rma_id=command.rma_id, lines=lines, occurred_at_ms=at_ms)
            )
        self.news.append(settled(command, at_ms=at_ms, external_ids=external))
        return True

    def _pay_back(self, command: Refund) -> bool:
        if any(share.amount_minor > self.refundable(share.payment_id) for share in command.tenders):
            return False
        for share in command.tenders:
            self.moved[share.payment_id] += share.amount_minor
        return True

    def staff_refunds(self, line_id: str, amount: int, *, restock: bool, hours: float) -> None:
        """One unit of a line, paid back by hand to the first payment that can give it, and perhaps put back."""
        able = [p for p in self.moved if self.refundable(p) >= amount]
        if not able or amount <= 0:
            return
        self._count += 1
        self.by_staff = True
        self.moved[able[0]] += amount
        self.stock[line_id] += 1 if restock else 0
        seen = refunded(f"staff-{self._count}", amount, covers(line_id, restocked=restock), hours=hours, actor="staff")
        self.news.append(replace(seen, tenders=tuple(replace(t, payment_id=able[0]) for t in seen.tenders)))

    def staff_puts_back(self, line_id: str, hours: float) -> None:
        """One unit of a line into stock by hand."""
        self._count += 1
        self.by_staff = True
        self.stock[line_id] += 1
        self.news.append(put_back(f"staff-{self._count}", covers(line_id), hours=hours))


def amount_of(order: OrderSnapshot, line_id: str) -> Money:
    """What one unit of a line cost."""
    line = next(each for each in order.lines if each.line_id == line_id)
    return Money(minor=line.unit_price_minor, currency=order.currency)
