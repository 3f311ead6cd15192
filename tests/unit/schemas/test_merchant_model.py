"""Operating models in merchant files: each system's row, what a file may change, and what contradicts itself."""

from pathlib import Path

import pytest

from schemas.merchant import Merchant, MerchantFileError, load, load_all
from schemas.merchant_values import differences, values
from tests.unit.schemas.merchant_text import LEAST, written

EXAMPLES = Path(__file__).parents[3] / "merchants" / "examples"


def model(folder: Path, text: str) -> Merchant:
    return load(written(folder, LEAST + text))


@pytest.mark.req("OPS-7", "MON-1")
@pytest.mark.parametrize(
    ("system", "after", "actor", "books", "needs_receipt"),
    [
        ("shopify", "inspected", "returnflow", None, False),
        ("lightspeed-x", "restocked", "returnflow", None, True),
        ("lightspeed-r", "restocked", "returnflow", None, True),
        ("sitoo", "inspected", "payment", "sitoo", False),
        ("linnworks", "inspected", "returngo", "linnworks", False),
        ("patchworks", "inspected", "returnflow", None, False),
    ],
)
def test_a_system_brings_its_row_of_the_table(
    tmp_path: Path, system: str, after: str, actor: str, books: str | None, needs_receipt: bool
) -> None:
    found = model(tmp_path, f'[model]\nsystem = "{system}"\n').model
    assert (found.stock, found.money, found.books) == (system, system, books)
    assert (found.refunding.after, found.refunding.actor) == (after, actor)
    assert found.inspecting.needs_receipt is needs_receipt


def test_what_a_file_says_beats_its_systems_row_and_leaves_the_rest_of_it(tmp_path: Path) -> None:
    found = model(
        tmp_path, '[model]\nsystem = "lightspeed-x"\nmoney = "shopify"\n[model.restocking]\nunnamed = "mapped"'
    )
    assert (found.model.stock, found.model.money, found.model.restocking.unnamed) == (
        "lightspeed-x",
        "shopify",
        "mapped",
    )
    assert found.model.restocking.journal_check
    assert Merchant.model_validate(found.model_dump()) == found


@pytest.mark.req("OPS-7")
@pytest.mark.parametrize(("text", "late"), [("", "raise"), ('late_changes = "compensate"', "compensate")])
def test_late_changes_in_shopifys_stock_are_raised_unless_the_file_wants_them_compensated(
    tmp_path: Path, text: str, late: str
) -> None:
    assert model(tmp_path, f"[model.restocking]\n{text}\n").model.restocking.late_changes == late


AT_L = 'location = "L"\n'
SHELF = '[[locations]]\nsource = "returngo"\ncode = "dock"\nlocation_id = "9"\n'
SITOO = 'system = "sitoo"\n'
STORE = '[[models]]\nname = "one"\nsystem = "sitoo"\nstore = "S1"\n'


