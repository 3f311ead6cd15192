"""What an agent says when it cannot start: one plain message, before anything is touched."""

import shutil
from pathlib import Path

import pytest

from schemas.merchant import MerchantFileError
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from streams.agents import main

EXAMPLE = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"


def settings(folder: Path) -> ProcessSettings:
    return ProcessSettings(merchants=folder, data_dir=folder / "data", kafka_bootstrap="127.0.0.1:1")


def test_without_merchants_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(MerchantFileError, match="expected at least one merchant file"):
        main(settings(tmp_path), "cases")


def test_an_unknown_agent_is_named_with_those_that_exist(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    with pytest.raises(CannotStart, match="one of cases, stock, got 'weather'"):
        main(settings(tmp_path), "weather")
