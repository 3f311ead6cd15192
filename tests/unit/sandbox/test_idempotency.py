"""@idempotent: required, remembered for 24 hours, and its three errors."""

import asyncio

from tests.unit.sandbox.box import ADJUST, REFUND, Box, adjustment, change

ACTIVATE = """
mutation Activate($item: ID!, $location: ID!, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $location) @idempotent(key: $key) {
    inventoryLevel { id } userErrors { field message }
  }
}
"""


async def test_a_mutation_that_needs_a_key_is_refused_without_one(box: Box) -> None:
    for document in (REFUND, ADJUST):
        bare = document.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
        given = {"orderId": box.order()} if document is REFUND else adjustment(change(box, "MUG"))
        answer = await box.graphql(bare, input=given)
        assert (
            answer["errors"][0]["message"]
            == "The @idempotent directive is required for this mutation but was not provided."
        )
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert list(answer["data"].values()) == [None]


async def test_the_same_key_and_input_execute_once_and_answer_alike(box: Box) -> None:
    given = adjustment(change(box, "MUG"))
    first = await box.data(ADJUST, input=given, key="k")
    again = await box.data(ADJUST, input=given, key="k")
    assert first == again
    books = await box.books()
    assert books["totals"]["moved"] == {"MUG@11.available": 1}
    assert books["calls"]["key_replayed"] == 1


async def test_another_input_under_the_same_key_is_a_mismatch_and_so_is_another_order_of_fields(box: Box) -> None:
    given = adjustment(change(box, "MUG"))
    await box.data(ADJUST, input=given, key="k")
    for other in (adjustment(change(box, "MUG", delta=2)), dict(reversed(given.items()))):
        errors = (await box.data(ADJUST, input=other, key="k"))["inventoryAdjustQuantities"]["userErrors"]
        assert [error["code"] for error in errors] == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}


async def test_a_failed_first_attempt_spends_the_key(box: Box) -> None:
    wrong = adjustment(change(box, "MUG"), reason="because")
    await box.data(ADJUST, input=wrong, key="k")
    errors = (await box.data(ADJUST, input=wrong, key="k"))["inventoryAdjustQuantities"]["userErrors"]
    assert [error["code"] for error in errors] == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]


async def test_an_internal_error_spends_the_key_and_a_throttled_call_does_not(box: Box) -> None:
    given = adjustment(change(box, "MUG"))
    await box.control("/faults", match={"operation": "inventoryAdjustQuantities"}, fault="throttled")
    await box.graphql(ADJUST, input=given, key="a")
    assert (await box.data(ADJUST, input=given, key="a"))["inventoryAdjustQuantities"]["userErrors"] == []
    await box.control("/faults", match={"operation": "inventoryAdjustQuantities"}, fault="internal_error")
    answer = await box.graphql(ADJUST, input=given, key="b")
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    errors = (await box.data(ADJUST, input=given, key="b"))["inventoryAdjustQuantities"]["userErrors"]
    assert [error["code"] for error in errors] == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]
    assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}


async def test_a_key_in_flight_is_refused_to_a_second_request(box: Box) -> None:
    await box.control("/latency", seconds=0.05)
    given = adjustment(change(box, "MUG"))
    answers = await asyncio.gather(*(box.data(ADJUST, input=given, key="k") for _ in range(3)))
    codes = [error["code"] for answer in answers for error in answer["inventoryAdjustQuantities"]["userErrors"]]
    assert codes == ["IDEMPOTENCY_CONCURRENT_REQUEST"] * 2
    assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}


async def test_a_request_that_never_reached_the_mutation_leaves_the_key_unused(box: Box) -> None:
    given = adjustment(change(box, "MUG"))
    await box.control("/faults", match={"operation": "inventoryAdjustQuantities"}, fault="timeout_before_apply")
    assert (await box.post(ADJUST, {"input": given, "key": "k"})).status_code == 504
    assert (await box.data(ADJUST, input=given, key="k"))["inventoryAdjustQuantities"]["userErrors"] == []
    assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}


async def test_after_24_hours_the_same_key_executes_again(box: Box) -> None:
    given = adjustment(change(box, "MUG"))
    await box.data(ADJUST, input=given, key="k")
    await box.control("/clock", advance_seconds=23 * 3600)
    await box.data(ADJUST, input=given, key="k")
    assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}
    await box.control("/clock", advance_seconds=3601)
    await box.data(ADJUST, input=given, key="k")
    books = await box.books()
    assert books["totals"]["moved"] == {"MUG@11.available": 2}
    assert [finding["kind"] for finding in books["findings"]] == ["same_reference_twice"]


async def test_code_less_mutations_say_it_in_the_text_or_at_the_top_as_the_shop_is_set(box: Box) -> None:
    wrong = {"orderId": "gid://shopify/Order/1"}
    await box.data(REFUND, input=wrong, key="k")
    errors = (await box.data(REFUND, input=wrong, key="k"))["refundCreate"]["userErrors"]
    assert [error["message"] for error in errors] == [
        "A previous request with this idempotency key failed. Retry with a new idempotency key."
    ]
    await box.control("/reset")
    await box.open(idempotency_errors="top_level")
    given = {"item": box.item("MUG"), "location": "gid://shopify/Location/99", "key": "k"}
    await box.data(ACTIVATE, **given)
    answer = await box.graphql(ACTIVATE, **given)
    assert answer["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


async def test_the_directive_belongs_on_the_field(box: Box) -> None:
    answer = await box.graphql(
        'mutation @idempotent(key: "k") { returnClose(id: "gid://shopify/Return/1") { return { id } } }'
    )
    assert answer["errors"][0]["extensions"]["code"] == "directiveCannotBeApplied"
