"""A merchant file is right, or says in plain words what is wrong with it: file, key, what came, what is allowed."""

from pathlib import Path

import pytest

from schemas.merchant import MerchantFileError, load, load_all
from schemas.merchant_fields import DEFAULT_HOURS
from tests.unit.schemas.merchant_text import LEAST, written

EXAMPLE = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"


@pytest.mark.req("OPS-7")
def test_the_worked_example_is_valid_and_holds_no_secret() -> None:
    merchant = load(EXAMPLE)
    assert merchant.merchant == "demo-shop"
    assert merchant.systems.shopify is not None
    assert merchant.systems.shopify.access_token.startswith("env:")


def test_the_least_file_has_sensible_values_for_the_rest(tmp_path: Path) -> None:
    merchant = load(written(tmp_path, LEAST))
    assert merchant.model.refunding.after == "inspected"
    assert merchant.locations == ()
    assert merchant.zone.key == "Europe/Berlin"


def test_a_file_that_names_some_time_limits_keeps_the_others(tmp_path: Path) -> None:
    merchant = load(written(tmp_path, LEAST + "[hours]\nrefund = 1\n"))
    assert merchant.hours == {**DEFAULT_HOURS, "refund": 1}


@pytest.mark.req("OPS-7")
@pytest.mark.parametrize(
    ("more", "key", "came"),
    [
        ('[model.refunding]\nafter = "shipped"', "model.refunding.after", "'inspected' or 'restocked', got 'shipped'"),
        ("[model.refunding]\ntolerance_minor = -1", "model.refunding.tolerance_minor", "got -1"),
        ("[model.refundng]\nafter = 'inspected'", "model.refundng", "there is no such key"),
        ('[hours]\nlunch = 1', "hours.lunch", "'order', 'transit'"),
        ("[hours]\norder = -1", "hours.order", "greater than or equal to 0, got -1"),
        ("[hours]\norder = inf", "hours.order", "a finite number, got inf"),
        ("[hours]\norder = nan", "hours.order", "a finite number, got nan"),
        ("[hours]\norder = 1e305", "hours.order", "less than or equal to 9600, got 1e+305"),
        ('[owners]\nnonsense = "cx"', "owners.nonsense", "expected an exception type"),
        ('[owners]\nover_quantity = "sales"', "owners.over_quantity", "got 'sales'"),
        ('[systems.warehouse]\nwebhook_secrets = ["hunter2"]', "systems.warehouse.webhook_secrets.0", "env:"),
        ('[[locations]]\nsource = "wms"\ncode = "A"\nlocation_id = "1"', "locations.0.source",
         "'returngo', 'warehouse', 'shopify', 'lightspeed-x', 'lightspeed-r', 'sitoo', 'linnworks' or"),
        ('[[locations]]\nsource = "sitoo"\ncode = "A"\nlocation_id = ""', "locations.0.location_id", "at least 1"),
        ('[locations]\ncode = "A"', "locations", "expected a list: [ … ], or [[…]] above each of its entries"),
        ('[[model]]\nsystem = "sitoo"', "model", "expected a table: keys below its [heading]"),
        ('[model.refunding]\ntenders = "card"', "model.refunding.tenders", "entries; got 'card'"),
        ('[systems.returngo]\nbase_url = "https://x/"', "systems.returngo.base_url", "expected http://… or https://… "
         "without spaces and without / at the end, got 'https://x/'"),
        ("[systems.warehouse]\nwebhook_secrets = []", "systems.warehouse.webhook_secrets", "at least 1"),
        (
            '[[locations]]\nsource = "returngo"\ncode = "A"\nlocation_id = "1"\n' * 2,
            "locations",
            "('returngo', 'A', 'any') is mapped twice",
        ),
        ("[dispositions]\nsellable = 'sold'", "dispositions.sellable", "got 'sold'"),
    ],
)  # fmt: skip
def test_each_mistake_names_file_key_value_and_what_is_allowed(tmp_path: Path, more: str, key: str, came: str) -> None:
    path = written(tmp_path, LEAST + more)
    with pytest.raises(MerchantFileError) as problem:
        load(path)
    assert f"{path}: {key}: " in str(problem.value)
    assert came in str(problem.value)


@pytest.mark.parametrize(
    ("old", "new", "came"),
    [
        ("Europe/Berlin", "Berlin", "expected an IANA time zone"),
        ("EUR", "euro", "expected an ISO-4217 code such as EUR, got 'euro'"),
        ("m-1", "M 1", "merchant: expected 2 to 63 of a to z, 0 to 9 and -, the first of them no -, got 'M 1'"),
        ('currency = "EUR"', "", "currency: this key must be given: nothing is assumed for it"),
        ("[systems]", "command_seconds = inf\n[systems]", "command_seconds: Input should be a finite number, got inf"),
        ("[systems]", "command_seconds = 1e9\n[systems]", "less than or equal to 604800, got 1000000000.0"),
        ("merchant =", "merchant", "is not valid TOML"),
    ],
)
def test_mistakes_in_the_head_of_the_file(tmp_path: Path, old: str, new: str, came: str) -> None:
    with pytest.raises(MerchantFileError, match=r"m\.toml") as problem:
        load(written(tmp_path, LEAST.replace(old, new)))
    assert came in str(problem.value)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = LEAST.replace("EUR", "euro") + "[model.refunding]\nafter = 'x'\ntolerance_minor = -1\n"
    with pytest.raises(MerchantFileError) as problem:
        load(written(tmp_path, text))
    assert len(str(problem.value).splitlines()) == 3


