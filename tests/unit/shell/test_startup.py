"""Workers that are given one place take a data directory each."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from schemas.startup import CannotStart
from streams.shell import startup
from streams.shell.startup import claimed_data_dir


def test_each_worker_of_a_place_has_a_directory_of_its_own_and_the_next_one_takes_what_is_free(tmp_path: Path) -> None:
    with claimed_data_dir(tmp_path / "cases") as first, ExitStack() as second:
        other = second.enter_context(claimed_data_dir(tmp_path / "cases"))
        assert (first, other) == (tmp_path / "cases", tmp_path / "cases-2")
        with claimed_data_dir(tmp_path / "cases") as third:
            assert third == tmp_path / "cases-3"
        second.close()
        with claimed_data_dir(tmp_path / "cases") as again:
            assert again == tmp_path / "cases-2"
    with claimed_data_dir(tmp_path / "cases") as again:
        assert again == first


def test_a_place_has_room_for_so_many_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "MOST_WORKERS", 1)
    with (
        claimed_data_dir(tmp_path / "data"),
        pytest.raises(CannotStart, match="1 workers use it already"),
        claimed_data_dir(tmp_path / "data"),
    ):
        raise AssertionError("must not be reached")


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CannotStart, match=f"cannot write to the data directory {tmp_path}/file/data"),
        claimed_data_dir(tmp_path / "file" / "data"),
    ):
        raise AssertionError("must not be reached")
