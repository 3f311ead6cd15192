"""The books of one shop: what really happened, written down where it happens and never changed. The judge of every
test."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal

from ops.sandbox.clock import iso

UNNAMED = "call_without_user_agent"  # calls by somebody who does not say who it is


@dataclass(slots=True, kw_only=True, frozen=True)
class Movement:
    """Stock that moved, or (`applied` False) that Shopify silently let fall, with the cause and who asked."""

    at: datetime
    sku: str
    inventory_item_id: int
    location_id: int
    name: str
    delta: int
    after: int
    cause: str
    reference: str | None
    actor: str
    key: str | None
    order: str | None
    line_item_id: int | None
    applied: bool


@dataclass(slots=True, kw_only=True, frozen=True)
class MoneyOut:
    """Money or worth that left the shop: a refund transaction, a store credit or a gift card. `shop_amount`: a refund
    in the shop's currency, at the rate of its day."""

    at: datetime
    kind: str
    id: int
    amount: Decimal
    currency: str
    status: str
    gateway: str
    actor: str
    key: str | None
    note: str | None
    order: str | None
    parent_id: int | None
    customer_id: int | None
    shop_amount: Decimal | None = None


@dataclass(slots=True, kw_only=True, frozen=True)
class Mark:
    """A tag, note, metafield, comment or status somebody wrote."""

    at: datetime
    kind: str
    owner: str
    value: str
    actor: str


@dataclass(slots=True)
class Books:
    """All entries of a shop, in order, plus counters of how it was called."""

    movements: list[Movement] = field(default_factory=list)
    money: list[MoneyOut] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    calls_by_day: dict[str, int] = field(default_factory=dict)

    def count(self, name: str) -> None:
        """One more of `name`."""
        self.counters[name] = self.counters.get(name, 0) + 1

    def count_day(self, moment: datetime) -> None:
        """One more call on that day of the sandbox's time."""
        day = moment.date().isoformat()
        self.calls_by_day[day] = self.calls_by_day.get(day, 0) + 1


def entry(record: Movement | MoneyOut | Mark) -> dict[str, object]:
    """An entry as JSON: times ISO, money as a decimal string."""
    return {name: _plain(value) for name, value in asdict(record).items()}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return iso(value)
        case Decimal():
            return str(value)
        case _:
            return value
