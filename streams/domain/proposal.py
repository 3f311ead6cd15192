"""A payment that is thought of: units that are ready to be paid together, and every figure that it is judged by."""

import msgspec

from schemas.merchant_model import Model
from streams.domain.account import Account
from streams.domain.decided import Asked, Exchanging, Repaid, Share
from streams.domain.learnt import Order
from streams.domain.rounding import of_shares
from streams.domain.seat import Kind, Seat


class Group(msgspec.Struct, frozen=True):
    """Units that are ready to be paid together. `others_pending`: units of the same payment wait for something."""

    ready: tuple[Seat, ...]
    others_pending: bool
    clock_ms: int


class Proposal(msgspec.Struct, kw_only=True):
    """`TOGETHER` in walk.py says whether it may go out. Amounts are minor units of the order's currency."""

    command_id: str
    kind: Kind
    model: Model
    seats: tuple[Seat, ...]
    order: Order
    books: Account  # the order's money without this payment
    by_hand: tuple[str, ...]  # refunds by others that name no line and may have paid for these units already
    foreign: tuple[str, ...]  # money that moved in another currency than the order's
    asked: Asked | None  # what ReturnGO asked to be paid for exactly these units
    sound: bool = True  # the order is in one currency that we know
    shares: tuple[Share, ...] = ()
    beyond: tuple[Share, ...] = ()  # those that ask for more units than were bought and not paid back before
    goods: int = 0  # what the shares come to
    fees: int = 0  # of its units
    carried: int = 0  # what it keeps back beyond them
    shipping: int = 0
    shipping_tax: int = 0
    duties: int = 0
    bonus: int = 0  # given on top by the merchant
    goods_tax: int = 0
    claimed: int | None = None  # the goods by ReturnGO's prices, before fees
    claimed_tax: int | None = None
    replacement: int | None = None  # price of what is sent instead; None: no exchange
    exchange: Exchanging | None = None  # the exchange whose difference this pays back
    released: bool = True  # that exchange
    spoken: int = 0  # differences of exchanges that are still to be paid back
    tenders: tuple[Repaid, ...] = ()
    short: int = 0  # what no payment can take
    rounding: int = 0  # > 0: more than due, because cash has no smaller coin

    alone: bool = False  # shipping for no unit

    @property
    def unit_ids(self) -> tuple[str, ...]:
        """The units that it pays for."""
        return () if self.alone else tuple(sorted(seat.unit.unit_id for seat in self.seats))

    @property
    def leeway(self) -> int:
        """How far rounding alone may take the figures of others from ours."""
        return of_shares(self.shares if self.exchange is None else self.exchange.shares)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Tenders with captured money that the merchant's order leaves out."""
        names = self.model.refunding.tenders
        return () if "*" in names else tuple(sorted({t.name for t in self.order.tenders if t.name not in names}))

    @property
    def below_zero(self) -> dict[str, int]:
        """What it is made of that is less than nothing, by name: no payment can be right that has such a part."""
        own = () if self.alone or self.exchange is not None else self.seats
        fees = min((seat.unit.said.fees_minor for seat in own), default=0)
        parts = {"goods": self.goods, "duties": self.duties, "fees": fees, "replacement": self.replacement or 0}
        return {name: minor for name, minor in parts.items() if minor < 0}

    @property
    def due(self) -> int:
        """To the last minor unit."""
        if self.exchange is not None:
            return -self.exchange.difference_minor
        return max(self.value - self.fees - self.carried, 0)

    @property
    def value(self) -> int:
        """Before anything is kept back."""
        return self.goods + self.shipping + self.duties + self.bonus

    @property
    def kept(self) -> int:
        """Fees that it keeps back beyond those of its units; below zero: it cannot keep even these."""
        return 0 if self.exchange is not None else min(self.carried, self.value - self.fees)

    @property
    def amount(self) -> int:
        """As it can be paid."""
        return self.due + self.rounding

    @property
    def to_pay(self) -> int:
        """Of an exchange: what the customer pays for dearer goods; below zero: what is paid back for cheaper ones."""
        return 0 if self.replacement is None else self.replacement - self.due

    @property
    def taken(self) -> int:
        """What it takes from the customer's payments."""
        return self.due - self.given + (min(self.to_pay, 0) if self.kind == "exchange" else 0)

    @property
    def needs(self) -> int:
        """That, and what is paid back of an exchange for cheaper goods once it is released."""
        return self.taken + (max(-self.to_pay, 0) if self.kind == "exchange" else 0)

    @property
    def pays_back(self) -> bool:
        """Whether money goes to payments, now or once the exchange is released."""
        return self.kind == "refund" or self.needs > self.taken

    @property
    def given(self) -> int:
        """The merchant's own part of it, after fees."""
        return min(self.bonus, self.due)

    @property
    def tax(self) -> int:
        """The tax within goods and shipping; of an exchange's difference, its part of the goods' tax is unknown: 0."""
        return self.goods_tax + self.shipping_tax

    @property
    def currencies(self) -> set[str]:
        """Every currency that ReturnGO's figures are in."""
        named = {seat.unit.said.currency for seat in self.seats} | {self.asked.currency if self.asked else None}
        return {currency for currency in named if currency is not None}

    @property
    def theirs(self) -> int | None:
        """ReturnGO's figure for this payment: what it asked for, else the prices it shows; None: it says nothing."""
        if self.kind == "exchange":
            return None
        if self.asked is not None and self.asked.amount_minor is not None:
            return self.asked.amount_minor
        added = self.shipping + self.duties + self.bonus - self.fees - self.carried
        return None if self.claimed is None else max(self.claimed + added, 0)

    @property
    def difference(self) -> int:
        """How far ReturnGO's figure is off ours, whole coins or not."""
        if self.theirs is None:
            return 0
        return min(self.theirs - self.due, self.theirs - self.amount, key=abs)

    @property
    def by_tax(self) -> bool:
        """Whether the difference is one of taxes alone: without them the figures agree, or one lacks them."""
        tolerance = self.model.refunding.tolerance_minor + self.leeway
        if self.claimed is not None and self.claimed_tax is not None and self.claimed_tax != self.goods_tax:
            nets = (self.claimed - self.claimed_tax) - (self.goods - self.goods_tax)
            asked = self.asked is not None and self.asked.amount_minor is not None
            return abs(nets) <= tolerance and not asked
        return self.goods_tax > 0 and abs(abs(self.difference) - self.goods_tax) <= tolerance
