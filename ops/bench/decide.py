"""The decisions alone: µs per fact of `decide_case` and `decide_stock` with their row's codec, on one core."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from ops.bench.figure import Figure, Kafka
from ops.bench.shop import HOUR_MS, MERCHANT, NOW_MS, ORDER, event, merchant, order
from schemas.commands import Annotate, CommandKind, CommandResult, Refund
from schemas.facts import OrderLine, OrderSnapshot, ReturnedUnit, ReturnKind
from schemas.merchant import Merchant
from schemas.stock import RestockIntent, StockItem, StockLevel
from streams.domain import row as rows
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.state import Case
from streams.domain.stock import Item, StockFact, decide_stock

F = TypeVar("F")
Ordered = Refund | RestockIntent | Annotate
ROUNDS = 300
LINES = 3
_UNITS = tuple(
    ReturnedUnit(unit_id=f"u{i}", line_id=f"L{i}", sku=f"SKU-{i}", resolution="refund", reason="Does not fit")
    for i in range(LINES)
)


def run(_: Kafka) -> Sequence[Figure]:
    """No broker: a case of three lines and twelve facts, and the SKU of one of them."""
    rules = merchant("returngo")
    case_facts = _case_facts(rules)

    def on_case(row: bytes | None, fact: Fact) -> bytes:
        case, _ = decide_case(None if row is None else rows.load(row), fact, rules)
        return b"" if case is None else rows.dump(case)

    stock_facts = _stock_facts(rules, case_facts)
    load, dump = msgspec.msgpack.Decoder(Item).decode, msgspec.msgpack.Encoder().encode

    def on_item(row: bytes | None, fact: StockFact) -> bytes:
        return dump(decide_stock(None if row is None else load(row), fact, rules)[0])

    marks = [_result(command) for command in _commanded(case_facts, rules) if isinstance(command, Annotate)]
    per_fact, row = _timed(case_facts, on_case)
    with_marks = _timed([*case_facts, *marks], on_case)[0]
    per_stock, stock_row = _timed(stock_facts, on_item)
    return [
        Figure(name=f"decide_case, {len(case_facts)} facts: median µs", value=_median(per_fact), target="≤ 40"),
        Figure(name="decide_case, slowest fact: median µs", value=_slowest(per_fact)),
        Figure(name=f"its marks answered, {len(marks)} facts: median µs", value=_median(with_marks[len(case_facts) :])),
        Figure(name=f"all {len(with_marks)} facts: mean of their medians, µs", value=_mean(with_marks)),
        Figure(name="row of the case, bytes", value=f"{row:,}", target="≤ 3,000"),
        Figure(name=f"decide_stock, {len(stock_facts)} facts: median µs", value=_median(per_stock), target="≤ 20"),
        Figure(name="row of the SKU, bytes", value=f"{stock_row:,}"),
    ]


def _timed(facts: Sequence[F], step: Callable[[bytes | None, F], bytes]) -> tuple[list[list[float]], int]:
    """Microseconds of every round per fact, and the size of the last row; rows are read and written as agents do."""
    per_fact: list[list[float]] = [[] for _ in facts]
    row: bytes | None = None
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as agents run
    for _ in range(ROUNDS):
        row = None
        for i, fact in enumerate(facts):
            start = time.perf_counter_ns()
            row = step(row, fact)
            per_fact[i].append((time.perf_counter_ns() - start) / 1000)
    return per_fact, len(row or b"")


def _median(per_fact: list[list[float]]) -> str:
    return f"{statistics.median(each for times in per_fact for each in times):.0f}"


def _slowest(per_fact: list[list[float]]) -> str:
    return f"{max(statistics.median(times) for times in per_fact):.0f}"


def _mean(per_fact: list[list[float]]) -> str:
    return f"{statistics.mean(statistics.median(times) for times in per_fact):.0f}"


def _order() -> OrderSnapshot:
    lines = tuple(
        OrderLine(
            line_id=f"L{i}", sku=f"SKU-{i}", quantity=1, unit_price_minor=1999, tax_minor=319, item_id=f"I{i}",
            variant_id=f"V{i}",
        )
        for i in range(LINES)
    )  # fmt: skip
    return order(lines, 1999 * LINES)


def _case_facts(rules: Merchant) -> list[Fact]:
    """From the order to the last result: the results answer what the facts before them led to."""
    seen = [replace(unit, disposition="sellable", location="dock") for unit in _UNITS]
    facts: list[Fact] = [_order(), *(event(kind, i + 1, *_UNITS) for i, kind in enumerate(_MILESTONES))]
    facts += [event("inspected", 6 + i, unit) for i, unit in enumerate(seen)]
    return facts + [_result(command) for command in _commanded(facts, rules) if not isinstance(command, Annotate)]


_MILESTONES: tuple[ReturnKind, ...] = ("requested", "approved", "in_transit", "received")


def _commanded(facts: Sequence[Fact], rules: Merchant) -> list[Ordered]:
    case: Case | None = None
    made: list[Ordered] = []
    for fact in facts:
        case, outputs = decide_case(case, fact, rules)
        made += [o.record for o in outputs if isinstance(o.record, Refund | RestockIntent | Annotate)]
    return made


def _result(command: Ordered) -> CommandResult:
    kind, named = _ANSWERS[type(command)]
    return CommandResult(
        command_id=command.intent_id if isinstance(command, RestockIntent) else command.command_id,
        merchant=MERCHANT, order_id=ORDER, system="shopify", rma_id="100", unit_ids=command.unit_ids, kind=kind,
        outcome="applied", settled_at_ms=NOW_MS + 20 * HOUR_MS, attempts=1,
        external_ids={named: "gid://shopify/Thing/1"} if named else {},
    )  # fmt: skip


_ANSWERS: dict[type[Ordered], tuple[CommandKind, str]] = {
    Refund: ("refund", "refund_id"), RestockIntent: ("restock", "adjustment_id"), Annotate: ("annotate", ""),
}  # fmt: skip


def _stock_facts(rules: Merchant, facts: Sequence[Fact]) -> list[StockFact]:
    intent = next(c for c in _commanded(facts, rules) if isinstance(c, RestockIntent))
    item = StockItem(
        fact_id="item", merchant=MERCHANT, sku=intent.sku, system="shopify", version_ms=NOW_MS, item_id="I0",
        variant_id="V0",
    )  # fmt: skip
    level = StockLevel(
        fact_id="level", merchant=MERCHANT, sku=intent.sku, system="shopify", item_id="I0", location_id="11",
        observed_at_ms=NOW_MS, available=3,
    )  # fmt: skip
    others = [replace(intent, intent_id=f"intent-{i}", order_id=str(i)) for i in range(9)]
    return [item, level, intent, *others]
