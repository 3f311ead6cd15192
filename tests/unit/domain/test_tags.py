"""Tags are state: whatever came late or was changed by others, the order ends with those that it should have."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Annotate, Refund
from schemas.facts import OrderSnapshot
from streams.domain import row
from streams.domain.learn import Fact
from streams.domain.tags import MOST_RIGHTED
from tests.unit.domain.factories import Run, asked, at, event, inspected, order, result, unit

DONE = {"return-completed"}


def tag_commands(run: Run) -> list[Annotate]:
    return [mark for mark in run.commands(Annotate) if mark.aspect == "tags"]


def shown(*tags: str, hours: float) -> OrderSnapshot:
    return order(hours=hours, tags=tags)


def walk(run: Run) -> Iterator[Callable[[], list[Fact]]]:
    """The facts of a return from its request to its end, each made when it is its turn."""
    one = unit()
    yield lambda: [order(), *asked(one)]
    yield lambda: [event("in_transit", one, hours=2)]
    yield lambda: [event("received", one, hours=3)]
    yield lambda: [inspected(one)]
    yield lambda: [result(intent.intent_id, "restock", hours=6) for intent in run.intents]
    yield lambda: [
        result(refund.command_id, "refund", hours=7, external_ids={"refund_id": "R1"})
        for refund in run.commands(Refund)
    ]


def completed() -> Run:
    """A case whose return is done, with every mark answered at 8 o'clock."""
    run = Run()
    for step in walk(run):
        run.feed(*step())
    run.marked(hours=8)
    return run


@pytest.mark.req("STA-1")
@pytest.mark.parametrize("tags", [("return-in-transit", "return-completed"), (), ("return-received",)])
def test_an_order_that_shows_other_tags_of_ours_is_put_right(tags: tuple[str, ...]) -> None:
    run = completed()
    before = len(tag_commands(run))
    run.feed(shown("VIP", *tags, hours=9))
    (right,) = tag_commands(run)[before:]
    assert right.tags_add == ("return-completed",)
    assert set(right.tags_remove) == {"return-in-transit", "return-received", "return-inspected", "return-attention"}
    assert right.command_id not in {mark.command_id for mark in tag_commands(run)[:before]}
    run.feed(shown("VIP", *tags, hours=9), shown("VIP", *tags, hours=9.5))  # known already, or not answered yet
    assert len(tag_commands(run)) == before + 1


def test_a_right_order_and_the_tags_of_others_are_left_alone() -> None:
    run = completed()
    before = len(tag_commands(run))
    run.feed(shown("VIP", "Return-Completed", "returned", hours=9), shown("return-completed", hours=10))
    assert len(tag_commands(run)) == before


def test_an_order_that_we_never_tagged_keeps_what_others_put_there() -> None:
    run = Run()
    run.feed(order(tags=("return-completed",)), *asked(unit()), shown("return-received", hours=3))
    assert tag_commands(run) == []


def test_what_the_order_showed_before_our_last_command_says_nothing() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event("in_transit", unit(), hours=2))
    run.feed(shown(hours=2.5))  # the command is not answered
    assert len(tag_commands(run)) == 1
    run.marked(hours=3)  # answered, and what is known of the order is older
    assert len(tag_commands(run)) == 1
    run.feed(event("approved", unit(), hours=3.1), shown(hours=-1))  # an old version comes late
    assert len(tag_commands(run)) == 1


@pytest.mark.req("STA-1")
def test_an_answer_that_comes_after_what_the_order_shows_is_compared_at_once() -> None:
    """The order was read while the answer was on its way; nobody reads it again."""
    run = Run()
    run.feed(order(), *asked(unit()), event("in_transit", unit(), hours=2))
    run.feed(shown("return-received", hours=3))
    run.marked(hours=2.9)
    assert [mark.tags_add for mark in tag_commands(run)] == [("return-in-transit",)] * 2


def test_a_clock_of_the_shop_that_is_behind_hides_nothing() -> None:
    run = completed()
    before = len(tag_commands(run))
    run.feed(replace(shown("return-in-transit", hours=9), version_ms=at(7.9)))
    assert len(tag_commands(run)) == before + 1


def test_an_order_that_was_read_between_our_two_requests_is_not_put_right() -> None:
    run = completed()
    before = len(tag_commands(run))
    run.feed(replace(shown("return-inspected", "return-completed", hours=9), version_ms=at(7.9)))
    assert len(tag_commands(run)) == before


def test_somebody_who_insists_is_not_fought_for_ever_and_the_next_stage_begins_anew() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event("in_transit", unit(), hours=2))
    run.marked(hours=2.1)
    for n in range(10):
        run.feed(shown("VIP", hours=3 + n))
        run.marked(hours=3.1 + n)
    assert len(tag_commands(run)) == 1 + MOST_RIGHTED
    run.feed(event("received", unit(), hours=20))
    run.marked(hours=20.1)
    run.feed(shown("return-in-transit", hours=21))
    assert tag_commands(run)[-1].tags_add == ("return-received",)
    assert len(tag_commands(run)) == 3 + MOST_RIGHTED


