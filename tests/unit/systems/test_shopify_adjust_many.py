"""Restocks of many commands in one adjustment: what they come to, what goes out, what the answer means."""

import itertools
import json
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.commands import Restock
from sinks.contract import EFFECT, OPERATION, Change, Moved, NotSent, Refused, Unanswered
from sinks.outcomes import Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify.adjust_many import BATCHING, MOST_CHANGES
from tests.unit.systems import givens
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import DAMAGED, FIRST, MERCHANT, RESTOCK, SHOP, again
from tests.unit.systems.peer import Answer, Talk, drive_through
from tests.unit.systems.sandbox_shop import SandboxShop, command_id

BATCH = "5b2f0c7e-1d2c-4a57-9b1e-0d6a4c1c9f10"
JOINING = msgspec.structs.replace(FIRST, may_join=True)
ROOT = "inventoryAdjustQuantities"
Json = dict[str, Any]

changes_of = st.lists(
    st.builds(
        Change,
        target=st.tuples(st.integers(1, 40).map(str), st.sampled_from(["71", "72"]), st.just("available")),
        quantity=st.integers(1, 9),
    ),
    min_size=1,
    max_size=60,
)


def sent(changes: list[Change]) -> Json:
    variables: Json = json.loads(BATCHING.merge(BATCH, changes))["variables"]
    return variables


@pytest.mark.req("INV-15", "INV-16", "STA-3")
def test_units_of_one_item_and_place_become_one_relative_change_under_the_batchs_name() -> None:
    tee, mug = ("301", "71", "available"), ("302", "71", "available")
    merged = sent([Change(target=mug, quantity=1), Change(target=tee, quantity=2), Change(target=tee, quantity=1)])
    place = {"locationId": "gid://shopify/Location/71", "changeFromQuantity": None}
    assert merged == {
        "key": BATCH,
        "input": {
            "name": "available",
            "reason": "restock",
            "referenceDocumentUri": f"gid://returnflow/RestockBatch/{BATCH}",
            "changes": [
                {"inventoryItemId": "gid://shopify/InventoryItem/301", "delta": 3, **place},
                {"inventoryItemId": "gid://shopify/InventoryItem/302", "delta": 1, **place},
            ],
        },
    }
    assert BATCHING.reference(BATCH) == merged["input"]["referenceDocumentUri"]


@pytest.mark.req("INV-16")
@given(changes=changes_of, data=st.data())
def test_nothing_is_added_or_lost_and_the_order_makes_no_difference(changes: list[Change], data: st.DataObject) -> None:
    wanted: Counter[tuple[str, ...]] = Counter()
    for change in changes:
        wanted[change.target] += change.quantity
    rows = sent(changes)["input"]["changes"]
    found = [(row["inventoryItemId"].rpartition("/")[2], row["locationId"].rpartition("/")[2]) for row in rows]
    assert len(set(found)) == len(found)
    assert {(*place, "available"): row["delta"] for place, row in zip(found, rows, strict=True)} == wanted
    shuffled = data.draw(st.permutations(changes))
    assert BATCHING.merge(BATCH, shuffled) == BATCHING.merge(BATCH, changes)


@pytest.mark.parametrize("command", [DAMAGED, givens.REFUND, givens.EXCHANGE, givens.STORE_CREDIT, givens.NOTE])
@pytest.mark.req("EXG-2", "INV-16")
def test_only_sellable_units_ever_wait(command: Any) -> None:
    assert BATCHING.change(command) is None