@pytest.mark.req("OPS-7")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[model]\nsystem = "magento"', "model.system: Input should be 'shopify', 'lightspeed-x'"),
        ('[model]\nname = "xx"', "model.name: expected none"),
        (STORE + STORE.replace('"one"', '"two"'), "models.1: 'two' and 'one' both govern store 'S1'; expected"),
        (STORE + STORE.replace("S1", "S2"), "models.1.name: expected a name that no other model has, got 'one'"),
        ('[[models]]\nname = "one"', "models.0: expected at least one of channel, store, location"),
        ('[[models]]\nname = "one"\nchannel = "web"', "models.0.channel: expected one of shopify, lightspeed-x, "),
        (STORE + AT_L + 'inspecting = { source = "warehouse" }', "models.0: inspecting.source: expected only in a "
         "model without location, for it is asked before the goods come back anywhere, got 'warehouse'"),
        (STORE + AT_L + 'inspecting = { policy_days = 9 }', "models.0: inspecting.policy_days: expected only in"),
        (STORE + AT_L + 'exchanges = { prefix = "X" }', "models.0: exchanges.prefix: expected only in"),
        ('[model.restocking]\nlate_changes = "undo"', "model.restocking.late_changes: Input should be 'raise' or"),
        ('[model.exchanges]\nmark = "x"', "expected exchanges.tags or exchanges.prefix, too"),
        (SHELF + SITOO + 'zone = "quarantine"\n' + SHELF.replace("dock", "door") + SITOO, "locations: '9' is mapped "
         "with zone quarantine and zone stock; expected one of them wherever it is named"),
        (SHELF + SHELF.replace("dock", "door") + SITOO + "active = false\n", "locations: '9' is mapped as "
         "active and as not active; expected one of them wherever it is named"),
        ('[dispositions]\ndamaged = "available"', "dispositions.damaged: expected 'damaged' or 'quality_control'"),
        ('[dispositions]\nmissing = "damaged"', "dispositions.missing: expected no stock"),
        ('[dispositions]\ndamaged = "damaged"', "dispositions.sellable: expected one of 'available', 'damaged', "
         "'quality_control', else sellable goods go into no stock, got nothing"),
        ('[dispositions]\nsellable = "available"', "dispositions.damaged: expected 'damaged' or 'quality_control', or"),
        ('[[reasons]]\nreason = "R"', "reasons.0: expected stock_status or location_id for 'R', got neither"),
        ('[[reasons]]\nreason = "R"\nstock_status = "available"', "reasons.0.stock_status: expected 'available' only"),
        ('[[reasons]]\nreason = "R"\nlocation_id = "1"\n' * 2, "reasons: ('R', 'any') has two rules"),
        ('[[reasons]]\nreason = "R"\nlocation_id = "77"\n', "reasons.0.location_id: expected one of the mapped places"),
        ('[working]\nopens = "17:00"\ncloses = "09:00"', "closes: expected a time after opens (17:00:00), got 09"),
        ('[working]\nopens = "09:00"\ncloses = "09:30"', "closes: expected at least an hour after opens (09:00:00)"),
        ('[working]\ndays = ["monday"]', "working.days.0: Input should be 'mon', 'tue'"),
        ('[model.refunding]\nbonus_percent = { store_credit = 90 }', "model.refunding.bonus_percent.store_credit: "),
        ('[model.refunding.cash]\nsmalest = 5', "expected one of smallest_minor, tenders"),
    ],
)  # fmt: skip
def test_each_contradiction_names_file_key_value_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MerchantFileError) as problem:
        model(tmp_path, text)
    assert str(problem.value).startswith(str(tmp_path / "m.toml"))
    assert said in str(problem.value)


@pytest.mark.req("INV-2")
def test_a_merchant_who_puts_no_damaged_goods_into_stock_needs_no_state_for_them(tmp_path: Path) -> None:
    kept_out = "[model.restocking]\ndamaged_to_stock = false\n"
    model(tmp_path, kept_out + '[dispositions]\nsellable = "available"')
    with pytest.raises(MerchantFileError, match=r"dispositions\.damaged: expected"):
        model(tmp_path, kept_out + '[dispositions]\nsellable = "available"\n' + STORE)


@pytest.mark.req("OPS-7")
def test_the_worked_examples_are_valid_and_hold_no_secret() -> None:
    found = load_all(EXAMPLES)
    assert sorted(found) == ["linnworks-bundles", "sitoo-stores", "web-and-stores"]
    assert {m.system for each in found.values() for m in (each.model, *each.models)} >= {"shopify", "lightspeed-x"}


@pytest.mark.req("OPS-7")
def test_values_hold_the_defaults_and_differences_only_what_takes_another_effect(tmp_path: Path) -> None:
    old = model(tmp_path, '[model]\nsystem = "sitoo"\n' + STORE)
    same = model(tmp_path, '[model]\nsystem = "sitoo"\n[model.refunding]\nactor = "payment"\n' + STORE)
    assert differences(old, same) == []
    new = model(tmp_path, '[model]\nsystem = "sitoo"\n' + STORE.replace("S1", "S2") + "[hours]\nrestock = 1\n")
    assert differences(old, new) == [("hours.restock", 4.0, 1.0), ("models.one.store", "S1", "S2")]
    assert values(old)["model.refunding.actor"] == "payment"
    place = '[[locations]]\nsource = "returngo"\ncode = ""\nlocation_id = "7"\n'
    more = model(tmp_path, '[model]\nsystem = "sitoo"\n' + STORE + place)
    assert differences(old, more) == [('locations[returngo "" any]', None, "location_id 7, active True, zone stock")]


@pytest.mark.req("OPS-7")
def test_the_model_of_a_location_shows_only_what_it_governs(tmp_path: Path) -> None:
    store = STORE.replace("sitoo", "linnworks")
    idle = {
        f"models.one.{key}" for key in ("inspecting.source", "exchanges.tags", "exchanges.prefix", "exchanges.mark")
    }
    assert idle <= values(model(tmp_path, store)).keys()
    here = values(model(tmp_path, store + AT_L + "inspecting = { needs_receipt = true }"))
    assert here.keys() & idle == set()
    assert here["models.one.inspecting.needs_receipt"] is True
    assert here["models.one.exchanges.made"] == "order"
