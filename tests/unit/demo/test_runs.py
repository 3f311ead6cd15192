"""Folders of runs: new ones are made, old ones go, those of runs that are up stay."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from ops.demo.runs import KEPT_RUNS, run_folder


def folders(runs: Path) -> set[str]:
    return {each.name for each in runs.iterdir() if each.is_dir()}


@pytest.mark.req("OPS-1")
def test_the_folder_of_a_run_that_is_still_up_is_never_taken_away(tmp_path: Path) -> None:
    with ExitStack() as stack:
        up = stack.enter_context(run_folder(tmp_path))
        (up / "ledger.db").write_text("in use")
        ended = []
        for _ in range(KEPT_RUNS + 3):
            with run_folder(tmp_path) as folder:
                ended.append(folder)
        assert (up / "ledger.db").read_text() == "in use"
    for each in ended:
        assert each.name <= max(folders(tmp_path))
    assert len(folders(tmp_path)) <= KEPT_RUNS + 2


def test_of_runs_that_have_ended_the_newest_few_stay(tmp_path: Path) -> None:
    for day in range(10, 20):
        (tmp_path / f"202601{day}-000000-old").mkdir()
    with run_folder(tmp_path) as folder:
        assert folders(tmp_path) == {*(f"202601{day}-000000-old" for day in range(15, 20)), folder.name}
