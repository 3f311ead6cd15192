"""Runs as the agents make them: each fact is decided on a stored row, and what follows leaves as bytes."""

from collections.abc import Sequence
from itertools import dropwhile
from typing import NamedTuple

from schemas.codec import Codec
from schemas.commands import Command, CommandResult
from schemas.facts import DeadlineReached
from schemas.merchant import Merchant
from schemas.stock import RestockIntent, RestockVerdict
from streams.domain import row
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.output import Output, Sent
from streams.domain.state import Case

Row = bytes | None  # None: the case is not known, or over and forgotten
# A repetition of these is the answer to a repetition of ours, or time that passed already: nothing follows of it.
ANSWERS = CommandResult | RestockVerdict | DeadlineReached
_CODEC = Codec()


class Step(NamedTuple):
    """The row after a fact, and what followed."""

    row: Row
    made: list[Sent]

    @property
    def sent(self) -> list[bytes]:
        return [_CODEC.encode(record) for record in self.made]


def load(stored: Row) -> Case | None:
    return None if stored is None else row.load(stored)


def dump(case: Case | None) -> Row:
    return None if case is None else row.dump(case)


def in_one_batch(facts: Sequence[Fact], rules: Merchant, stored: Row = None) -> list[Step]:
    """The facts decided one after the other; the row is stored at the end, here it is shown after each."""
    case = load(stored)
    steps = []
    for fact in facts:
        case, made = decide_case(case, fact, rules)
        steps.append(Step(dump(case), _records(made)))
    return steps


def each_stored(facts: Sequence[Fact], rules: Merchant, stored: Row = None) -> list[Step]:
    """The facts in batches of one: what one leaves in memory, the next never sees."""
    steps = []
    for fact in facts:
        case, made = decide_case(load(stored), fact, rules)
        stored = dump(case)
        steps.append(Step(stored, _records(made)))
    return steps


def repeats_what_is_open(known: Sequence[Fact], rules: Merchant, stored: Row) -> list[Step]:
    """Each fact that a row knows leaves it as it is and repeats all that is open, or nothing at all."""
    case = load(stored)
    if case is None:
        return []
    results = {fact.command_id for fact in known if isinstance(fact, CommandResult)}
    assert not results & case.open.keys(), "open, though its result is there"
    # time that passed before there was a row was never learnt
    known = list(dropwhile(lambda fact: isinstance(fact, DeadlineReached), known))
    steps = each_stored(known, rules, stored)
    for fact, step in zip(known, steps, strict=True):
        assert step.row == stored, f"{fact} changed the row that knows it"
        repeated = [name_of(record) for record in step.made]
        assert sorted(repeated) == ([] if isinstance(fact, ANSWERS) else sorted(case.open)), fact
    return steps


def _records(made: Sequence[Output]) -> list[Sent]:
    return [output.record for output in made]


def name_of(record: Sent) -> str:
    """Id of what is to be carried out, "" for news."""
    if isinstance(record, RestockIntent):
        return record.intent_id
    return record.command_id if isinstance(record, Command) else ""
