"""Facts that are processed again re-emit what is open and nothing else, from whatever point that happens.

A worker that crashes holds an older row and reads on from that row's offset; what it had sent may have left or not. An
operator replays a topic onto rows that know it all. A row that was lost is built again from all facts.

In the same order, all of this is exact to the last byte, whatever the facts. A rebuild that reads the topics in another
order is the same except for times and marks for people, as long as no fact supersedes another and no deadline or
outside effect falls in between: with those, other units may be paid together, and so under another id.
"""

from collections.abc import Sequence
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Annotate, CommandResult
from schemas.merchant import Merchant
from streams.domain import act
from streams.domain.learn import Fact
from streams.domain.output import Sent
from streams.domain.stock import StockFact
from tests.unit.domain import test_any_life, test_any_order, test_models_any_order, test_money_any_order
from tests.unit.domain.factories import Run, deadline
from tests.unit.domain.rows import Step, each_stored, in_one_batch, load, name_of, repeats_what_is_open

History = tuple[Merchant, list[Fact]]


def sound() -> st.SearchStrategy[History]:
    """Histories in which nothing supersedes anything, with every answer, under any model."""
    one = test_any_order.scenarios().map(lambda s: (test_any_order.MODELS[s[0]], test_any_order.answered(s)))
    paid = test_money_any_order.lives().map(lambda f: (test_money_any_order.RULES, test_money_any_order.answered(f)))
    return st.one_of(one, test_models_any_order.returns(), paid)


def histories() -> st.SearchStrategy[History]:
    """Any histories: contradictions, re-grades, reopenings, staff at work and deadlines among them."""
    return st.one_of(test_any_order.lives().map(lambda s: (test_any_order.MODELS[s[0]], s[1])), sound())


def crash_changes_nothing(rules: Merchant, facts: Sequence[Fact], straight: list[Step], cut: int) -> None:
    """From the row after `cut` facts on, the same rows and outputs follow once more."""
    row = straight[cut - 1].row if cut else None
    again = each_stored(facts[cut:], rules, row)
    assert [step.row for step in again] == [step.row for step in straight[cut:]]
    assert [step.sent for step in again] == [step.sent for step in straight[cut:]]


def first_words(steps: Sequence[Step]) -> dict[str, bytes]:
    """What was first emitted under each id; nothing else ever is."""
    first: dict[str, bytes] = {}
    for step in steps:
        for record, sent in zip(step.made, step.sent, strict=True):
            if name := name_of(record):
                assert first.setdefault(name, sent) == sent, f"{name} has two contents"
    return first


def proven(rules: Merchant, facts: list[Fact], cut: int) -> None:
    """All that holds in the same order, for one history and one point in it."""
    straight = in_one_batch(facts, rules)
    first = first_words(straight)
    with patch.object(act, "answered", return_value=None):
        assert in_one_batch(facts, rules) == straight, "to judge again because of a mark that was left changes nothing"
    for start in {0, cut, len(facts) - 1}:
        crash_changes_nothing(rules, facts, straight, start)
    for known in {cut, len(facts)} - {0}:
        for step in repeats_what_is_open(facts[:known], rules, straight[known - 1].row):
            assert [first[name_of(record)] for record in step.made] == step.sent


@pytest.mark.req("INV-13", "INV-14", "MON-11")
@given(history=histories(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_from_any_point_the_same_follows_and_what_is_known_repeats_what_is_open(
    history: History, data: st.DataObject
) -> None:
    rules, facts = history
    proven(rules, facts, data.draw(st.integers(0, len(facts) - 1)))


class Reprocessed(test_any_life.Life):
    """The same for what both agents and the shop make of any life, results and verdicts included."""

    def teardown(self) -> None:
        if not hasattr(self, "shop"):
            return
        super().teardown()
        world = self.watch.world
        facts: list[Fact] = [fact for fact in world.fed if not isinstance(fact, StockFact)]
        assert load(in_one_batch(facts, world.rules)[-1].row) == world.case
        proven(world.rules, facts, len(facts) // 2)


TestReprocessed = Reprocessed.TestCase
TestReprocessed.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestReprocessed = pytest.mark.req("INV-13", "INV-14", "MON-11")(TestReprocessed)


@st.composite
def topic_by_topic(draw: st.DrawFn, facts: Sequence[Fact]) -> list[Fact]:
    """The facts as another worker may read them: each topic in its order, the topics in between each other anyhow."""
    topics: dict[type, list[Fact]] = {}
    for fact in facts:
        topics.setdefault(type(fact), []).append(fact)
    turns = draw(st.permutations([type(fact) for fact in facts]))
    return [topics[turn].pop(0) for turn in turns]


def effects(steps: Sequence[Step]) -> dict[str, Sent]:
    """All that was ever to be carried out, without its time; marks for people left out."""
    made = [r for step in steps for r in step.made if name_of(r) and not isinstance(r, Annotate)]
    return {name_of(record): replace(record, decided_at_ms=0) for record in made}


@pytest.mark.req("ELG-2", "INV-13", "MON-11")
@given(history=sound(), data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_row_that_was_lost_is_rebuilt_with_the_same_commands_in_whatever_order_the_topics_are_read(
    history: History, data: st.DataObject
) -> None:
    rules, facts = history
    straight, rebuilt = Run(rules), Run(rules)
    straight.feed(*facts)
    again = data.draw(topic_by_topic(facts))
    rebuilt.feed(*again)
    assert test_any_order.essence(rebuilt) == test_any_order.essence(straight)
    first, second = effects(in_one_batch(facts, rules)), effects(in_one_batch(again, rules))
    assert second == {name: record for name, record in first.items() if name in second}
    answered = {fact.command_id for fact in facts if isinstance(fact, CommandResult)}
    assert first.keys() - second.keys() <= answered, "what had its result by then is not sent any more, all else is"


def test_a_deadline_of_a_case_that_is_over_and_forgotten_makes_no_row() -> None:
    run = Run()
    assert run.feed(deadline(900)) == []
    assert run.case is None
