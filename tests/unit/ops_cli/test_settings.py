"""Settings come from the environment, options override them, and a bad one is told in words."""

from pathlib import Path

import pytest

from ops.cli.settings import settings, without_password
from ops.up import environment
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart


def test_an_option_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNFLOW_KAFKA_BOOTSTRAP", "one:1")
    monkeypatch.setenv("RETURNFLOW_MERCHANTS", "there")
    found = settings({"kafka_bootstrap": "two:2", "metrics_port": "9400"})
    assert (found.kafka_bootstrap, found.merchants, found.metrics_port) == ("two:2", Path("there"), 9400)


def test_what_came_from_the_environment_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNFLOW_KAFKA_BOOTSTRAP", "nonsense")
    monkeypatch.setenv("RETURNFLOW_SESSION_TIMEOUT_SECONDS", "-1")
    with pytest.raises(CannotStart) as problem:
        settings({"registry_url": "ftp://x"})
    assert str(problem.value).splitlines() == [
        "RETURNFLOW_KAFKA_BOOTSTRAP: expected host:port, several with commas, got 'nonsense'",
        "--registry: expected http://… or https://…, got 'ftp://x'",
        "RETURNFLOW_SESSION_TIMEOUT_SECONDS: Input should be greater than 0, got '-1'",
    ]


@pytest.mark.req("OPS-10")
def test_passwords_in_urls_are_never_repeated() -> None:
    with pytest.raises(CannotStart) as problem:
        settings({"ledger_url": "mysql://u:hunter2@db/ledger"})
    assert str(problem.value) == ("--ledger: expected sqlite:///file or postgresql://…, got 'mysql://***@db/ledger'")
    assert without_password("http://u:p@h:1/x") == "http://***@h:1/x"
    assert without_password("http://h:1/x@y") == "http://h:1/x@y"


def test_settings_survive_the_way_to_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ProcessSettings(kafka_bootstrap="k:1", registry_url="http://r", metrics_port=9, data_dir=Path("d"))
    for name, value in environment(wanted).items():
        monkeypatch.setenv(name, value)
    assert ProcessSettings() == wanted


def test_the_ledger_moves_with_the_data_directory_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETURNFLOW_LEDGER_URL", raising=False)
    assert settings({"data_dir": "/srv/a b"}).ledger_url == "sqlite:////srv/a b/ledger.db"
    assert settings({"data_dir": "/srv", "ledger_url": "sqlite:///x.db"}).ledger_url == "sqlite:///x.db"


def test_a_bad_value_before_the_ledger_is_the_only_thing_that_is_told() -> None:
    with pytest.raises(CannotStart) as told:
        settings({"kafka_bootstrap": "nonsense"})
    assert str(told.value).count("\n") == 0
