"""Merchant files while a process runs: all or none of a file, and one merchant's mistake is nobody else's."""

from pathlib import Path

import pytest

from schemas.merchant import MerchantFileError
from schemas.merchant_folder import MerchantFolder
from tests.unit.schemas.merchant_text import LEAST, RETURNGO, written

OTHER = LEAST.replace('"m-1"', '"m-2"')
BROKEN = {
    "not TOML": LEAST + "[[",
    "a wrong value": LEAST.replace("EUR", "EURO"),
    "an unknown key": LEAST + "\n[tagz]\nx = 1\n",
    "another encoding": "\ufeff\ufeff",
}


def looked(folder: MerchantFolder) -> frozenset[str]:
    """What counts is what two looks have seen alike."""
    return folder.look() | folder.look()


def with_owner(text: str, calls: int) -> str:
    return text + RETURNGO.format(url="https://x.example") + f'budget_owner = "us"\ndaily_calls = {calls}\n'


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_broken_at_the_start_is_its_merchants_own_fault(tmp_path: Path, kind: str) -> None:
    written(tmp_path, BROKEN[kind], "m-1.toml")
    written(tmp_path, OTHER, "other.toml")
    folder = MerchantFolder.opened(tmp_path)
    assert list(folder.merchants) == ["m-2"]
    assert list(folder.troubles) == ["m-1"]
    assert str(tmp_path / "m-1.toml") in folder.troubles["m-1"]


@pytest.mark.parametrize("kind", BROKEN)
def test_what_breaks_later_leaves_in_force_what_was_said_last(tmp_path: Path, kind: str) -> None:
    written(tmp_path, LEAST, "a-name-of-its-own.toml")
    written(tmp_path, OTHER, "other.toml")
    folder = MerchantFolder.opened(tmp_path)
    before = folder.merchants["m-1"]
    written(tmp_path, BROKEN[kind], "a-name-of-its-own.toml")
    assert looked(folder) == frozenset()
    assert (folder.merchants["m-1"], [*folder.troubles]) == (before, ["m-1"])
    written(tmp_path, LEAST.replace("EUR", "ZAR"), "a-name-of-its-own.toml")
    assert looked(folder) == {"m-1"}
    assert (folder.merchants["m-1"].currency, folder.troubles) == ("ZAR", {})


def test_a_file_that_is_still_being_written_does_not_count(tmp_path: Path) -> None:
    written(tmp_path, LEAST)
    folder = MerchantFolder.opened(tmp_path)
    written(tmp_path, LEAST.replace("EUR", "ZAR"))  # and its end is still to come
    assert folder.look() == frozenset()
    assert folder.merchants["m-1"].currency == "EUR"
    written(tmp_path, LEAST.replace("EUR", "ZAR") + "\n[tags]\nreceived = 'here'\n")
    assert folder.look() == frozenset()
    assert folder.look() == {"m-1"}
    assert folder.look() == frozenset()
    assert (folder.merchants["m-1"].currency, folder.merchants["m-1"].tags.received) == ("ZAR", "here")


