"""A data directory has one worker."""

from pathlib import Path

import pytest

from schemas.startup import CannotStart
from streams.shell.startup import lock_data_dir


def test_a_second_worker_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with lock_data_dir(tmp_path / "data"), pytest.raises(CannotStart, match="one directory per worker"):
        lock_data_dir(tmp_path / "data")
    lock_data_dir(tmp_path / "data").close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=f"cannot write to the data directory {tmp_path}/file/data"):
        lock_data_dir(tmp_path / "file" / "data")
