"""Our decisions as they grow within one judgement: every payment is proposed on top of those before it.

What all of them ask for is worked out once and kept up with each decision; anew for each, a case of many returns would
ask all of its payments for every one.
"""

from collections.abc import Sequence

from streams.domain import currencies, differences
from streams.domain.account import Account, account, book, counts
from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Exchanging, Money, Paying, Share
from streams.domain.learnt import Effect, Order, Rma
from streams.domain.own import Own


class Running:
    """`told`: of ReturnGO, see settled.py."""

    def __init__(self, own: Own, told: Sequence[Share] = ()) -> None:
        self.learnt = own.learnt
        self._own = own
        self._new: list[Money] = []
        self._told = told
        self._known = {d.decision_id for d in own.payments} | set(own.marked) | set(own.learnt.results)
        self._books: Account | None = None
        self._spoken: int | None = None
        self._unnamed: list[Effect] | None = None
        self._foreign: tuple[str, ...] | None = None
        self._sound: bool | None = None
        self._bought: dict[str, int] | None = None

    @property
    def own(self) -> Own:
        """All of ours, those that were decided last, too."""
        if self._new:
            self._own, self._new = self._own.plus(self._new), []
        return self._own

    def books(self, order: Order, command_id: str) -> Account:
        """The order's money without what this command did, to be changed by whoever asks."""
        if command_id in self._known:
            return self._counted(account(order, self.own, command_id))
        if self._books is None:
            self._books = self._counted(account(order, self.own))
        return self._books.copy()

    def _counted(self, books: Account) -> Account:
        books.lines.add(self._told)
        return books

    def decided(self, decision: Money) -> None:
        """One more: together they must not exceed what was captured."""
        again = decision.decision_id in self._known
        self._new.append(decision)
        self._known.add(decision.decision_id)
        if again:
            self._books = self._spoken = None
            return
        if self._books is not None:
            book(self._books, decision, self._own)
        if isinstance(decision, Paying) and decision.exchange_id:
            self._spoken = None
        elif self._spoken is not None and isinstance(decision, Exchanging):
            self._spoken += differences.spoken_by(decision, self._own, self.unnamed)

    @property
    def spoken(self) -> int:
        """Differences that are still to be paid back by us, in minor units."""
        if self._spoken is None:
            self._spoken = differences.spoken(self.own, self.unnamed)
        return self._spoken

    @property
    def unnamed(self) -> list[Effect]:
        """Amounts that others paid back without saying for which lines."""
        if self._unnamed is None:
            self._unnamed = differences.of_no_line(self._own)
        return self._unnamed

    @property
    def foreign(self) -> tuple[str, ...]:
        """Money that moved in another currency than the order's: how much is left cannot be known."""
        order = self.learnt.order
        if self._foreign is None:
            effects = [e for e in (*self._own.marked.values(), *self._own.foreign) if e.kind in PAID_KINDS]
            self._foreign = tuple(sorted(e.external_id for e in effects if order is None or not counts(e, order)))
        return self._foreign

    @property
    def bought(self) -> dict[str, int]:
        """Units of each line of the order that were bought and not taken off it again."""
        if self._bought is None:
            lines = () if self.learnt.order is None else self.learnt.order.lines
            self._bought = {line.line_id: line.sold for line in lines}
        return self._bought

    @property
    def sound(self) -> bool:
        """Whether the order has one currency that we know."""
        if self._sound is None:
            self._sound = currencies.fault(self.learnt) is None
        return self._sound

    def by_hand(self, rma: Rma) -> tuple[str, ...]:
        """Those that may have paid for units of this return, and that ReturnGO did not make."""
        if not self.unnamed:
            return ()
        return tuple(e.external_id for e in differences.asked_before(rma, self.unnamed) if e.actor != "returngo")
