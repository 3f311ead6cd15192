"""One case, played: facts as the sources make them, decisions as the agent makes them, refunds as a sink makes them."""

import functools
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ops.proof.cases import Case, Part
from ops.proof.shop import CURRENCY, ProofShop
from ops.sandbox.shopify.sales import LineItem
from ops.sandbox_shop import SECRETS
from schemas import ids
from schemas.commands import CommandResult, Refund, StoreCredit, kind_of
from schemas.facts import ReturnedUnit, ReturnEvent, ReturnKind
from schemas.merchant import Merchant, load
from sinks.contract import Attempt
from sinks.outcomes import AlreadyApplied, Applied, Rejected
from sinks.systems import SYSTEMS
from sinks.systems.shopify import read
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.output import Output
from streams.domain.state import Case as CaseState
from streams.sources import returngo_units, shopify_effects, shopify_orders

EXAMPLE = Path(__file__).parents[2] / "merchants" / "demo-shop.toml"
Payment = Refund | StoreCredit
Ended = Applied | AlreadyApplied | Rejected


@functools.cache
def merchant() -> Merchant:
    """The worked example, which tolerates nothing."""
    return load(EXAMPLE)


class Player:
    """Plays a case against a shop of one rule. `refused` are the outcomes that were not a payment."""

    def __init__(self, case: Case, rule: str) -> None:
        self.merchant = merchant()
        self.shop = ProofShop(rule, case.order, case.split)
        self.state: CaseState | None = None
        self.refused: list[str] = []
        self._connection: Any = SYSTEMS["shopify"].connect(
            self.merchant, lambda name: SECRETS[name.removeprefix("env:")]
        )
        self._due: dict[str, Payment] = {}

    def play(self, parts: Sequence[Part]) -> None:
        """Part after part; what is due is paid before the next, unless that comes at once."""
        self._read()
        for number, part in enumerate(parts):
            if part.by == "staff":
                self._pay_all(part)
                self.shop.refund_by_staff(part)
                self._read()
                continue
            for kind in ("requested", "approved", "inspected"):
                self._feed(self._event(kind, number, part))
            if not part.at_once:
                self._pay_all(part)
        if parts:
            self._pay_all(parts[-1])
        self._read()

    def _pay_all(self, part: Part) -> None:
        while self._due:
            command = self._due.pop(next(iter(self._due)))
            outcome = self._attempt(command, 1)
            if part.answer == "lost":
                outcome = self._attempt(command, 2)
            if part.answer == "effect":
                self._read()
            self._feed(self._result(command, outcome))

    def _attempt(self, command: Payment, number: int) -> Ended:
        key = ids.idempotency_key(merchant=command.merchant, command_id=command.command_id, epoch=0)
        sent = None if number == 1 else self.shop.now_ms
        attempt = Attempt(idempotency_key=key, now_ms=self.shop.now_ms, number=number, first_sent_ms=sent)
        outcome = self.shop.drive(SYSTEMS["shopify"].flow(command, self._connection, self.merchant, attempt))
        self.shop.tick()
        if isinstance(outcome, Applied | AlreadyApplied | Rejected):
            return outcome
        raise AssertionError(f"expected an end of {command.command_id}, got {outcome}")

    def _result(self, command: Payment, outcome: Ended) -> CommandResult:
        done = CommandResult(
            command_id=command.command_id, merchant=command.merchant, system=command.system,
            order_id=command.order_id, rma_id=command.rma_id, unit_ids=command.unit_ids, kind=kind_of(command),
            outcome="rejected", settled_at_ms=self.shop.now_ms, attempts=1,
        )  # fmt: skip
        if isinstance(outcome, Applied | AlreadyApplied):
            word = "applied" if isinstance(outcome, Applied) else "already_applied"
            lines = outcome.lines if isinstance(outcome, Applied) else ()
            return msgspec.structs.replace(
                done, outcome=word, amount=outcome.amount, external_ids=outcome.external_ids, lines=lines
            )
        self.refused.append(f"{outcome.code}: {outcome.detail}")
        return msgspec.structs.replace(done, code=outcome.code, detail=outcome.detail)

    def _read(self) -> None:
        order_id = str(self.shop.order.number)
        row = self.shop.drive(read.order(self._connection, order_id))
        if row is None:
            raise AssertionError(f"order {order_id} is gone")
        self._feed(shopify_orders.snapshot(row, merchant=self.merchant.merchant))
        for effect in shopify_effects.effects(row, merchant=self.merchant.merchant):
            self._feed(effect)

    def _feed(self, fact: Fact) -> None:
        self.state, made = decide_case(self.state, fact, self.merchant)
        for record in _payments(made):
            known = self.state is not None and record.command_id in self.state.learnt.results
            if not known:
                self._due.setdefault(record.command_id, record)

    def _event(self, kind: str, number: int, part: Part) -> ReturnEvent:
        self.shop.tick()
        lines = self.shop.order.lines
        units = [
            _unit(lines[place], f"{number}-{place}-{n}", part.by, inspected=kind == "inspected", at_ms=self.shop.now_ms)
            for place, count in part.units.items() for n in range(count)
        ]  # fmt: skip
        return ReturnEvent(
            fact_id=ids.fact_id("returngo", f"{number}", kind), merchant=self.merchant.merchant,
            order_id=str(self.shop.order.number), rma_id=str(1000 + number), system="returngo",
            kind=_KINDS[kind], occurred_at_ms=self.shop.now_ms, units=tuple(units),
        )  # fmt: skip


_KINDS: dict[str, ReturnKind] = {"requested": "requested", "approved": "approved", "inspected": "inspected"}
_ASKED = {"refund": "RefundToPaymentMethod", "store_credit": "StoreCredit"}


def _unit(line: LineItem, unit_id: str, by: str, *, inspected: bool, at_ms: int) -> ReturnedUnit:
    """As ReturnGO's API tells it: what the line cost divided by its units, in floating point."""
    row = {
        "returnedItemId": unit_id, "shopLineItemId": str(line.number), "sku": line.sku,
        "resolutionType": _ASKED[by], "returnReason": "Does not fit", "taxIncluded": line.order.taxes_included,
        "paidPrice": _divided(line.discounted_total / line.quantity),
        "paidTax": _divided(line.tax / line.quantity),
    }  # fmt: skip
    unit = returngo_units.unit(row, "items[0]")
    if not inspected:
        return unit
    return msgspec.structs.replace(unit, disposition="sellable", inspected_at_ms=at_ms)


def _divided(amount: Decimal) -> dict[str, object]:
    return {"amount": Decimal(str(float(amount))), "currency": CURRENCY}


def _secret(name: str) -> str:
    return SECRETS[name.removeprefix("env:")]


def _payments(made: Iterable[Output]) -> list[Payment]:
    return [each.record for each in made if isinstance(each.record, Refund | StoreCredit)]
