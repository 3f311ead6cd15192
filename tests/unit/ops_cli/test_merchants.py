"""`returnflow merchants`: what a file says in effect, and what a change would change."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from ops.cli import main

EXAMPLES = Path(__file__).parents[3] / "merchants" / "examples"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["merchants", *arguments])
    return result.exit_code, result.output


@pytest.mark.req("OPS-7")
def test_show_tells_every_value_that_takes_effect_and_no_secret() -> None:
    status, said = run("show", "sitoo-stores", "--merchants", str(EXAMPLES), "--json")
    found = msgspec.json.decode(said)
    assert status == 0
    assert found["model.refunding.actor"] == "payment"
    assert found["locations[warehouse A sellable]"] == "location_id 1, active True, zone stock"
    assert found["systems.returngo.api_key"] == "env:SITOO_STORES_RETURNGO_KEY"
    status, said = run("show", "sitoo-stores", "--merchants", str(EXAMPLES))
    assert (status, "model.refunding.actor" in said) == (0, True)


@pytest.mark.req("OPS-7")
def test_show_leaves_out_what_a_model_of_a_location_does_not_govern() -> None:
    _, said = run("show", "web-and-stores", "--merchants", str(EXAMPLES), "--json")
    found = msgspec.json.decode(said)
    assert found["models.stores.inspecting.source"] == "returngo"
    assert "models.web-in-store.inspecting.source" not in found
    assert found["models.web-in-store.inspecting.needs_receipt"] is True


def test_show_names_the_merchants_there_are() -> None:
    status, said = run("show", "nobody", "--merchants", str(EXAMPLES))
    assert status == 2
    assert ": linnworks-bundles, sitoo-stores, web-and-stores; got 'nobody'" in said


@pytest.mark.req("OPS-7")
def test_diff_tells_what_takes_another_effect(tmp_path: Path) -> None:
    old = EXAMPLES / "sitoo-stores.toml"
    new = tmp_path / "new.toml"
    new.write_text(old.read_text().replace('system = "sitoo"', 'system = "sitoo"\nbooks = "linnworks"'))
    status, said = run("diff", str(old), str(new), "--json")
    assert status == 1
    assert msgspec.json.decode(said) == [{"key": "model.books", "old": "sitoo", "new": "linnworks"}]
    status, said = run("diff", str(old), str(new))
    assert (status, "model.books" in said) == (1, True)
    assert run("diff", str(old), str(old)) == (
        0,
        "key\told\tnew\nBoth files take the same effect.\n",
    )


def test_diff_of_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("merchant = 7")
    status, said = run("diff", str(EXAMPLES / "sitoo-stores.toml"), str(bad))
    assert status == 2
    assert f"{bad}: merchant: " in said


def test_check_names_the_models_of_each_merchant() -> None:
    status, said = run("check", "--merchants", str(EXAMPLES), "--json")
    assert status == 1
    models = {row["merchant"]: row["models"] for row in msgspec.json.decode(said.partition("\nlinn")[0])}
    assert models["web-and-stores"] == ["default: shopify", "stores: lightspeed-x", "web-in-store: lightspeed-x"]