def flow(command: Restock, answers: list[Answer], **changed: Any) -> tuple[Outcome | Change, Talk]:
    attempt = msgspec.structs.replace(JOINING, **changed)
    return drive_through(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


@pytest.mark.req("INV-16")
def test_a_restock_that_only_has_to_be_adjusted_is_left_to_the_batch_after_its_look() -> None:
    outcome, said = flow(RESTOCK, [shop.restock_look()])
    assert outcome == BATCHING.change(RESTOCK)
    assert said.names() == ["RestockLook"]


@pytest.mark.parametrize(
    ("command", "answers"),
    [
        (RESTOCK, [shop.restock_look(item=shop.item(inventoryLevel=None)), shop.activated(), shop.adjusted()]),
        (DAMAGED, [shop.restock_look(), shop.adjusted("damaged")]),
        (RESTOCK, [shop.restock_look(item=shop.item(tracked=False))]),
    ],
)
def test_whatever_needs_more_than_an_adjustment_goes_by_itself(command: Restock, answers: list[Answer]) -> None:
    outcome, _ = flow(command, answers)
    assert not isinstance(outcome, Change)


def test_units_that_wait_in_a_return_of_the_shop_go_by_that() -> None:
    line = shop.returned_line()
    restocked = shop.returned_line(dispositions=[shop.disposition(51)])
    answers: list[Answer] = [
        shop.restock_look(return_status="IN_PROGRESS"),
        shop.returns(shop.native_return(line)),
        shop.claimed(),
        shop.disposed(restocked),
        shop.claimed("digest-2"),
        shop.closed(),
    ]
    assert isinstance(flow(RESTOCK, answers)[0], Applied)


@pytest.mark.req("INV-13")
def test_what_may_have_been_adjusted_already_never_joins() -> None:
    command = msgspec.structs.replace(RESTOCK, line_id=None)
    outcome, said = flow(command, [shop.restock_look(), shop.adjusted()], first_sent_ms=again().first_sent_ms, number=2)
    assert isinstance(outcome, Applied)
    assert said.names()[-1] == "Adjust"


def meaning(answer: Answer) -> tuple[Moved | Refused | Outcome, Talk]:
    changes = [Change(target=("301", "71", "available"), quantity=2)]
    return drive_through(BATCHING.flow(SHOP, BATCHING.merge(BATCH, changes)), [answer])


def moved(*items: str, group: bool = True) -> httpx.Response:
    rows = [
        {"name": name, "item": {"id": f"gid://shopify/InventoryItem/{item}"},
         "location": {"id": "gid://shopify/Location/71"}}
        for item, name in itertools.product(items, ("available", "on_hand"))
    ]  # fmt: skip
    made = {"id": "gid://shopify/InventoryAdjustmentGroup/901", "changes": rows} if group else None
    return shop.answer({ROOT: {"inventoryAdjustmentGroup": made, "userErrors": []}})


def test_what_goes_out_is_the_stored_body_and_the_effect() -> None:
    outcome, said = meaning(moved("301", "302"))
    assert isinstance(outcome, Moved)
    assert outcome.external_ids == {"adjustment_id": "901"}
    assert outcome.targets >= {("301", "71", "available"), ("302", "71", "available")}
    (request,) = said.requests
    assert request.content == BATCHING.merge(BATCH, [Change(target=("301", "71", "available"), quantity=2)])
    assert request.extensions[EFFECT]
    assert shopify.SYSTEM.cost(request) == {"points": 15.0}
    assert request.extensions[OPERATION] == "AdjustMany"


@pytest.mark.req("INV-17")
def test_an_answer_without_a_movement_lists_nothing() -> None:
    assert meaning(moved(group=False))[0] == Moved(external_ids={}, targets=frozenset())


@pytest.mark.req("INV-13")
@pytest.mark.parametrize(
    "code",
    ["INVALID_INVENTORY_ITEM", "INVALID_LOCATION", "ITEM_NOT_STOCKED_AT_LOCATION", "NON_MUTABLE_INVENTORY_ITEM",
     "INVALID_QUANTITY_TOO_HIGH", "SOMETHING_NEW", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"],
)  # fmt: skip
def test_a_refused_list_did_nothing(code: str) -> None:
    assert isinstance(meaning(shop.refused(ROOT, "no", code))[0], Refused)


@pytest.mark.req("INV-13")
@pytest.mark.parametrize("code", ["INVALID_VARIABLE", "RESOURCE_NOT_FOUND", "MAX_INPUT_SIZE_EXCEEDED"])
def test_a_list_that_was_not_even_executed_did_nothing(code: str) -> None:
    assert isinstance(meaning(shop.top_error(code, data={ROOT: None}))[0], Refused)


@pytest.mark.req("INV-13")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (shop.refused(ROOT, "in progress", "IDEMPOTENCY_CONCURRENT_REQUEST"), Uncertain),
        (shop.refused(ROOT, "other", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"), Rejected),
        (shop.refused(ROOT, "failed", "ADJUST_QUANTITIES_FAILED"), Uncertain),
        (shop.refused(ROOT, "later", "SERVICE_UNAVAILABLE"), Uncertain),
        (shop.refused(ROOT, "no", "ACCESS_DENIED"), Misconfigured),
        (shop.top_error("SOMETHING_NEW"), Uncertain),
        (shop.top_error("INTERNAL_SERVER_ERROR"), Uncertain),
        (shop.throttled(), Deferred),
        (httpx.Response(503), Uncertain),
        (httpx.Response(401), Misconfigured),
        (httpx.Response(200, text="<html>"), Uncertain),
    ],
)
def test_whatever_is_no_refusal_leaves_the_batch_open(answer: httpx.Response, kind: type) -> None:
    outcome, _ = meaning(answer)
    assert type(outcome).__mro__[:2].count(kind) == 1
    assert not isinstance(outcome, Refused)


@pytest.mark.parametrize("error", [Unanswered(), NotSent("no quota")])
def test_no_answer_is_for_the_runtime(error: Exception) -> None:
    with pytest.raises(type(error)):
        meaning(error)


async def send(box: SandboxShop, *commands: Restock, batch_id: str = BATCH) -> Moved | Refused | Outcome:
    """One sending of a batch of these."""
    changes = [change for command in commands if (change := BATCHING.change(command)) is not None]
    said: Moved | Refused | Outcome = await box.read(
        "shopify", BATCHING.flow(box.connections["shopify"], BATCHING.merge(batch_id, changes))
    )
    return said


@pytest.mark.req("INV-13", "INV-16")
async def test_the_shop_moves_each_unit_once_however_often_the_batch_is_sent() -> None:
    box = await SandboxShop().open()
    commands = [box.restock(1), box.restock(2), box.restock(3, sku="SOAP")]
    await box.fault("timeout_after_apply", ROOT)
    assert isinstance(await send(box, *commands), Uncertain)
    for _ in range(2):
        said = await send(box, *reversed(commands))
        assert isinstance(said, Moved)
        assert said.targets >= {change.target for each in commands if (change := BATCHING.change(each)) is not None}
    assert await box.moved() == {"TEE-M@71.available": 2, "SOAP@71.available": 1}


@pytest.mark.req("INV-13", "INV-16")
async def test_the_shop_refuses_the_whole_list_for_one_bad_change_and_the_key_stays_dead() -> None:
    box = await SandboxShop().open()
    good, bad = box.restock(1), box.restock(2, sku="SET")
    assert isinstance(await send(box, good, bad), Refused)
    assert isinstance(await send(box, good, bad), Refused)
    assert await box.moved() == {}
    assert isinstance(await box.settle(good), Applied)
    assert isinstance(await box.settle(bad), Rejected)
    assert await box.moved() == {"TEE-M@71.available": 1}


@pytest.mark.req("INV-16")
async def test_the_shop_takes_as_many_changes_as_we_send_and_no_more() -> None:
    box = await SandboxShop().open()
    many = [Change(target=(str(1000 + number), "71", "available"), quantity=1) for number in range(MOST_CHANGES + 1)]
    connection = box.connections["shopify"]
    too_many = await box.read("shopify", BATCHING.flow(connection, BATCHING.merge(command_id(1), many)))
    just = await box.read("shopify", BATCHING.flow(connection, BATCHING.merge(command_id(2), many[1:])))
    assert "MAX_INPUT_SIZE_EXCEEDED" in too_many.reason
    assert "could not be found" in just.reason
