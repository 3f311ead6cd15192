"""How the price of one decision grows with its case: CPU ms per decision at two sizes, for each shape of a large case.

A shape is the facts of a case of `n`; they are learnt in one go, and `first` is the decision on the last of them.
`then` is one more decision, when all that was decided has its result. The exponent is that of n between the two sizes:
1 grows with the case, 2 with its square.
"""

import gc
import math
import time
from collections.abc import Sequence

from msgspec.structs import replace

from ops.bench.crossed import CROSSED
from ops.bench.figure import Figure, Kafka
from ops.bench.shapes import SHAPES, Shape
from ops.bench.shop import HOUR_MS, MERCHANT, NOW_MS, ORDER, merchant
from schemas.commands import CommandKind, CommandResult, Exchange, Refund
from schemas.merchant import Merchant
from schemas.money import Money
from schemas.stock import RestockIntent
from streams.domain.case import decide_case
from streams.domain.learn import learn
from streams.domain.output import Output
from streams.domain.state import Case

EVERY = SHAPES | CROSSED
MOST_MS = {500: 50, 2000: 250}  # by size
ROUNDS = 3  # the best counts: whatever else the machine did is no part of the price
_TARGET = "≤ " + ", ".join(f"{most} ms" for most in MOST_MS.values())


def run(_: Kafka) -> Sequence[Figure]:
    """No broker."""
    rules = merchant()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as agents run
    sizes = " ".join(f"{n:5}" for n in MOST_MS)
    title = Figure(name="CPU ms per decision on", value=f"{sizes} first  {sizes} then", target=_TARGET)
    return [title, *(_figure(name, shape, rules) for name, shape in EVERY.items())]


def decided(shape: Shape, n: int, rules: Merchant) -> tuple[float, Case | None, list[Output]]:
    """CPU seconds that the decision on the last fact of a case of `n` takes, and what came of it."""
    *before, last = shape(n)
    learnt = None
    for fact in before:
        learnt = learn(learnt, fact)
    case = None if learnt is None else Case(None, learnt)
    gc.collect()
    start = time.process_time()
    case, outputs = decide_case(case, last, rules)
    return time.process_time() - start, case, outputs


def settled(shape: Shape, n: int, rules: Merchant) -> float:
    """CPU seconds that a further decision takes once all that was decided has its result."""
    _, case, outputs = decided(shape, n, rules)
    results = [r for r in (_result(o.record) for o in outputs) if r is not None]
    if case is None or not results:
        return 0.0
    learnt = case.learnt
    for result in results[:-1]:
        learnt = learn(learnt, result)
    case = replace(case, learnt=learnt)
    gc.collect()
    start = time.process_time()
    decide_case(case, results[-1], rules)
    return time.process_time() - start


def _figure(name: str, shape: Shape, rules: Merchant) -> Figure:
    decided(shape, 20, rules)  # warm
    first = [min(decided(shape, n, rules)[0] for _ in range(ROUNDS)) for n in MOST_MS]
    after = [min(settled(shape, n, rules) for _ in range(ROUNDS)) for n in MOST_MS]
    within = all(round(1000 * s) <= MOST_MS[n] for row in (first, after) for n, s in zip(MOST_MS, row, strict=True))
    return Figure(name=name, value=f"{_row(first)}  {_row(after)}", target="ok" if within else "over")


def _row(seconds: Sequence[float]) -> str:
    small, large = seconds
    exponent = f"n^{math.log(large / small, max(MOST_MS) / min(MOST_MS)):.1f}" if small > 0 else ""
    return f"{1000 * small:5.0f} {1000 * large:5.0f} {exponent:5}"


def _result(record: object) -> CommandResult | None:
    match record:
        case RestockIntent():
            return _applied(record, record.intent_id, "restock", None)
        case Refund():
            return _applied(record, record.command_id, "refund", record.amount_minor)
        case Exchange():
            return _applied(record, record.command_id, "exchange", 0)
        case _:
            return None


def _applied(
    record: RestockIntent | Refund | Exchange, command_id: str, kind: CommandKind, minor: int | None
) -> CommandResult:
    return CommandResult(
        command_id=command_id, merchant=MERCHANT, system="shopify", order_id=ORDER, rma_id=record.rma_id,
        unit_ids=record.unit_ids, kind=kind, outcome="applied", settled_at_ms=NOW_MS + 50 * HOUR_MS, attempts=1,
        external_ids={f"{kind}_id": f"x-{command_id}"},
        amount=None if minor is None else Money(minor=minor, currency="EUR"),
    )  # fmt: skip
