"""Whatever gets lost and whatever comes late: units go back, or out again, at most once, and have if we say so."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import Restock
from sinks.outcomes import AlreadyApplied, Applied
from tests.unit.systems.givens import RESTOCK
from tests.unit.systems.late_shop import WRITES, Draw, LateShop, Worker

TWO = msgspec.structs.replace(RESTOCK, quantity=2)
WITHOUT_LINE = msgspec.structs.replace(RESTOCK, line_id=None)
OUT = msgspec.structs.replace(RESTOCK, quantity=-2, stocked_before=True)
PLACED_ANEW = msgspec.structs.replace(TWO, stocked_before=True)
ATTEMPTS = 5


def run(command: Restock, draw: Draw) -> None:
    """A command until it ends; then all that is still under way arrives."""
    shop = LateShop(abs(command.quantity))
    shop.is_open = draw(("open", "closed")) == "open"
    worker = Worker(shop, command, draw)
    outcome = asyncio.run(worker.settle(ATTEMPTS))
    for request in [each[2] for each in shop.under_way]:
        shop.asked(request)
    story = "\n".join(worker.story)
    assert min(0, command.quantity) <= shop.moved <= max(0, command.quantity), story
    if isinstance(outcome, Applied | AlreadyApplied):
        assert shop.moved == command.quantity, story


def every_way(most: int, start: list[int]) -> Iterator["Script"]:
    """Scripts that start so, and in which then at most so many things are not as usual: all of them.

    Each has to be run before the next is taken.
    """
    todo = [start]
    while todo:
        forced = todo.pop()
        script = Script(forced)
        yield script
        if sum(map(bool, forced[len(start) :])) < most:
            for place in range(len(forced), len(script.taken)):
                todo += [[*script.taken[:place], other] for other in range(1, script.sizes[place])]


class Script:
    """Makes the choices it was given, then the usual ones, and remembers them."""

    def __init__(self, forced: list[int]) -> None:
        self._forced = forced
        self.taken: list[int] = []
        self.sizes: list[int] = []

    def __call__(self, answers: tuple[str, ...]) -> str:
        place = len(self.taken)
        choice = self._forced[place] if place < len(self._forced) else 0
        self.taken.append(choice)
        self.sizes.append(len(answers))
        return answers[choice]


def claim_is(fate: str) -> list[int]:
    """The first attempt looks twice and claims, which ends so; it arrives later, and meanwhile the return is closed."""
    return [0, 0, 0, WRITES.index(fate), 0, 1]


STARTS = {
    "as usual": (TWO, [], 2),
    "without a line": (WITHOUT_LINE, [], 2),
    "taken out": (OUT, [], 2),
    "placed anew": (PLACED_ANEW, [], 2),
    "late claim": (TWO, claim_is("late"), 1),
    "cut-off claim": (TWO, claim_is("cut off, late"), 1),
    "claim of a dead worker": (TWO, claim_is("crash, late"), 1),
}


@pytest.mark.req("INV-13", "INV-14")
@pytest.mark.parametrize(("command", "start", "most"), STARTS.values(), ids=STARTS)
def test_units_go_back_at_most_once_in_every_way_it_can_go(command: Restock, start: list[int], most: int) -> None:
    """Beyond its start, so many things go wrong in it."""
    ways = 0
    for script in every_way(most, start):
        run(command, script)
        ways += 1
    assert ways > 20


@pytest.mark.req("INV-13", "INV-14")
@settings(max_examples=150, deadline=None)
@given(data=st.data(), command=st.sampled_from([RESTOCK, TWO, WITHOUT_LINE, OUT, PLACED_ANEW]))
def test_units_go_back_at_most_once_when_a_lot_goes_wrong(data: st.DataObject, command: Restock) -> None:
    run(command, lambda answers: data.draw(st.sampled_from(answers)))
