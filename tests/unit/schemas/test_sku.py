"""How two spellings of a SKU are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import sku


@pytest.mark.req("INV-19")
@pytest.mark.parametrize("told", ["MUG", "MUG ", "  mug", "\tMug\n", "MUG\u00a0"])
def test_spaces_and_case_at_the_ends_do_not_count(told: str) -> None:
    assert sku.meant(told) == "mug"
    assert sku.same_sku(told, "MUG")


@pytest.mark.req("INV-19")
def test_one_letter_in_two_encodings_is_one_letter() -> None:
    assert sku.same_sku("CAFE\u0301-1", "caf\u00e9-1")
    assert sku.same_sku("STRASSE", "stra\u00dfe")


@pytest.mark.req("INV-19")
@pytest.mark.parametrize(("one", "other"), [("TEE M", "TEEM"), ("TEE  M", "TEE M"), ("TEE-M", "TEE M"), ("0", "00")])
def test_what_stands_within_a_sku_counts(one: str, other: str) -> None:
    assert not sku.same_sku(one, other)


@pytest.mark.parametrize("nothing", ["", " ", None, "\u00a0"])
def test_what_names_nothing_is_the_same_as_nothing(nothing: str | None) -> None:
    assert not sku.same_sku(nothing, nothing)
    assert not sku.same_sku(nothing, "MUG")


@pytest.mark.req("INV-19")
@given(st.text())
def test_what_is_meant_is_meant_by_itself(told: str) -> None:
    assert sku.meant(sku.meant(told)) == sku.meant(told)
    assert sku.meant(f" {told} ") == sku.meant(told)
    assert sku.meant(told.swapcase().casefold()) == sku.meant(told.swapcase())