def test_what_does_not_fit_together_is_one_problem_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, LEAST + '[owners]\nnonsense = "cx"\n[dispositions]\nsellable = "damaged"\n')
    with pytest.raises(MerchantFileError) as problem:
        load(path)
    owners, dispositions = str(problem.value).splitlines()
    assert owners.startswith(f"{path}: owners.nonsense: expected")
    assert dispositions.startswith(f"{path}: dispositions.damaged: expected")


def test_a_list_whose_entries_are_wrong_is_not_called_too_short(tmp_path: Path) -> None:
    with pytest.raises(MerchantFileError) as problem:
        load(written(tmp_path, LEAST + '[working]\ndays = ["monday"]\n'))
    assert "working.days.0: Input should be 'mon'" in str(problem.value)
    assert len(str(problem.value).splitlines()) == 1


def test_a_file_in_another_encoding_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes((LEAST + "# für Rückgaben\n").encode("latin-1"))
    with pytest.raises(MerchantFileError, match=r"m\.toml: expected text in UTF-8, got another encoding \(at line 6\)"):
        load(path)


def test_a_mark_that_editors_put_at_the_start_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(LEAST.encode("utf-8-sig"))
    assert load(path).merchant == "m-1"


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    "text",
    [
        '[systems.warehouse]\nwebhook_secrets = "hunter2"\n',
        '[systems]\nreturngo = "hunter2"\n',
        '[systems.returngo]\nbase_url = "https://me:hunter2@shop.example/"\n',
    ],
)
def test_a_secret_in_a_value_of_the_wrong_kind_is_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(MerchantFileError) as problem:
        load(written(tmp_path, LEAST.replace("[systems]\n", "") + text))
    assert "hunter2" not in str(problem.value)


@pytest.mark.req("OPS-10")
def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = LEAST + '[systems.warehouse]\nwebhook_secrets = ["whsec_c2VjcmV0"]\n'
    with pytest.raises(MerchantFileError) as problem:
        load(written(tmp_path, text))
    assert "whsec_c2VjcmV0" not in str(problem.value)


def test_a_folder_gives_every_merchant_once(tmp_path: Path) -> None:
    written(tmp_path, LEAST, "a.toml")
    written(tmp_path, LEAST.replace("m-1", "m-2"), "b.toml")
    assert sorted(load_all(tmp_path)) == ["m-1", "m-2"]
    written(tmp_path, LEAST, "c.toml")
    with pytest.raises(MerchantFileError, match="'m-1' is already in another file"):
        load_all(tmp_path)


def test_stores_of_one_owner_agree_on_their_day(tmp_path: Path) -> None:
    """They share it: two limits for one budget would be none."""
    store = 'base_url = "https://r.example"\nshop = "s"\nwebhook_token = "env:T"\nbudget_owner = "group"\n'
    store += 'api_key = "env:{}"\n'
    for name, more in (("m-1", ""), ("m-2", "daily_calls = 5000\n")):
        text = LEAST.replace("m-1", name) + "[systems.returngo]\n" + store.format(f"K{name[-1]}") + more
        written(tmp_path, text.replace("[systems]\n", ""), f"{name}.toml")
    with pytest.raises(
        MerchantFileError, match="expected those of m-1, which has the same owner: 2000 and 300; got 50"
    ):
        load_all(tmp_path)


def test_one_key_is_one_owners_in_all_files(tmp_path: Path) -> None:
    """With a name in one file and none in the other its day would be counted twice."""
    store = 'base_url = "https://r.example"\nshop = "s"\nwebhook_token = "env:T"\napi_key = "env:K"\n'
    for name, more in (("m-1", 'budget_owner = "group"\n'), ("m-2", "")):
        text = LEAST.replace("m-1", name) + "[systems.returngo]\n" + store + more
        written(tmp_path, text.replace("[systems]\n", ""), f"{name}.toml")
    with pytest.raises(MerchantFileError, match="budget_owner: expected 'group' as m-1 has it, whose api_key is the s"):
        load_all(tmp_path)


@pytest.mark.parametrize("calls", ["daily_calls = 100", "daily_calls = 300", "money_reserve = 2000"])
def test_a_day_has_calls_beside_the_reserve(tmp_path: Path, calls: str) -> None:
    store = 'base_url = "https://r.example"\nshop = "s"\nwebhook_token = "env:T"\napi_key = "env:K"\n'
    text = LEAST.replace("[systems]\n", "") + "[systems.returngo]\n" + store + calls + "\n"
    with pytest.raises(MerchantFileError, match="money_reserve: expected less than daily_calls"):
        load(written(tmp_path, text))


def test_every_file_with_mistakes_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path, LEAST.replace("EUR", "euro"), f"{name}.toml")
    with pytest.raises(MerchantFileError) as problem:
        load_all(tmp_path)
    assert [line.partition(": ")[0] for line in str(problem.value).splitlines()] == [
        str(tmp_path / "a.toml"), str(tmp_path / "b.toml")
    ]  # fmt: skip


def test_no_file_at_all_is_a_mistake_too(tmp_path: Path) -> None:
    with pytest.raises(MerchantFileError, match=r"expected at least one merchant file \*.toml"):
        load_all(tmp_path)
    with pytest.raises(MerchantFileError, match="cannot be read"):
        load(tmp_path / "none.toml")
