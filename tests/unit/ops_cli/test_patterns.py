"""Returned units counted: once each, as the newest inspection found them."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ops.cli import main
from ops.patterns import DIMENSIONS, Dimension, counted, gather, inspected, sources
from schemas.journal import CaseStep
from tests.unit.domain import factories
from tests.unit.domain.factories import Run, asked, rules
from tests.unit.domain.merchants import merchant
from tests.unit.ops_cli.samples import T0, step

BOTH = frozenset({"returngo", "warehouse"})
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3_600_000, 86_400_000


def asked_back(number: int, reason: str, *units: str, **more: object) -> CaseStep:
    fields: dict[str, object] = {"unit_ids": units, "reason": reason, "sku": "TEE", "quantity": len(units)}
    return step(number, "learned", "requested", **{"actor": "returngo", **fields, **more})


def found(number: int, disposition: str, *units: str, **more: object) -> CaseStep:
    fields: dict[str, object] = {"unit_ids": units, "disposition": disposition, "location": "dock", "sku": "TEE"}
    return step(number, "learned", "inspected", **{"quantity": len(units), "actor": "returngo", **fields, **more})


def pieces(number: int, disposition: str, quantity: int, **more: object) -> CaseStep:
    return found(number, disposition, **{"quantity": quantity, "actor": "warehouse", "location": "W1", **more})


def rows(
    steps: list[CaseStep], *by: Dimension, since: date | None = None, until: date | None = None,
    zone: ZoneInfo = BERLIN, counting: frozenset[str] = BOTH,
) -> list[tuple[Any, ...]]:  # fmt: skip
    made = counted(inspected(gather(steps, counting)), by, zone, since, until)
    return [(*row.values, row.units) for row in made]


@pytest.mark.req("EXC-7")
def test_units_are_counted_by_any_of_the_dimensions() -> None:
    steps = [
        asked_back(1, "Too small", "u1", "u2"),
        asked_back(2, "Torn", "u3", sku="CAP"),
        found(3, "sellable", "u1", "u2"),
        found(4, "damaged", "u3", sku="CAP", location="pen", at_ms=T0 + 40 * DAY),
    ]
    assert rows(steps, "reason", "sku") == [("Too small", "TEE", 2), ("Torn", "CAP", 1)]
    assert rows(steps, "disposition", "location") == [("sellable", "dock", 2), ("damaged", "pen", 1)]
    assert rows(steps, "month", "reason") == [("2026-01", "Too small", 2), ("2026-02", "Torn", 1)]
    assert rows(steps, "week") == [("2026-W01", 2), ("2026-W07", 1)]


@pytest.mark.req("EXC-7")
def test_the_last_word_on_a_unit_counts() -> None:
    steps = [found(1, "sellable", "u1", "u2"), found(2, "damaged", "u2"), found(2, "damaged", "u2")]
    assert rows(steps, "disposition") == [("damaged", 1), ("sellable", 1)]


def test_what_was_only_asked_for_or_has_arrived_is_not_counted() -> None:
    steps = [asked_back(1, "Torn", "u1"), step(2, "learned", "received", unit_ids=("u1",), quantity=1)]
    assert rows(steps, "reason") == []


def test_most_units_come_first_and_what_nobody_told_is_empty() -> None:
    steps = [found(1, "sellable", "u1", "u2", location=None), found(2, "damaged", "u3")]
    assert rows(steps, "location", "reason") == [("", "", 2), ("dock", "", 1)]


def test_fewer_than_none_are_none() -> None:
    assert rows([found(1, "sellable", "u1", quantity=-3), pieces(2, "sellable", -3, sku="CAP")], "sku") == []


@pytest.mark.req("EXC-7")
def test_a_day_begins_and_ends_where_the_merchant_is() -> None:
    late = found(1, "sellable", "u1", at_ms=T0 + 23 * HOUR + HOUR // 2)  # after midnight in Berlin
    second = date(2026, 1, 2)
    assert rows([late], "day") == [("2026-01-02", 1)]
    assert rows([late], "day", zone=ZoneInfo("UTC")) == [("2026-01-01", 1)]
    assert rows([late], "sku", since=second, until=second) == [("TEE", 1)]
    assert rows([late], "sku", until=date(2026, 1, 1)) == []
    assert rows([late], "sku", since=date(2026, 1, 3)) == []


@pytest.mark.parametrize("at_ms", [-1, 2**62])
def test_a_time_that_cannot_be_is_counted_at_the_end_of_the_calendar(at_ms: int) -> None:
    assert [units for *_, units in rows([found(1, "sellable", "u1", at_ms=at_ms)], "day", "week", "month")] == [1]


@pytest.mark.req("EXC-7", "INV-18")
def test_pieces_are_the_units_that_were_asked_back_and_take_their_reason() -> None:
    steps = [asked_back(1, "Torn", "u1", "u2"), pieces(2, "damaged", 2), pieces(3, "sellable", 1)]
    assert rows(steps, "reason", "disposition") == [("Torn", "damaged", 2), ("", "sellable", 1)]


def test_a_unit_that_both_inspected_counts_once_as_the_newest_found_it() -> None:
    steps = [found(1, "sellable", "u1"), pieces(2, "damaged", 1, rma_id="")]
    assert rows(steps, "disposition", "location") == [("damaged", "W1", 1)]
    assert rows([steps[1], found(5, "sellable", "u1")], "disposition", "location") == [("sellable", "dock", 1)]


@pytest.mark.parametrize("number", range(2, 12))  # whatever the ids come to
def test_of_two_inspections_under_one_date_the_one_that_was_read_last_counts(number: int) -> None:
    first = found(number, "damaged", "u1", at_ms=T0, read_order=7)
    second = found(number + 10, "sellable", "u1", at_ms=T0, read_order=8)
    for steps in ([first, second], [second, first, second]):
        assert rows(steps, "disposition") == [("sellable", 1)]


def test_pieces_of_another_line_return_or_order_are_others() -> None:
    unit = found(1, "sellable", "u1", line_id="L1")
    for more in ({"line_id": "L2"}, {"sku": "CAP"}, {"rma_id": "R2"}, {"order_id": "1002"}):
        assert sum(units for *_, units in rows([unit, pieces(2, "sellable", 1, **more)], "sku")) == 2, more


def test_only_the_inspections_that_count_for_the_merchant_are_counted() -> None:
    steps = [asked_back(1, "Torn", "u1"), found(2, "sellable", "u1"), pieces(3, "damaged", 1)]
    for source, seen in (("returngo", "sellable"), ("warehouse", "damaged")):
        counting = sources(rules(inspecting={"source": source}))
        assert rows(steps, "disposition", counting=counting) == [(seen, 1)]
    assert sources(rules(inspecting={"source": "either"})) == BOTH
    model, store = {"inspecting": {"source": "warehouse"}}, {"name": "store", "location": "7"}
    assert sources(merchant(model=model, models=[store])) == {"warehouse"}  # a place decides nothing about it
    assert sources(merchant(model=model, models=[{"name": "web", "channel": "shopify/web"}])) == BOTH


@pytest.mark.req("EXC-7")
def test_the_journal_of_a_real_case_can_be_read() -> None:
    torn, small = factories.unit("u1", reason="Torn"), factories.unit("u2", reason="Too small")
    run = Run()
    run.feed(factories.order(factories.line(quantity=2)), *asked(torn, small))
    run.feed(factories.inspected(torn, "sellable", hours=5), factories.inspected(small, hours=5))
    run.feed(factories.inspected(torn, "damaged", hours=30))
    steps = run.records(CaseStep)
    assert rows(steps, "reason", "disposition", "location", "sku") == [
        ("Too small", "sellable", "dock", "TEE", 1),
        ("Torn", "damaged", "dock", "TEE", 1),
    ]


UNITS = st.lists(st.sampled_from(["u1", "u2", "u3"]), min_size=1, max_size=3, unique=True)
STEPS = st.lists(
    st.one_of(
        st.builds(lambda reason, units: ("asked", reason, units), st.sampled_from(["Torn", "Too small"]), UNITS),
        st.builds(lambda grade, units: ("found", grade, units), st.sampled_from(["sellable", "damaged"]), UNITS),
        st.builds(lambda grade, n: ("pieces", grade, n), st.sampled_from(["sellable", "damaged"]), st.integers(1, 4)),
    ),
    max_size=8,
)  # fmt: skip


def told(drawn: list[tuple[str, str, object]]) -> list[CaseStep]:
    made = []
    for number, (kind, word, units) in enumerate(drawn):
        if kind == "pieces":
            made.append(pieces(number, word, units))  # type: ignore[arg-type]  # as drawn
        else:
            made.append((asked_back if kind == "asked" else found)(number, word, *units))  # type: ignore[misc]  # as drawn
    return made


@pytest.mark.req("EXC-7")
@given(STEPS, st.randoms(use_true_random=False), st.sets(st.sampled_from(DIMENSIONS)))
def test_what_is_written_twice_or_in_another_order_counts_the_same(
    drawn: list[tuple[str, str, object]], chance: object, by: set[Dimension]
) -> None:
    steps = told(drawn)
    again = steps + steps[: len(steps) // 2]
    chance.shuffle(again)  # type: ignore[attr-defined]  # a Random
    chosen = sorted(by)
    assert rows(again, *chosen) == rows(steps, *chosen)


@pytest.mark.req("EXC-7")
@given(STEPS)
def test_as_many_units_are_counted_as_were_inspected(drawn: list[tuple[str, str, object]]) -> None:
    steps = told(drawn)
    named = {unit for each in steps if each.what == "inspected" for unit in each.unit_ids}
    by_count = sum(each.quantity or 0 for each in steps if each.actor == "warehouse")
    total = sum(units for *_, units in rows(steps, "disposition"))
    assert max(len(named), by_count) <= total <= len(named) + by_count  # a piece may be a unit that was named, too
    assert all(sum(units for *_, units in rows(steps, each)) == total for each in DIMENSIONS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--by", "colour"),
            "expected some of reason,sku,location,disposition,day,week,month, each once, got 'colour'",
        ),
        (("--by", "sku,sku"), "got 'sku,sku'"),
        (("--since", "yesterday"), "expected a day such as 2026-03-01, got 'yesterday'"),
        (
            ("--since", "2026-02-01", "--until", "2026-01-01"),
            "expected no day after --until 2026-01-01, got 2026-02-01",
        ),
    ],
)
def test_a_bad_question_says_what_can_be_asked(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, ["patterns", "demo-shop", *arguments])
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_an_unknown_merchant_is_named_beside_those_that_are_known() -> None:
    result = CliRunner().invoke(main, ["patterns", "nobody", "--merchants", "merchants"])
    assert result.exit_code == 2
    assert result.stderr == "returnflow: expected a merchant with a file in merchants: demo-shop; got 'nobody'\n"
