"""Exchange orders are released once and marked; tags and notes can be repeated without harm."""

from collections.abc import Sequence

import msgspec
import pytest

from schemas.commands import Annotate, Exchange
from sinks.contract import Attempt, Unanswered
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import EXCHANGE, FIRST, MERCHANT, NOTE, SHOP, TAGS, again
from tests.unit.systems.peer import Answer, Talk, drive


def talk(
    answers: Sequence[Answer], command: Exchange | Annotate = EXCHANGE, attempt: Attempt = FIRST
) -> tuple[Outcome, Talk]:
    return drive(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


@pytest.mark.req("EXG-2", "EXG-3", "EXG-4")
def test_a_draft_is_completed_and_the_order_marked_as_an_exchange() -> None:
    outcome, said = talk([shop.draft(), shop.completed(), shop.tagged()])
    assert outcome == Applied(external_ids={"exchange_order_id": "5099"})
    assert said.variables("TagsAdd") == {
        "id": "gid://shopify/Order/5099",
        "tags": ["returnflow-exchange", "rma-20000017"],
    }


def test_a_released_exchange_is_found_and_not_released_again() -> None:
    outcome, said = talk([shop.draft(order=shop.exchange_order()), shop.tagged()], attempt=again())
    assert isinstance(outcome, AlreadyApplied)
    assert outcome.external_ids == {"exchange_order_id": "5099"}
    assert "DraftOrderComplete" not in said.names()


def test_a_draft_that_somebody_completes_in_between_is_released_not_refused() -> None:
    refused = shop.refused("draftOrderComplete", "This order has been paid")
    outcome, _ = talk([shop.draft(), refused, shop.draft(order=shop.exchange_order()), shop.tagged()])
    assert isinstance(outcome, AlreadyApplied)


def test_an_exchange_that_returngo_released_is_only_marked() -> None:
    command = msgspec.structs.replace(EXCHANGE, draft_order_id=None, exchange_order_id="5099")
    outcome, _ = talk([shop.answer({"order": {**shop.exchange_order(), "tags": []}}), shop.tagged()], command)
    assert isinstance(outcome, AlreadyApplied)


@pytest.mark.req("EXG-5")
@pytest.mark.parametrize(
    ("command", "answers"),
    [
        (msgspec.structs.replace(EXCHANGE, draft_order_id=None), []),
        (EXCHANGE, [shop.answer({"draftOrder": None})]),
        (EXCHANGE, [shop.draft(order=shop.exchange_order(cancelled="2026-05-04T10:00:00Z"))]),
        (
            msgspec.structs.replace(EXCHANGE, draft_order_id=None, exchange_order_id="5099"),
            [shop.answer({"order": None})],
        ),
        (
            EXCHANGE,
            [shop.draft(), shop.refused("draftOrderComplete", "Draft order cannot be completed"), shop.draft()],
        ),
    ],
)
def test_an_exchange_that_cannot_be_released_is_raised(command: Exchange, answers: list[Answer]) -> None:
    outcome, _ = talk(list(answers), command)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "exchange_not_released"


@pytest.mark.req("EXG-6")
def test_a_difference_that_the_customer_owes_is_not_booked_as_paid() -> None:
    owes = msgspec.structs.replace(EXCHANGE, difference_minor=500)
    outcome, _ = talk([shop.draft("5.0")], owes)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "exchange_not_released"
    outcome, _ = talk([shop.draft("5.0")])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"
    outcome, _ = talk([shop.draft("5.0", currency="USD")])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "currency_mismatch"
    free = [shop.draft("0.0", currency="USD"), shop.completed(), shop.tagged()]
    assert isinstance(talk(free)[0], Applied)


@pytest.mark.req("EXG-6")
def test_a_difference_owed_to_the_customer_is_named() -> None:
    owed = msgspec.structs.replace(EXCHANGE, difference_minor=-500)
    outcome, _ = talk([shop.draft(), shop.completed(), shop.tagged()], owed)
    assert isinstance(outcome, Applied)
    assert outcome.detail is not None
    assert "5.00 EUR" in outcome.detail


def test_a_completion_without_an_order_or_an_answer_is_uncertain() -> None:
    draft = {"id": "gid://shopify/DraftOrder/701", "status": "OPEN", "order": None}
    empty = shop.answer({"draftOrderComplete": {"draftOrder": draft, "userErrors": []}})
    assert isinstance(talk([shop.draft(), empty])[0], Uncertain)
    with pytest.raises(Unanswered):
        talk([shop.draft(), Unanswered()])


def test_tags_that_are_refused_do_not_undo_a_release_and_others_are_set_later() -> None:
    outcome, _ = talk([shop.draft(), shop.completed(), shop.refused("tagsAdd", "too many tags")])
    assert isinstance(outcome, Applied)
    assert outcome.detail is not None
    assert "not tagged" in outcome.detail
    assert isinstance(talk([shop.draft(), shop.completed(), shop.throttled()])[0], Deferred)


@pytest.mark.req("STA-1")
def test_a_stages_tag_replaces_the_one_before() -> None:
    outcome, said = talk([shop.tagged(), shop.tagged("tagsRemove")], TAGS)
    assert outcome == Applied()
    assert said.variables("TagsAdd")["tags"] == ["return-received"]
    assert said.variables("TagsRemove")["tags"] == ["return-in-transit"]
    only = msgspec.structs.replace(TAGS, tags_remove=())
    assert talk([shop.tagged()], only)[1].names() == ["TagsAdd"]


def test_a_tag_that_is_too_long_is_not_cut() -> None:
    outcome, said = talk([], msgspec.structs.replace(TAGS, tags_add=("x" * 41,)))
    assert isinstance(outcome, Rejected)
    assert said.names() == []


def test_an_order_that_is_gone_takes_no_tag() -> None:
    outcome, _ = talk([shop.refused("tagsAdd", "Order does not exist")], TAGS)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "orphan_return"


@pytest.mark.req("STA-2")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "[returnflow] Too small"),
        ("ring the bell", "ring the bell\n[returnflow] Too small"),
    ],
)
def test_a_note_line_is_added_to_what_is_there(before: str | None, after: str) -> None:
    outcome, said = talk([shop.note_look(before), shop.noted()], NOTE)
    assert outcome == Applied()
    assert said.variables("NoteWrite") == {"input": {"id": "gid://shopify/Order/5001", "note": after}}


def test_a_note_line_that_is_there_is_not_added_again() -> None:
    outcome, said = talk([shop.note_look("a\n[returnflow] Too small\nb")], NOTE, again())
    assert isinstance(outcome, AlreadyApplied)
    assert said.names() == ["NoteLook"]


def test_a_note_that_would_not_fit_is_left_whole() -> None:
    outcome, _ = talk([shop.note_look("x" * 4990)], NOTE)
    assert isinstance(outcome, Rejected)
    assert isinstance(talk([shop.answer({"order": None})], NOTE)[0], Rejected)
    assert isinstance(talk([], msgspec.structs.replace(NOTE, text=None))[0], Rejected)
    assert isinstance(
        talk([shop.note_look(None), shop.refused("orderUpdate", "Order does not exist")], NOTE)[0], Rejected
    )


@pytest.mark.parametrize("aspect", ["comment", "status", "transaction"])
def test_aspects_of_other_systems_are_refused(aspect: str) -> None:
    outcome, _ = talk([], msgspec.convert({**msgspec.to_builtins(TAGS), "aspect": aspect}, Annotate))
    assert isinstance(outcome, Rejected)
