"""Facts of golden examples, one short line each: `5h inspected u1 sellable at dock`. STEPS lists what can be said.

A line may be followed by a mapping that overrides fields of its record; amounts are written in major units there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from schemas import money
from schemas.commands import CommandOutcome, CommandResult, Restock
from schemas.facts import (
    DeadlineReached,
    ObservedEffect,
    OrderLine,
    OrderSnapshot,
    Payment,
    RefundedLine,
    RefundedTender,
    ReturnedUnit,
    ReturnEvent,
    ReturnTransaction,
)
from schemas.stock import StockItem, StockLevel
from tests.unit.domain.world import AnyFact, World, settled

S = TypeVar("S", bound=msgspec.Struct)
Raw = Mapping[str, Any]
ORDER, RMA = "5001", "100"
DAY_ONE = 1_772_000_000_000
HOUR = 3_600_000
UNITS = r"(?: (?P<units>u\w+(?:, u\w+)*))?(?: of RMA (?P<rma>\w+))?(?: by (?P<by>[\w-]+))?"


class Script:
    """Reads the lines of one example in its own order, units and currency."""

    def __init__(self, example: Raw, world: World) -> None:
        self._world = world
        self._order: Raw = example["order"]
        self._units: dict[str, Raw] = example["units"]
        self._currency: str = self._order.get("currency", world.rules.currency)
        self._count = 0

    def facts(self, line: str, more: Raw) -> Iterable[AnyFact]:
        """The facts of a line, `more` overriding fields; raises ValueError for a line that no step fits."""
        said = re.fullmatch(r"(?P<hours>-?[\d.]+)h (?P<what>.+)", line)
        for pattern, step in STEPS if said else ():
            if said and (found := re.fullmatch(pattern, said["what"])):
                self._count += 1
                return step(self, DAY_ONE + int(float(said["hours"]) * HOUR), found, more)
        raise ValueError(f"expected `<hours>h <step>` with a step of tests/unit/domain/script.py, got {line!r}")

    def order(self, at_ms: int, _: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        raw = {**self._order, **more}
        lines = [self._build(OrderLine, {"line_id": name, **each}) for name, each in raw["lines"].items()]
        paid = [self._build(Payment, {"payment_id": name, **each}) for name, each in raw["payments"].items()]
        head = {
            "system": self._world.rules.model.money, "name": "1001", "created_at_ms": DAY_ONE - 100 * HOUR,
            "currency": self._currency, "shop_currency": self._currency, "taxes_included": True, "customer_id": "C1",
        }  # fmt: skip
        yield self._build(
            OrderSnapshot, {**self._head(), **head, "version_ms": at_ms, **raw, "lines": lines, "payments": paid}
        )

    def milestone(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        kind = said["kind"].replace(" ", "_")
        units = [self._unit(name) for name in _names(said["units"])]
        yield self._event(kind, at_ms, said, {"units": units, **more})

    def inspected(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        seen = {"disposition": said["grade"].replace(" ", "_"), "location": said["place"], "inspected_at_ms": at_ms}
        units = [self._unit(name) | seen | {"disposition_reason": said["why"]} for name in _names(said["units"])]
        yield self._event("inspected", at_ms, said, {"units": units, **more})

    def counted(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        """Pieces that a warehouse counts without naming units; without a grade they only arrived."""
        grade = said["grade"] and said["grade"].replace(" ", "_")
        piece = {
            "unit_id": "", "line_id": said["line"], "sku": said["sku"], "quantity": said["n"], "disposition": grade,
            "location": said["place"],
        }  # fmt: skip
        event = {"units": [piece], "system": "warehouse", **more}
        yield self._event("inspected" if grade else "received", at_ms, said, event)

    def exchange(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        field = "exchange_draft_order_id" if said["draft"] else "exchange_order_id"
        yield self._event("exchange", at_ms, said, {field: said["id"], **more})

    def transaction(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        amount = None if said["amount"] is None else _money(said["amount"], said["currency"] or self._currency)
        raw = {
            "transaction_id": said["id"], "kind": said["kind"].replace(" ", "_"),
            "status": {"asks for": "requested", "reports": "success", "fails": "failed"}[said["word"]],
            "amount": amount, "external_id": said["as"], "unit_ids": _names(said["units"]), **more,
        }  # fmt: skip
        yield self._event("transaction", at_ms, said, {"transaction": self._build(ReturnTransaction, raw)})

    def effect(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        """Something that was done in a system, by anyone but us."""
        kind = {"charge-back": "chargeback"}.get(said["kind"], said["kind"].replace(" ", "_"))
        total = 0 if said["amount"] is None else money.parse(said["amount"], self._currency).minor
        back = said["back"] is not None or kind == "restock"
        lines = [RefundedLine(line_id=said["line"], quantity=int(said["n"]), restocked=back)] if said["line"] else []
        payment, each = next(iter(self._order["payments"].items()))
        tender = RefundedTender(
            transaction_id=f"t{said['id']}", payment_id=payment, tender=each["tender"], amount_minor=total,
            status="success",
        )  # fmt: skip
        raw = {
            "system": self._world.rules.model.money, "kind": kind, "external_id": said["id"], "occurred_at_ms": at_ms,
            "actor": said["by"], "currency": self._currency if total else None, "total_minor": total, "lines": lines,
            "tenders": [tender] if total else [],
        }  # fmt: skip
        yield self._build(ObservedEffect, {**self._head(), **raw, **more})

    def item(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        item_id = None if more.get("exists") == "false" else f"I-{said['sku']}"
        raw = {"sku": said["sku"], "version_ms": at_ms, "item_id": item_id, **self._stock()}
        yield self._build(StockItem, {**raw, **more})

    def level(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        sku = said["sku"]
        raw = {
            "sku": sku, "observed_at_ms": at_ms, "item_id": f"I-{sku}", "location_id": said["place"],
            "available": said["n"], "reference": self._last_restock(sku) if said["ours"] else None, **self._stock(),
        }  # fmt: skip
        yield self._build(StockLevel, {**raw, **more})

    def answer(self, at_ms: int, said: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        """The result of every command of a kind that has none yet."""
        pending = self._world.pending(said["kind"].replace(" ", "_"))
        if not pending:
            raise ValueError(f"expected an open {said['kind']} to be answered at {said.string!r}, found none")
        for command in pending:
            outcome: CommandOutcome = "rejected" if said["word"] == "refused" else "applied"
            external = {f"{said['kind']}_id": said["id"]} if said["id"] and outcome == "applied" else {}
            code = said["id"] if outcome == "rejected" else None
            fact = settled(command, outcome, at_ms=at_ms, external_ids=external, code=code)
            yield self._build(CommandResult, {**msgspec.to_builtins(fact), **more})

    def deadline(self, at_ms: int, _: re.Match[str], more: Raw) -> Iterable[AnyFact]:
        yield self._build(DeadlineReached, {**self._head(), "due_at_ms": at_ms, **more})

    def _event(self, kind: str, at_ms: int, said: re.Match[str], raw: Raw) -> ReturnEvent:
        head = {
            **self._head(), "rma_id": said["rma"] or self._rma(said), "kind": kind, "occurred_at_ms": at_ms,
            "system": said.groupdict().get("by") or "returngo",
        }  # fmt: skip
        units = [each if isinstance(each, msgspec.Struct) else self._build(ReturnedUnit, each)
                 for each in raw.get("units", ())]  # fmt: skip
        return self._build(ReturnEvent, {**head, **raw, "units": units})

    def _rma(self, said: re.Match[str]) -> str:
        named = _names(said.groupdict().get("units"))
        return str(self._units[named[0]].get("rma", RMA)) if named else RMA

    def _unit(self, name: str) -> dict[str, Any]:
        raw = {"line_id": None, "resolution": "refund", "reason": "Does not fit", **self._units[name]}
        raw.pop("rma", None)
        return {"unit_id": name, **raw}

    def _head(self) -> dict[str, Any]:
        return {"fact_id": f"fact-{self._count}", "merchant": self._world.rules.merchant, "order_id": ORDER}

    def _last_restock(self, sku: str) -> str:
        restocks = [each for each in self._world.commands.values() if isinstance(each, Restock)]
        return [each.command_id for each in restocks if each.sku == sku][-1]

    def _stock(self) -> dict[str, Any]:
        return {
            "fact_id": f"fact-{self._count}", "merchant": self._world.rules.merchant,
            "system": self._world.rules.model.stock,
        }  # fmt: skip

    def _build(self, kind: type[S], raw: Raw) -> S:
        """A record of fields as a person writes them: texts for numbers, major units for amounts."""
        fields: dict[str, Any] = {}
        hints = kind.__annotations__
        for name, value in raw.items():
            if name not in hints and f"{name}_minor" in hints:
                fields[f"{name}_minor"] = money.parse(value, self._currency).minor
            elif "Money" in str(hints.get(name)) and isinstance(value, str):
                amount, _, currency = value.partition(" ")
                fields[name] = _money(amount, currency or self._currency)
            else:
                fields[name] = msgspec.to_builtins(value)
        return msgspec.convert(fields, kind, strict=False)


def _names(text: str | None) -> list[str]:
    return text.split(", ") if text else []


def _money(amount: str, currency: str) -> dict[str, Any]:
    return {"minor": money.parse(amount, currency).minor, "currency": currency}


GRADE = r"(?P<grade>sellable|damaged|missing|not returned)"
AMOUNT = r"(?P<amount>-?[\d.]+)(?: (?P<currency>[A-Z]{3}))?"
STEPS: list[tuple[str, Callable[[Script, int, re.Match[str], Raw], Iterable[AnyFact]]]] = [
    ("order", Script.order),
    ("(?P<kind>requested|approved|rejected|cancelled|expired|reopened|in transit|received|resolved)" + UNITS,
     Script.milestone),
    (f"inspected (?P<units>u\\w+(?:, u\\w+)*) {GRADE}(?: at (?P<place>[\\w-]+))?(?: because (?P<why>[^,]+?))?"
     "(?: of RMA (?P<rma>\\w+))?(?: by (?P<by>[\\w-]+))?", Script.inspected),
    (f"counted (?P<n>\\d+) × (?P<sku>[\\w-]+)(?: {GRADE})? at (?P<place>[\\w-]+)(?: of (?P<line>L\\w+))?"
     "(?: of RMA (?P<rma>\\w+))?", Script.counted),
    ("exchange (?P<draft>draft )?order (?P<id>\\w+)(?: of RMA (?P<rma>\\w+))?", Script.exchange),
    (f"ReturnGO (?P<word>asks for|reports|fails) (?P<kind>refund|store credit|gift card) (?P<id>\\w+)"
     f"(?: of {AMOUNT})?(?: as (?P<as>\\w+))?(?: for (?P<units>u\\w+(?:, u\\w+)*))?(?: of RMA (?P<rma>\\w+))?",
     Script.transaction),
    (f"(?P<kind>refund|restock|store return|credit|charge-back) (?P<id>\\w+)(?: of {AMOUNT})? by (?P<by>\\w+)"
     "(?: for (?P<n>\\d+) × (?P<line>L\\w+))?(?P<back>, put back)?", Script.effect),
    ("item (?P<sku>[\\w-]+)", Script.item),
    ("level of (?P<sku>[\\w-]+) at (?P<place>[\\w-]+) is (?P<n>-?\\d+)(?P<ours> after the restock)?", Script.level),
    ("(?P<kind>restock|refund|store credit|exchange|journal|annotate) (?P<word>applied|refused)"
     "(?: (?:as|with) (?P<id>\\w+))?", Script.answer),
    ("time passes", Script.deadline),
]  # fmt: skip
