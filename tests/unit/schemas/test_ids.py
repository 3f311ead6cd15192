"""The same content is the same id for ever: a changed golden value here would mean effects applied a second time."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import ids

PARTS = st.lists(st.text(max_size=6), min_size=1, max_size=4)


@pytest.mark.req("INV-13", "MON-11")
def test_ids_are_what_they_always_were() -> None:
    command = ids.command_id(
        merchant="m", system="shopify", kind="refund", rma_id="R1", unit_ids=("u2", "u1"), generation=0
    )
    assert command == "cd76fd60-b0b1-5fd9-ac54-ce0ed3b75353"
    assert (
        ids.exception_id(merchant="m", kind="over_quantity", order_id="1", rma_id="R1", subject="l1")
        == "b0a732e8-c7ca-5f1e-8c9e-37c8ea5bbcbc"
    )
    assert ids.fact_id("returngo", "R1", "inspected", "u1") == "74520751-ee45-57b1-b94e-0410a913631d"
    assert ids.idempotency_key(merchant="m", command_id=command, epoch=0) == "16de139a-b70f-5ef8-8d4b-affd3a0378c3"
    assert ids.digest(b"body") == "06b721c380b2160c50903e9f6c636b28"


@pytest.mark.req("INV-13")
def test_the_order_of_units_does_not_matter_the_generation_does() -> None:
    def command(units: tuple[str, ...], generation: int) -> str:
        return ids.command_id(
            merchant="m", system="shopify", kind="restock", rma_id="R1", unit_ids=units, generation=generation
        )

    assert command(("a", "b"), 0) == command(("b", "a"), 0)
    assert len({command(("a", "b"), 0), command(("a", "b"), 1), command(("a",), 0)}) == 3


@given(PARTS)
def test_an_id_is_a_uuid_of_version_5_of_its_content(parts: list[str]) -> None:
    name = "|".join(f"{len(part)}:{part}" for part in ["fact", "s", "r", *parts])
    assert ids.fact_id("s", "r", *parts) == str(uuid.uuid5(ids.NAMESPACE, name))


@given(PARTS, PARTS)
def test_different_content_has_different_ids_also_with_separators_in_it(one: list[str], other: list[str]) -> None:
    same = ids.fact_id("s", "r", *one) == ids.fact_id("s", "r", *other)
    assert same == (one == other)


@given(st.text(alphabet="abc-", min_size=1), st.text(min_size=1))
def test_keys_can_be_taken_apart(merchant: str, rest: str) -> None:
    assert ids.split_key(ids.order_key(merchant, rest)) == (merchant, rest)
    for key in (ids.item_key(merchant, "shopify", rest), ids.sku_key(merchant, rest)):
        assert ids.split_key(key)[0] == merchant


@pytest.mark.parametrize("key", [b"", b"m", b"m|", b"|1"])
def test_a_key_of_another_form_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="expected a key"):
        ids.split_key(key)
