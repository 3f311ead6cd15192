"""An exception exists if and only if its cause does, as far as facts and rules tell it without the code that decides.

Checked after every fact of every run. The model check and any life (invariants.py) are held to the same.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import Command
from schemas.merchant import Merchant
from schemas.stock import RestockIntent
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.state import Case
from tests.unit.domain.inbox import Inbox
from tests.unit.domain.rows import name_of
from tests.unit.domain.test_contradictions import CASES, sound
from tests.unit.domain.test_reprocessing import histories
from tests.unit.domain.told_run import Told
from tests.unit.domain.troubles import RULES, bought_from, troubles


def held_to_the_facts(rules: Merchant, facts: list[Fact]) -> Inbox:
    """The inbox at the end; AssertionError where it was not as the facts have it at any time."""
    case: Case | None = None
    inbox = Inbox()
    sent: dict[tuple[type, str], Command | RestockIntent] = {}
    for count, fact in enumerate(facts, 1):
        case, made = decide_case(case, fact, rules)
        for output in made:
            if isinstance(output.record, Command | RestockIntent):
                sent[type(output.record), name_of(output.record)] = output.record
        inbox.hear(made)
        inbox.agrees(case)
        inbox.caused(Told(tuple(facts[:count]), list(sent.values()), rules))
    return inbox


@pytest.mark.req("EXC-1", "EXC-3", "EXC-4")
@given(run=st.one_of(troubles(), troubles(calm=True), troubles(calm=True)))
@settings(max_examples=150, deadline=None)
def test_whatever_is_odd_is_raised_and_nothing_else(run: tuple[Merchant, list[Fact]]) -> None:
    held_to_the_facts(*run)


@pytest.mark.req("EXC-1", "EXC-4")
@given(run=histories())
@settings(max_examples=50, deadline=None)
def test_in_any_history_an_exception_is_open_as_long_as_its_cause_is_there(run: tuple[Merchant, list[Fact]]) -> None:
    rules, facts = run
    words: dict[str, Fact] = {}
    for fact in facts:
        words.setdefault(getattr(fact, "fact_id", "") or f"result {getattr(fact, 'command_id', '')}", fact)
    held_to_the_facts(rules, list(words.values()))


@pytest.mark.req("EXC-4")
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.model.system)
@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_raised_under_every_model_as_the_facts_have_it(rules: Merchant, name: str) -> None:
    facts, _, _ = CASES[name]
    held_to_the_facts(rules, [*bought_from(rules), *facts, *sound()])
