"""What a worker says when it cannot start: one plain message, no traceback, nothing half open."""

import re
import socket
import uuid
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from sinks import worker
from tests.unit.sinks.toy import Toy

MERCHANT = """
merchant = "shop"
time_zone = "UTC"
currency = "EUR"
[systems.returngo]
base_url = "http://127.0.0.1:1/returngo"
shop = "shop.myshopify.com"
api_key = "env:SINK_TEST_KEY"
webhook_token = "env:SINK_TEST_KEY"
"""


def settings(tmp_path: Path, **changed: object) -> ProcessSettings:
    folder = tmp_path / "merchants"
    folder.mkdir(exist_ok=True)
    (folder / "shop.toml").write_text(MERCHANT)
    values: dict[str, object] = {
        "kafka_bootstrap": "127.0.0.1:1", "ledger_url": f"sqlite:///{tmp_path}/ledger.db", "merchants": folder
    }  # fmt: skip
    return ProcessSettings(**(values | changed))  # type: ignore[arg-type]


def refusal(settings: ProcessSettings, system: str = "returngo") -> str:
    with pytest.raises(CannotStart) as problem:
        worker.main(settings, system)
    assert "\n" not in str(problem.value)
    return str(problem.value)


def test_a_system_that_we_do_not_have(tmp_path: Path) -> None:
    assert refusal(settings(tmp_path), "sap") == "sink sap: expected one of returngo, shopify"


def test_no_merchants(tmp_path: Path) -> None:
    assert "expected at least one merchant file" in refusal(settings(tmp_path, merchants=tmp_path / "none"))


def test_a_secret_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SINK_TEST_KEY", raising=False)
    assert "env:SINK_TEST_KEY" in refusal(settings(tmp_path))


def test_a_ledger_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK_TEST_KEY", "a-key-of-a-test")
    said = refusal(settings(tmp_path, ledger_url="postgresql://a:b@127.0.0.1:1/none"))
    assert said.startswith("ledger postgresql+psycopg://a:***@127.0.0.1:1/none: cannot be opened")


def test_no_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK_TEST_KEY", "a-key-of-a-test")
    assert refusal(settings(tmp_path)).startswith("expected a Kafka at 127.0.0.1:1, got:")


def test_a_metrics_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK_TEST_KEY", "a-key-of-a-test")
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refusal(settings(tmp_path, metrics_port=port)).startswith(
            f"expected the metrics port 127.0.0.1:{port} to be free"
        )


def test_a_kafka_without_our_topics(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK_TEST_KEY", "a-key-of-a-test")
    name = f"missing-{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(worker, "SYSTEMS", {name: Toy(name)})
    said = refusal(settings(tmp_path, kafka_bootstrap=kafka), name)
    assert re.search(rf"has no topic .*{name}-commands, {name}-dead-letters; run `returnflow topics apply`", said)
    assert name + "-commands" not in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
