"""Bounded model check: every state that any fact in any order can reach for one line, per operating model.

Breadth first; states that differ only in when something was decided or said are one state. After every transition the
invariants hold, and in every state the facts that led to it change nothing and repeat what is open when they are
processed again. RETURNFLOW_FACTS=9 (up to 14) takes that many facts instead of 7, lets any command be refused and adds
the line of two units, for minutes or hours; -s shows the counts.
"""

import os
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from msgspec.structs import replace

from schemas import ids
from schemas.commands import Annotate, Command, Exchange, Refund, StoreCredit
from schemas.merchant import Merchant, load
from schemas.stock import StockItem
from streams.domain.case import decide_case
from streams.domain.stock import StockFact
from tests.unit.domain.factories import (
    asked,
    at,
    covers,
    deadline,
    event,
    inspected,
    item,
    line,
    order,
    put_back,
    refunded,
    transaction,
    unit,
)
from tests.unit.domain.invariants import Watch
from tests.unit.domain.rows import ANSWERS, name_of
from tests.unit.domain.world import AnyFact, World, settled

FACTS = int(os.environ.get("RETURNFLOW_FACTS", "7"))
DAY_MS = 86_400_000
FOLDER = Path(__file__).parents[2] / "golden" / "decisions"
# lightspeed-r decides as lightspeed-x does; only its sink differs
MODELS = sorted({path.parent.name for path in FOLDER.glob("*/merchant.toml")} - {"lightspeed-r"})


def alphabet(model: str, units: int) -> list[AnyFact]:
    """Facts that may come, each at its own time, in any order of arrival; the more telling ones first."""
    named = [unit(f"u{i + 1}") for i in range(units)]
    bought: AnyFact = replace(order(line(quantity=units)), system=model)
    by_others = refunded("R9", 1000, covers(), hours=4, actor="other")
    own: dict[str, AnyFact] = {
        "shopify": by_others,
        "sitoo": by_others,  # the payment system pays
        "linnworks": transaction(1000, "success", external_id="R9"),
        "patchworks": transaction(1000, units=("u1",)),
    }
    facts: list[AnyFact] = [bought]
    facts += [*asked(*named), inspected(named[0]), inspected(named[0], "damaged", hours=6)]
    facts += [own.get(model, event("received", *named, hours=4)), event("cancelled", *named, hours=7)]
    facts += [inspected(each, "missing", hours=5) for each in named[1:]]
    facts.append(replace(item(), system=model))
    facts += [event("reopened", *named, hours=8), put_back("D9", covers(), hours=4)]
    facts += [event("resolved", *named, hours=9), deadline(900), refunded("R8", 1000, covers(), hours=4, actor="other")]
    return facts[: FACTS + units - 1]


def answers(watch: Watch) -> list[AnyFact]:
    """What the systems may say to each command without an answer. Marks for people are always left."""
    pending = [c for i, c in watch.world.commands.items() if i not in watch.world.settled]
    refusable = Refund | StoreCredit | Exchange if FACTS <= 7 else Command
    return [
        settled(command, outcome, at_ms=at(10), code=None if outcome == "applied" else "rejected_by_system")
        for command in pending if not isinstance(command, Annotate)
        for outcome in ("applied", "rejected") if outcome == "applied" or isinstance(command, refusable)
    ]  # fmt: skip


def key(watch: Watch) -> bytes:
    """What a state is, whatever way led to it: times at which something was decided or said are left out."""
    case = watch.world.case
    told = None if case is None else msgspec.to_builtins((case.decided, case.open, case.notices, case.waiting))
    rest = None if case is None else msgspec.to_builtins((case.learnt, case.tag, case.attention, case.announced))
    items = {sku: msgspec.to_builtins(each) for sku, each in watch.world.items.items()}
    parts = [_timeless(told), rest, _timeless(items), sorted(watch.world.settled), sorted(watch.inbox.open)]
    return ids.digest(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).encode()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_timeless(each) for each in value]
    return 0 if isinstance(value, int) and value > DAY_MS else value


def explore(merchant: Merchant, facts: list[AnyFact]) -> tuple[int, int]:
    """(states, transitions) that were reached and hold."""
    first = Watch(World(merchant))
    if not any(isinstance(fact, StockItem) for fact in facts):
        first.step(replace(item(), system=merchant.model.stock))  # known from the start
    seen = {key(first)}
    todo = deque([first])
    transitions = 0
    while todo:
        here = todo.popleft()
        for fact in [f for f in facts if f not in here.facts] + answers(here):
            there = here.fork()
            there.step(fact)
            there.world.acknowledge_marks(at(10))
            transitions += 1
            name = key(there)
            if name not in seen:
                seen.add(name)
                there.again(fact)
                replayed(there)
                todo.append(there)
    return len(seen), transitions


def replayed(watch: Watch) -> None:
    """Every fact of the case once more, onto the row that knows them all."""
    case, told = watch.world.case, [fact for fact in watch.facts if not isinstance(fact, ANSWERS | StockFact)]
    for fact in told:
        after, made = decide_case(case, fact, watch.world.rules)
        assert case is not None
        assert after is case, f"{fact} changed the row that knows it"
        assert sorted(name_of(output.record) for output in made) == sorted(case.open)


@pytest.mark.req("INV-1", "INV-13", "MON-1", "MON-11", "EXC-1", "EXC-4", "ELG-2")
@pytest.mark.parametrize("units", [1] if FACTS <= 7 else [1, 2])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.timeout(0 if FACTS > 7 else 240)
def test_every_reachable_state_holds(model: str, units: int) -> None:
    states, transitions = explore(load(FOLDER / model / "merchant.toml"), alphabet(model, units))
    print(f"{model}, {units} unit(s): {states} states, {transitions} transitions")  # noqa: T201
    assert states > 100
