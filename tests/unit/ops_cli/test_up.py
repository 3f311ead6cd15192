"""What `up` starts follows from the merchants."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import main
from ops.sandbox_shop import SECRETS
from ops.secret_references import secrets_of
from ops.up import Addresses, configured_systems, parts
from schemas.merchant import load, load_all

EXAMPLE = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"


def test_each_configured_system_gets_its_processes_and_the_gateway_comes_last() -> None:
    found = parts({"demo-shop": load(EXAMPLE)}, Addresses(gateway_port=8081, metrics_from=9500))
    assert [each.name for each in found] == [
        "sink-returngo",
        "sink-shopify",
        "agent-cases",
        "agent-stock",
        "source-returngo",
        "source-shopify",
        "source-warehouse",
        "gateway",
    ]
    assert [each.metrics_port for each in found] == [*range(9500, 9508)]
    assert found[0].arguments == ("sink", "returngo")
    assert found[-1].arguments == ("gateway", "--port", "8081")


def test_systems_are_those_of_any_merchant(tmp_path: Path) -> None:
    for name, system in (("one", "carrier"), ("two", "warehouse")):
        head = f'merchant = "{name}"\ntime_zone = "UTC"\ncurrency = "EUR"\n'
        (tmp_path / f"{name}.toml").write_text(f'{head}[systems.{system}]\nwebhook_secrets = ["env:A"]\n')
    assert configured_systems(load_all(tmp_path)) == ["warehouse", "carrier"]


def test_the_sandbox_knows_every_secret_of_the_worked_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = {ref.removeprefix("env:") for ref in secrets_of(load(EXAMPLE))}
    shutil.copy(EXAMPLE, tmp_path)  # the folder of a checkout may hold files of whoever tries it
    assert wanted == set(SECRETS)
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    missing = CliRunner().invoke(main, ["merchants", "check", "--merchants", str(tmp_path)])
    assert missing.exit_code == 1
    assert missing.stderr.count("expected a value, found nothing") == len(SECRETS)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    complete = CliRunner().invoke(main, ["merchants", "check", "--merchants", str(tmp_path), "--json"])
    assert complete.exit_code == 0
    assert '"missing_secrets": []' in complete.output
    assert not any(value in complete.output for value in SECRETS.values())