def test_words_that_change_nothing_are_no_change(tmp_path: Path) -> None:
    written(tmp_path, LEAST)
    folder = MerchantFolder.opened(tmp_path)
    written(tmp_path, "# a comment\n" + LEAST)
    assert looked(folder) == frozenset()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its one value is the time in seconds."""
    now = [1000.0]
    monkeypatch.setattr("schemas.merchant_folder.time.monotonic", lambda: now[0])
    return now


def test_a_merchant_whose_file_is_gone_is_gone_after_a_moment_and_told(tmp_path: Path, clock: list[float]) -> None:
    path = written(tmp_path, LEAST)
    written(tmp_path, OTHER, "other.toml")
    folder = MerchantFolder.opened(tmp_path)
    path.unlink()
    assert looked(folder) == frozenset()
    assert "m-1" in folder.merchants
    assert "the file of merchant m-1 is gone" in folder.troubles["m-1"]
    clock[0] += 5.0
    folder.look()
    assert [*folder.merchants] == ["m-2"]
    assert [*folder.troubles] == ["m-1"]
    written(tmp_path, OTHER.replace("EUR", "ZAR"), "other.toml")  # what happens to others changes nothing
    assert looked(folder) == {"m-2"}
    assert ([*folder.merchants], [*folder.troubles]) == (["m-2"], ["m-1"])
    written(tmp_path, LEAST)
    assert looked(folder) == {"m-1"}
    assert (sorted(folder.merchants), folder.troubles) == (["m-1", "m-2"], {})


def test_a_file_that_is_moved_away_and_back_was_never_gone(tmp_path: Path, clock: list[float]) -> None:
    path = written(tmp_path, LEAST)
    written(tmp_path, OTHER, "other.toml")
    folder = MerchantFolder.opened(tmp_path)
    for _ in range(3):
        path.unlink()
        looked(folder)
        clock[0] += 4.0
        folder.look()
        written(tmp_path, LEAST)
        assert looked(folder) == frozenset()
    assert (sorted(folder.merchants), folder.troubles) == (["m-1", "m-2"], {})


def test_a_folder_without_any_file_is_a_fault_of_the_folder_and_nobody_is_gone(
    tmp_path: Path, clock: list[float]
) -> None:
    paths = [written(tmp_path, LEAST), written(tmp_path, OTHER, "other.toml")]
    folder = MerchantFolder.opened(tmp_path)
    for path in paths:
        path.unlink()
    for _ in range(3):
        looked(folder)
        clock[0] += 600.0
    assert sorted(folder.merchants) == sorted(folder.troubles) == ["m-1", "m-2"]
    assert "there is no merchant file left" in folder.troubles["m-1"]
    written(tmp_path, OTHER, "other.toml")
    looked(folder)
    assert [*folder.merchants] == ["m-2"]


def test_a_file_that_is_gone_and_comes_back_broken_is_not_served(tmp_path: Path, clock: list[float]) -> None:
    path = written(tmp_path, LEAST)
    written(tmp_path, OTHER, "other.toml")
    folder = MerchantFolder.opened(tmp_path)
    path.unlink()
    looked(folder)
    clock[0] += 6.0
    folder.look()
    written(tmp_path, BROKEN["a wrong value"])
    looked(folder)
    assert ([*folder.merchants], [*folder.troubles]) == (["m-2"], ["m-1"])
    assert "expected" in folder.troubles["m-1"] or "EURO" in folder.troubles["m-1"]


def test_a_new_file_is_a_new_merchant(tmp_path: Path) -> None:
    written(tmp_path, LEAST)
    folder = MerchantFolder.opened(tmp_path)
    written(tmp_path, OTHER, "other.toml")
    assert looked(folder) == {"m-2"}


def test_nobody_can_say_which_of_two_files_counts(tmp_path: Path) -> None:
    written(tmp_path, LEAST)
    folder = MerchantFolder.opened(tmp_path)
    written(tmp_path, LEAST.replace("EUR", "ZAR"), "copy.toml")
    looked(folder)
    assert (folder.merchants["m-1"].currency, [*folder.troubles]) == ("EUR", ["m-1"])
    with pytest.raises(MerchantFileError, match="is already in"):
        MerchantFolder.opened(tmp_path)


def test_a_budget_that_is_not_the_owners_is_of_the_file_that_says_it(tmp_path: Path) -> None:
    written(tmp_path, with_owner(LEAST, 2_000), "a.toml")
    written(tmp_path, with_owner(OTHER, 3_000), "b.toml")
    folder = MerchantFolder.opened(tmp_path)
    assert ([*folder.merchants], [*folder.troubles]) == (["m-1"], ["m-2"])
    written(tmp_path, with_owner(LEAST, 3_000), "a.toml")
    assert looked(folder) == {"m-1", "m-2"}
    assert folder.troubles == {}


def test_without_any_usable_merchant_every_problem_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerchantFileError, match="expected at least one merchant file"):
        MerchantFolder.opened(tmp_path)
    for name, text in BROKEN.items():
        written(tmp_path, text, f"{name.replace(' ', '-')}.toml")
    with pytest.raises(MerchantFileError) as problem:
        MerchantFolder.opened(tmp_path)
    assert all(f"{name.replace(' ', '-')}.toml" in str(problem.value) for name in BROKEN)


def test_a_file_without_read_permission_is_its_merchants_own_fault(tmp_path: Path) -> None:
    (tmp_path / "m-1.toml").mkdir()  # as unreadable as it gets, also for root
    written(tmp_path, OTHER, "other.toml")
    folder = MerchantFolder.opened(tmp_path)
    assert ([*folder.merchants], [*folder.troubles]) == (["m-2"], ["m-1"])
    assert "cannot be read" in folder.troubles["m-1"]


def test_whoever_is_asked_about_an_unknown_merchant_looks_at_once(tmp_path: Path) -> None:
    written(tmp_path, LEAST)
    folder = MerchantFolder.opened(tmp_path)
    assert folder.look() == frozenset()
    written(tmp_path, OTHER, "other.toml")
    folder.look_now()
    assert sorted(folder.merchants) == ["m-1", "m-2"]
    assert folder.look() == {"m-2"}
    assert folder.look() == frozenset()
