"""Readable facts of one merchant, one order and its returns. Times are hours of a made-up day one."""

from typing import Any, TypeVar

from msgspec.structs import replace

from schemas.commands import (
    Annotate,
    CommandKind,
    CommandOutcome,
    CommandResult,
    Exchange,
    Refund,
    StoreCredit,
    kind_of,
)
from schemas.exceptions import ExceptionRaised
from schemas.facts import (
    DeadlineReached,
    ObservedEffect,
    OrderLine,
    OrderSnapshot,
    Payment,
    RecordedRefund,
    RefundedLine,
    RefundedTender,
    ReturnedUnit,
    ReturnEvent,
    ReturnTransaction,
)
from schemas.merchant import Merchant
from schemas.money import Money
from schemas.stock import Component, ItemLocation, RestockIntent, RestockVerdict, StockItem
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.output import Output
from streams.domain.state import Case
from tests.unit.domain.judged import surveyed
from tests.unit.domain.world import CODEC

T = TypeVar("T")
DAY_ONE = 1_772_000_000_000
HOUR = 3_600_000
MERCHANT = "demo-shop"
ORDER = "5001"
RMA = "100"
MAIN = "11"  # location id in the shop
BACK = "12"


def at(hours: float) -> int:
    return DAY_ONE + int(hours * HOUR)


def rules(**model: Any) -> Merchant:
    """The merchant of these tests; `model` overrides parts of its operating model."""
    return Merchant.model_validate(
        {
            "merchant": MERCHANT,
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "systems": {
                "returngo": {
                    "base_url": "http://127.0.0.1:1/returngo",
                    "shop": "demo",
                    "api_key": "env:A",
                    "webhook_token": "env:B",
                },
                "shopify": {
                    "base_url": "http://127.0.0.1:1/shopify",
                    "shop": "demo",
                    "access_token": "env:C",
                    "webhook_secrets": ["env:D"],
                    "gift_card_secret": "env:E",
                },
            },
            "model": model,
            "locations": [
                {"source": "returngo", "code": "dock", "location_id": MAIN},
                {"source": "returngo", "code": "dock", "disposition": "damaged", "location_id": BACK},
                {"source": "returngo", "code": "closed", "location_id": "13", "active": False},
                {"source": "warehouse", "code": "W1", "location_id": MAIN},
            ],
        }
    )


def line(line_id: str = "L1", sku: str = "TEE", quantity: int = 1, price: int = 1000, **more: Any) -> OrderLine:
    return OrderLine(
        line_id=line_id, sku=sku, quantity=quantity, unit_price_minor=price, item_id=f"I-{sku}", variant_id=f"V-{sku}",
        **more,
    )  # fmt: skip


def order(*lines: OrderLine, hours: float = 0, paid: int | None = None, **more: Any) -> OrderSnapshot:
    """The order, paid in full by one card unless `payments` says otherwise."""
    lines = lines or (line(),)
    included = more.setdefault("taxes_included", True)
    total = sum(
        each.unit_price_minor * each.quantity - each.discount_minor - each.order_discount_minor for each in lines
    )
    total += 0 if included else sum(each.tax_minor for each in lines)
    total += more.get("shipping_minor", 0)
    fields: dict[str, Any] = {
        "fact_id": f"order@{hours}", "merchant": MERCHANT, "order_id": ORDER, "system": "shopify", "name": "#1001",
        "version_ms": at(hours), "created_at_ms": at(-100), "currency": "EUR", "shop_currency": "EUR",
        "customer_id": "C1", "payments": (payment("P1", "card", total if paid is None else paid),),
    }  # fmt: skip
    return OrderSnapshot(**(fields | {"lines": tuple(lines)} | more))


def payment(payment_id: str, tender: str, amount: int, status: Any = "success") -> Payment:
    return Payment(payment_id=payment_id, tender=tender, status=status, amount_minor=amount)


def unit(
    unit_id: str = "u1", line_id: str | None = "L1", sku: str = "TEE", paid: int | None = None, **more: Any
) -> ReturnedUnit:
    more.setdefault("resolution", "refund")
    more.setdefault("reason", "Does not fit")
    money = None if paid is None else Money(minor=paid, currency=more.pop("currency", "EUR"))
    return ReturnedUnit(unit_id=unit_id, line_id=line_id, sku=sku, paid=money, **more)


