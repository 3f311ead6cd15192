"""`returnflow budget`: what people read of the calls of a day."""

import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from ops.cli.budget import budget, in_words
from sinks.ledger.budgets import Budget, owners
from sinks.systems import returngo
from tests.unit.ops_cli.screen import on_terminal
from tests.unit.systems.givens import STORE

NOON_MS = 1_780_056_000_000  # 2026-05-29 12:00 UTC
MIDNIGHT_MS = NOON_MS + 12 * 3_600_000


def of(ends_ms: int | None, *gives_way: str) -> Budget:
    return Budget(
        system="returngo", owner="group", merchants=("a", "b"), capacity=2000.0, reserve=300.0, left=400.0,
        used={"inspection": 1100.0, "comment": 500.0}, waiting={"marks": 7, "reads": 3}, backlog=0, gives_way=gives_way,
        ends_ms=ends_ms, resets_ms=MIDNIGHT_MS,
    )  # fmt: skip


def test_it_says_when_the_budget_ends_and_what_is_left_out() -> None:
    told = in_words(of(NOON_MS + (4 * 60 + 40) * 60_000, "comment"), NOON_MS)
    assert told[0] == (
        "returngo group (a, b): 1600 of 2000 calls used, 400 left; the budget ends at 16:40 UTC: the day ends in 12 h"
    )
    assert "  comments on returns: 500, left out now" in told
    assert told[-1] == "  left out and waiting: 7 marks, 3 reads"


def test_it_says_that_the_budget_lasts() -> None:
    assert "the budget lasts" in in_words(of(None), NOON_MS)[0]


@pytest.mark.parametrize("left", [0.4, 0.0, -7.3])
def test_what_is_used_up_is_no_forecast_any_more(left: float) -> None:
    (first, *_) = in_words(msgspec.structs.replace(of(NOON_MS), left=left), NOON_MS)
    assert first.endswith("1600 of 2000 calls used, 0 left; the budget is used up: the day ends in 12 h")


def test_stores_of_one_owner_are_one_budget() -> None:
    limits = returngo.SYSTEM.limits(STORE)
    assert [merchants for _, merchants in owners({"a": limits, "b": limits}).values()] == [("a", "b")]


def test_the_command_reads_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_SHOP_RETURNGO_KEY", "day-of-calls")
    merchants = tmp_path / "merchants"  # a checkout's own folder may hold files of whoever tries it
    merchants.mkdir()
    shutil.copy(Path(__file__).parents[3] / "merchants" / "demo-shop.toml", merchants)
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    piped = CliRunner().invoke(budget, ["--merchants", str(merchants), "--ledger", ledger])
    head, row = (line.split("\t") for line in piped.output.splitlines())
    assert dict(zip(head, row, strict=True))["left"] == "2000"
    on_terminal(monkeypatch)
    done = CliRunner().invoke(budget, ["--merchants", str(merchants), "--ledger", ledger])
    assert done.output.startswith("returngo demo-group (demo-shop): 0 of 2000 calls used, 2000 left; the budget lasts")
