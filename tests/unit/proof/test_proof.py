"""A small part of `make proof`, the same every time: real flows against the sandbox's rounding rules."""

import pytest
from click.testing import CliRunner

from ops.proof import verdict
from ops.proof.__main__ import main
from ops.proof.cases import case
from ops.proof.play import Player
from ops.sandbox.shopify.rounding import RULES
from streams.domain import rounding

SEED = 2026


@pytest.mark.req("MON-2", "MON-3", "MON-6", "MON-11")
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("number", range(3))
def test_every_line_is_paid_exactly_what_it_cost(rule: str, number: int) -> None:
    assert verdict.prove(SEED, number, rule) == []


@pytest.mark.req("MON-2", "MON-11")
def test_a_cent_from_another_payment_refuses_no_later_refund() -> None:
    assert verdict.prove(777_123, 124, "cumulative") == []  # split over three payments, the next decided at once


def test_the_same_seed_gives_the_same_orders() -> None:
    assert case(SEED, 1) == case(SEED, 1) != case(SEED, 2)


def test_rules_round_differently_so_that_the_proof_proves_something() -> None:
    paid = {rule: [_amounts(number, rule) for number in range(3)] for rule in ("last_unit", "first_unit")}
    assert paid["last_unit"] != paid["first_unit"]


def _amounts(number: int, rule: str) -> list[int | None]:
    player = Player(case(SEED, number), rule)
    player.play(case(SEED, number).parts)
    assert player.state is not None
    return [result.amount_minor for _, result in sorted(player.state.learnt.results.items())]


def test_a_cent_that_is_not_followed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounding, "leeway", lambda *_: 0)
    assert any(verdict.prove(SEED, number, "first_unit") for number in range(3))


def test_the_seed_is_said_and_given() -> None:
    said = CliRunner().invoke(main, ["--orders", "0", "--seed", "5"])
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "seed 5: 0 played, 0 refuted")