def event(
    kind: Any, *units: ReturnedUnit, hours: float, rma: str = RMA, system: str = "returngo", **more: Any
) -> ReturnEvent:
    names = ",".join(each.unit_id for each in units)
    return ReturnEvent(
        fact_id=f"{system}/{rma}/{kind}/{names}@{hours}{more.get('transaction', '')}", merchant=MERCHANT,
        order_id=ORDER,
        rma_id=rma, system=system, kind=kind, occurred_at_ms=at(hours), units=units, **more,
    )  # fmt: skip


def inspected(
    one: ReturnedUnit, disposition: Any = "sellable", location: str | None = "dock", hours: float = 5, **more: Any
) -> ReturnEvent:
    seen = replace(one, disposition=disposition, location=location, inspected_at_ms=at(hours))
    return event("inspected", seen, hours=hours, **more)


def counted(
    quantity: int, disposition: Any = "sellable", hours: float = 5, rma: str = RMA, line_id: str | None = "L1",
    sku: str = "TEE", location: str = "W1", n: int = 0,
) -> ReturnEvent:  # fmt: skip
    """An inspection at the warehouse door, which counts pieces and names no units."""
    piece = ReturnedUnit(
        unit_id="", line_id=line_id, sku=sku, quantity=quantity, disposition=disposition, location=location,
        inspected_at_ms=at(hours),
    )  # fmt: skip
    return replace(
        event("inspected", piece, hours=hours, rma=rma, system="warehouse"),
        fact_id=f"door/{rma}/{disposition}/{hours}/{n}",
    )


def asked(*units: ReturnedUnit, rma: str = RMA, hours: float = 1) -> list[ReturnEvent]:
    """Requested and approved."""
    return [event("requested", *units, rma=rma, hours=hours), event("approved", *units, rma=rma, hours=hours + 0.1)]


def transaction(
    amount: int | None, status: Any = "requested", units: tuple[str, ...] = (), external_id: str | None = None,
    hours: float = 6, kind: Any = "refund", currency: str = "EUR", number: str = "T1", rma: str = RMA,
) -> ReturnEvent:  # fmt: skip
    step = ReturnTransaction(
        transaction_id=number, kind=kind, status=status, unit_ids=units, external_id=external_id,
        amount=None if amount is None else Money(minor=amount, currency=currency),
    )  # fmt: skip
    return event("transaction", hours=hours, rma=rma, transaction=step)


def refunded(refund_id: str, amount: int, *lines: RefundedLine, hours: float = 7, **more: Any) -> ObservedEffect:
    """A refund seen in the shop."""
    tender = RefundedTender(
        transaction_id=f"t{refund_id}", payment_id="P1", tender="card", amount_minor=amount, status="success"
    )
    fields: dict[str, Any] = {"tenders": (tender,), "currency": "EUR", "total_minor": amount}
    return ObservedEffect(
        fact_id=f"refund/{refund_id}@{hours}", merchant=MERCHANT, order_id=ORDER, system="shopify", kind="refund",
        external_id=refund_id, occurred_at_ms=at(hours), lines=lines, **(fields | more),
    )  # fmt: skip


def covers(line_id: str = "L1", quantity: int = 1, *, restocked: bool = False) -> RefundedLine:
    return RefundedLine(line_id=line_id, quantity=quantity, restocked=restocked)


def recorded(refund_id: str, amount: int, *lines: RefundedLine, hours: float = 7) -> RecordedRefund:
    return RecordedRefund(refund_id=refund_id, created_at_ms=at(hours), total_minor=amount, lines=lines)


def put_back(effect_id: str, *lines: RefundedLine, hours: float = 7, command_id: str | None = None) -> ObservedEffect:
    """A disposition RESTOCKED seen on a native return."""
    return ObservedEffect(
        fact_id=f"restock/{effect_id}@{hours}", merchant=MERCHANT, order_id=ORDER, system="shopify", kind="restock",
        external_id=effect_id, occurred_at_ms=at(hours), lines=lines, command_id=command_id,
    )  # fmt: skip


def deadline(hours: float) -> DeadlineReached:
    return DeadlineReached(fact_id=f"due@{hours}", merchant=MERCHANT, order_id=ORDER, due_at_ms=at(hours))


def result(
    command_id: str, kind: CommandKind, outcome: CommandOutcome = "applied", hours: float = 8, **more: Any
) -> CommandResult:
    return CommandResult(
        command_id=command_id, merchant=MERCHANT, system="shopify", order_id=ORDER, rma_id=RMA, unit_ids=(), kind=kind,
        outcome=outcome, settled_at_ms=at(hours), attempts=1, **more,
    )  # fmt: skip


