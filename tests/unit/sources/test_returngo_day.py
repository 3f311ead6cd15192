"""A day of returns against ReturnGO's limit, scaled down with its calls and polls. `make day` plays all of it."""

import os
from collections import Counter
from pathlib import Path

import pytest

from sinks.shedding import LEFT_OUT_FIRST
from tests.unit.sources.returngo_day import HOUR, KEY, MIDNIGHT_MS, PRICE_MINOR, Day, playing

SCALE = float(os.environ.get("RETURNFLOW_DAY_SCALE", "0.05"))  # 1: a real day
LIMIT = int(2_000 * SCALE)
POLL_SECONDS = int(900 / SCALE) if SCALE > 0.1 else 14_400


def calls(day: Day) -> float:
    """Calls of a return, with everything that the day costs."""
    return sum(day.by_operation().values()) / day.returns


def check_books(day: Day) -> None:
    """Whatever was left out: each return is paid and put back exactly as it should be, and in time."""
    ours, all_back = day.of_kind("plain", "asked", "keep"), day.of_kind("plain", "asked", "theirs")
    assert day.paid == Counter(dict.fromkeys(ours, PRICE_MINOR))
    assert day.restocked == Counter(dict.fromkeys(all_back, 1))
    assert day.inspected_ms.keys() == day.validated_ms.keys() == set(all_back)
    assert max(day.inspected_ms[name] - at_ms for name, at_ms in day.validated_ms.items()) <= 60_000
    asked = [rma for rma in day.store.rmas.values() if str(rma.order_id) in day.of_kind("asked")]
    assert {(each.payouts[0].status, each.payouts[0].reference) for each in asked} == {
        ("Success", f"R{each.order_id}") for each in asked
    }
    assert len(day.told_ms) == len(asked)
    assert max(day.told_ms) <= 60_000
    assert day.refused == []
    assert day.world.accounts[KEY].limited == 0  # no 429 of our own


async def played(folder: Path, returns_a_day: int) -> Day:
    async with playing(folder, int(returns_a_day * SCALE), limit=LIMIT, poll_seconds=POLL_SECONDS) as day:
        await day.run(MIDNIGHT_MS + 24 * HOUR - 1)
    return day


@pytest.mark.req("OPS-3")
async def test_a_calm_day_costs_three_calls_a_return_at_most(tmp_path: Path) -> None:
    day = await played(tmp_path, 600)
    check_books(day)
    assert calls(day) <= 3.0


@pytest.mark.req("OPS-3")
async def test_a_day_of_a_thousand_returns_stays_within_two_thousand_calls(tmp_path: Path) -> None:
    day = await played(tmp_path, 1_000)
    check_books(day)
    assert calls(day) <= 2.0
    assert day.left_out["comment"] > 0
    assert set(day.left_out) <= set(LEFT_OUT_FIRST)


@pytest.mark.req("OPS-3")
async def test_a_peak_costs_one_and_a_half_calls_a_return_and_leaves_out_in_the_written_order(tmp_path: Path) -> None:
    """What was left out goes out when the next day has calls for it."""
    async with playing(tmp_path, int(1_400 * SCALE), limit=LIMIT, poll_seconds=POLL_SECONDS) as day:
        await day.run(MIDNIGHT_MS + 24 * HOUR - 1)
        check_books(day)
        assert calls(day) <= 1.5
        written = {use: day.done[use] / max(1, day.done[use] + day.waiting(use)) for use in ("comment", "status")}
        assert written["comment"] <= written["status"] < 1.0
        late = day.waiting("status")
        await day.run(MIDNIGHT_MS + 40 * HOUR)
        assert 0 < day.waiting("status") < late  # what matters more goes first, and there are calls again
        check_books(day)