def test_a_refused_tag_is_raised_and_not_repeated() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event("in_transit", unit(), hours=2))
    (mark,) = tag_commands(run)
    run.feed(result(mark.command_id, "annotate", "rejected", hours=2.1, code="rejected_by_system", detail="too many"))
    asking = len(tag_commands(run))  # the exception asks for a person
    run.feed(shown(hours=3))
    assert "rejected_by_system" in run.open
    assert all(not mark.tags_add or "return-in-transit" not in mark.tags_add for mark in tag_commands(run)[asking:])


def test_a_stored_row_remembers_what_it_heard() -> None:
    run = completed()
    assert run.case is not None
    assert run.case.tags_told is not None
    assert row.load(row.dump(run.case)) == run.case


class Shop:
    """An order's tags behind a line on which answers get lost and requests come late."""

    def __init__(self, draw: Callable[[tuple[str, ...]], str], behind_ms: int) -> None:
        self.draw, self.behind_ms = draw, behind_ms
        self.tags = {"VIP"}
        self.late: list[tuple[int, Annotate, str]] = []
        self.mail: list[OrderSnapshot] = []
        self.steps = count()
        self.now = 0

    def tick(self) -> None:
        self.now = next(self.steps)
        for each in [each for each in self.late if each[0] <= self.now]:
            self.late.remove(each)
            self.change(each[1], each[2])

    @property
    def hours(self) -> float:
        return 10 + self.now / 100

    def change(self, command: Annotate, what: str) -> None:
        before = set(self.tags)
        self.tags = self.tags | set(command.tags_add) if what == "add" else self.tags - set(command.tags_remove)
        if self.tags != before:
            self.mail.append(self.read())

    def read(self) -> OrderSnapshot:
        told = shown(*sorted(self.tags), hours=self.hours)
        return replace(told, version_ms=told.version_ms - self.behind_ms, fact_id=f"read@{self.now}")

    def carry_out(self, command: Annotate, *, faults: int) -> None:
        """As a sink does: both requests, from the first one again after each that was not answered."""
        for _ in range(faults + 1):
            for what in ("add", "remove"):
                self.tick()
                fate = self.draw(("answered", "lost", "late", "no answer")) if faults else "answered"
                if fate in ("answered", "no answer"):
                    self.change(command, what)
                elif fate == "late":
                    self.late.append((self.now + int(self.draw(("1", "3", "9", "27"))), command, what))
                if fate != "answered":
                    faults -= 1
                    break
            else:
                return


class Play:
    """A return's whole life; what goes wrong is drawn."""

    def __init__(self, draw: Callable[[tuple[str, ...]], str]) -> None:
        self.draw, self.run, self.done = draw, Run(), set[str]()
        self.shop = Shop(draw, behind_ms=int(draw(("0", "5000", "-5000"))))
        self.held: list[OrderSnapshot] = []

    def work(self, faults: int) -> None:
        for command in [c for c in tag_commands(self.run) if c.command_id not in self.done]:
            self.shop.carry_out(command, faults=faults)
            self.done.add(command.command_id)
            self.run.feed(result(command.command_id, "annotate", hours=self.shop.hours))

    def deliver(self) -> None:
        arriving, self.shop.mail, self.held = [*self.held, *self.shop.mail], [], []
        for snapshot in arriving:
            match self.draw(("once", "twice", "later", "never")):
                case "once":
                    self.run.feed(snapshot)
                case "twice":
                    self.run.feed(snapshot, snapshot)
                case "later":
                    self.held.append(snapshot)
                case _:
                    pass

    def through(self) -> "Play":
        for step in walk(self.run):
            self.run.feed(*step())
            if self.draw(("now", "later")) == "now":
                self.work(faults=2)
            self.deliver()
        self.work(faults=2)
        while self.shop.late:
            self.shop.tick()
        self.run.feed(self.shop.read(), *self.held)  # the poll reads what is; old versions come after it
        for _ in range(6):
            self.work(faults=0)
            self.shop.tick()
            self.run.feed(self.shop.read())
        return self


@pytest.mark.req("STA-1")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_order_ends_with_its_tag_whatever_is_lost_or_comes_late(data: st.DataObject) -> None:
    end = Play(lambda fates: data.draw(st.sampled_from(fates))).through()
    assert end.shop.tags == {"VIP"} | DONE
    assert end.done == {command.command_id for command in tag_commands(end.run)}


def test_nothing_is_put_right_when_nothing_goes_wrong() -> None:
    end = Play(lambda fates: fates[0]).through()
    assert end.shop.tags == {"VIP"} | DONE
    assert len(tag_commands(end.run)) == 4