def verdict(intent: RestockIntent, word: Any = "commanded", hours: float = 5.5, **more: Any) -> RestockVerdict:
    if word == "commanded":
        more.setdefault("command_ids", (intent.intent_id,))
    return RestockVerdict(
        fact_id=f"{intent.intent_id}/{word}@{hours}", merchant=MERCHANT, order_id=ORDER, rma_id=intent.rma_id,
        intent_id=intent.intent_id, unit_ids=intent.unit_ids, sku=intent.sku, verdict=word, decided_at_ms=at(hours),
        **more,
    )  # fmt: skip


def item(sku: str = "TEE", hours: float = 0, **more: Any) -> StockItem:
    more.setdefault("item_id", f"I-{sku}" if more.get("exists", True) else None)
    return StockItem(
        fact_id=f"item/{sku}@{hours}", merchant=MERCHANT, sku=sku, system="shopify", version_ms=at(hours), **more,
    )  # fmt: skip


def bundle(sku: str, *parts: tuple[str, int, str | None]) -> StockItem:
    return item(sku, components=tuple(Component(sku=s, quantity=q, item_id=i) for s, q, i in parts))


def place(location_id: str = MAIN, *, active: bool = True) -> ItemLocation:
    return ItemLocation(location_id=location_id, active=active)


class Run:
    """A case fed with facts, and everything that came of it."""

    def __init__(self, merchant: Merchant | None = None) -> None:
        self.rules = merchant or rules()
        self.case: Case | None = None
        self.outputs: list[Output] = []

    def feed(self, *facts: Fact) -> list[Output]:
        """Outputs of just these facts."""
        start = len(self.outputs)
        for fact in facts:
            self.case, made = decide_case(self.case, fact, self.rules)
            self.outputs += made
        for output in self.outputs[start:]:
            CODEC.encode(output.record)  # what does not fit its schema could never be sent
        return self.outputs[start:]

    def records(self, kind: type[T]) -> list[T]:
        """Everything of one kind that was emitted so far."""
        return of(kind, self.outputs)

    def commands(self, kind: type[T]) -> list[T]:
        """The distinct ones, in order: a command that is emitted again is the same command."""
        return list({r.command_id: r for r in reversed(self.records(kind))}.values())[::-1]  # type: ignore[attr-defined]

    @property
    def intents(self) -> list[RestockIntent]:
        return list({r.intent_id: r for r in self.records(RestockIntent)}.values())

    @property
    def payments(self) -> list[Refund | StoreCredit | Exchange]:
        """Every payment that was emitted, repetitions included."""
        return [o.record for o in self.outputs if isinstance(o.record, Refund | StoreCredit | Exchange)]

    @property
    def open(self) -> list[str]:
        """Types of the exceptions that are open."""
        return sorted(n.type for n in self.case.notices.values() if n.open) if self.case else []

    def raised(self, kind: str) -> ExceptionRaised:
        """The last word on an exception of this type."""
        return [r for r in self.records(ExceptionRaised) if r.type == kind][-1]

    def restock(self, hours: float = 6) -> list[Output]:
        """The stock agent and the shop agree to everything that is asked for."""
        made: list[Output] = []
        for intent in self.intents:
            if self.case and intent.intent_id not in self.case.learnt.results:
                made += self.feed(verdict(intent, hours=hours), result(intent.intent_id, "restock", hours=hours))
        return made

    def pay(self, hours: float = 9) -> list[Output]:
        """The shop pays every refund that it was not told of yet, as it was decided, and what follows from that."""
        made: list[Output] = []
        while due := [r for r in self.commands(Refund) if self.case and r.command_id not in self.case.learnt.results]:
            made += self.feed(*(applied(refund, hours) for refund in due))
        return made

    def marked(self, hours: float = 5) -> None:
        """Every mark for people was left."""
        for mark in self.commands(Annotate):
            self.feed(result(mark.command_id, "annotate", hours=hours))

    def stages(self) -> dict[str, str]:
        """Stage per unit id."""
        if self.case is None:
            return {}
        return {s.seat.unit.unit_id: s.stage for s in surveyed(self.case, self.rules).standings}

    def waits(self) -> dict[str, str]:
        """Guard that each unit waits for, "" when it is closed."""
        return {} if self.case is None else {k.split("/")[1]: w.guard for k, w in self.case.waiting.items()}


def applied(command: Refund | StoreCredit | Exchange, hours: float = 9) -> CommandResult:
    return result(command.command_id, kind_of(command), hours=hours)


def of(kind: type[T], outputs: list[Output]) -> list[T]:
    return [o.record for o in outputs if isinstance(o.record, kind)]


def paid(run: Run) -> list[int]:
    """What the refunds decided so far come to, in minor units."""
    return [refund.amount_minor for refund in run.commands(Refund)]
