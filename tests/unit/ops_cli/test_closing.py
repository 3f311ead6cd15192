"""What is told after a start can be pasted, and shows no secret."""

import shlex
from pathlib import Path

import pytest

from ops import closing
from ops.closing import commands, follow, returnflow, words
from ops.up import Addresses
from schemas.merchant import load
from schemas.settings import ProcessSettings

EXAMPLE = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "returnflow", lambda: ["returnflow"])


def test_the_usual_places_need_no_options() -> None:
    settings = ProcessSettings.model_construct()
    assert commands(settings, sandbox=True, rma="10000001") == [
        "returnflow sandbox return", "returnflow line why 10000001", "returnflow exceptions list",
    ]  # fmt: skip
    assert commands(settings, sandbox=False, rma="")[:2] == ["returnflow merchants check", "returnflow lag"]


def test_other_places_are_named_as_a_shell_takes_them() -> None:
    settings = ProcessSettings.model_construct(data_dir=Path("/srv/a b"), kafka_bootstrap="k:1")
    first, second, _ = commands(settings, sandbox=True, rma="7")
    assert shlex.split(first) == ["returnflow", "sandbox", "return", "--data-dir", "/srv/a b"]
    assert second == "returnflow line why 7 --kafka k:1"
    assert follow("7", "127.0.0.1:9092") == ["returnflow", "line", "why", "7"]


def test_every_door_of_a_merchant_is_told_within_80_columns_and_without_its_token() -> None:
    told = words(
        ProcessSettings.model_construct(), Addresses(), [load(EXAMPLE)], sandbox=True, metrics_to=9409
    )  # fmt: skip
    for path in ("returngo/demo-shop/<webhook token>", "shopify/demo-shop", "warehouse/demo-shop"):
        assert f"  webhooks  http://127.0.0.1:8080/{path}" in told
    assert max(map(len, told)) <= 80


def test_the_command_is_told_as_this_terminal_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (found,) = returnflow()
    assert Path(found).exists()
