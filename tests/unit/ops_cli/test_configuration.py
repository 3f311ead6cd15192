"""`returnflow merchants apply` and `changes`: checked, shown, written in one piece, recorded, and told once."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops import configuration
from ops.cli import main
from ops.inbox import Item, fold
from schemas.configuration import ConfigurationChanged, changed
from schemas.merchant import MerchantFileError, load
from tests.unit.ops_cli.samples import CODEC, T0, problem, record, seen
from tests.unit.schemas.merchant_text import LEAST, written

LOCATION = '\n[[locations]]\nsource = "returngo"\ncode = "dock"\nlocation_id = "11"\n'


class Cluster:
    """Kafka as the command meets it: the exceptions that lie there, and what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[ConfigurationChanged] = []
        self.open: list[Any] = []
        monkeypatch.setattr("ops.inbox.load", lambda *_: fold(map(record, self.open), CODEC))
        monkeypatch.setattr("ops.configuration.tell", lambda _bootstrap, _codec, change: self.told.append(change))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


def apply(folder: Path, new: Path, *more: str, say: str = "") -> tuple[int, str]:
    arguments = ["merchants", "apply", str(new), "--merchants", str(folder), "--by", "ann", *more]
    result = CliRunner().invoke(main, arguments, input=say)
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "merchants"
    made.mkdir()
    written(made, LEAST, "first.toml")
    return made


def test_a_change_is_shown_asked_written_and_recorded(folder: Path, tmp_path: Path, cluster: Cluster) -> None:
    cluster.open = [
        problem("a", merchant="m-1", location="dock", order_id="1", unit_ids=("u1", "u2")),
        problem("b", merchant="m-1", location="dock", order_id="2", unit_ids=("u1",)),
        problem("c", merchant="m-1", location="shed", order_id="3", unit_ids=("u1",)),
        problem("d", merchant="m-2", location="dock"),
    ]
    new = written(tmp_path, LEAST + LOCATION, "new.toml")
    status, said = apply(folder, new, say="n\n")
    assert (status, cluster.told, load(folder / "first.toml").locations) == (1, [], ())
    assert "Open exceptions of type unmapped_location 'dock': 2, units 3: the change names it" in said
    assert "Open exceptions of type unmapped_location 'shed': 1, units 1\n" in said
    status, said = apply(folder, new, say="y\n")
    assert (status, [*folder.iterdir()]) == (0, [folder / "first.toml"])
    assert (folder / "first.toml").read_bytes() == new.read_bytes()
    (change,) = cluster.told
    old, now = load(written(tmp_path, LEAST, "old.toml")), load(new)
    assert (change.by, change.before, change.digest) == ("ann", old.digest, now.digest)
    assert change.keys == ("locations[returngo dock any]",)
    assert now.digest in said
    assert apply(folder, new, "--yes")[0] == 1  # nothing takes another effect
    assert len(cluster.told) == 1


@pytest.mark.parametrize("text", [LEAST.replace("EUR", "EURO"), "[[", LEAST + "\n[tagz]\n"])
def test_what_is_broken_is_not_applied(folder: Path, tmp_path: Path, cluster: Cluster, text: str) -> None:
    new = written(tmp_path, text, "new.toml")
    status, said = apply(folder, new, "--yes")
    assert status == 2
    assert str(new) in said
    assert (cluster.told, (folder / "first.toml").read_text()) == ([], LEAST)


def test_the_mistakes_of_others_are_no_matter(folder: Path, tmp_path: Path, cluster: Cluster) -> None:
    written(folder, "[[", "broken.toml")
    assert apply(folder, written(tmp_path, LEAST + LOCATION, "new.toml"), "--yes")[0] == 0
    assert len(cluster.told) == 1


def test_what_does_not_fit_the_others_is_not_applied(folder: Path) -> None:
    written(folder, LEAST, "again.toml")
    with pytest.raises(MerchantFileError, match=r"merchants/first.toml: merchant 'm-1' is already in .*/again.toml"):
        configuration.check_fits((LEAST + LOCATION).encode(), folder, folder / "first.toml", "m-1")


def test_a_new_merchant_gets_a_file_of_its_name(folder: Path, tmp_path: Path, cluster: Cluster) -> None:
    new = written(tmp_path, LEAST.replace('"m-1"', '"m-2"'), "new.toml")
    assert apply(folder, new, "--yes")[0] == 0
    assert (folder / "m-2.toml").exists()
    assert (cluster.told[0].before, cluster.told[0].keys) == ("", ())


def test_a_change_is_listed_once_and_by_name(tmp_path: Path) -> None:
    old, new = load(written(tmp_path, LEAST)), load(written(tmp_path, LEAST + LOCATION, "n.toml"))
    undone = changed(new, old, T0 + 7)
    again = changed(old, new, T0 + 3_600_000)
    told = [changed(old, new, T0 + 5), undone, changed(old, new, T0 + 3, "ann"), changed(old, new, T0 + 4), again]
    found = configuration.changes([*map(record, told), seen(b"?")], CODEC)
    assert [(each.by, each.digest) for each in found] == [("ann", new.digest), ("", old.digest), ("", new.digest)]


def test_resolved_exceptions_wait_for_nothing(tmp_path: Path) -> None:
    merchant = load(written(tmp_path, LEAST))
    items = [Item(state="cleared", raised=problem("a", merchant="m-1", location="dock"))]
    assert configuration.waiting_for(merchant, None, items) == []


def test_a_file_that_is_broken_hides_no_other_merchant(folder: Path) -> None:
    written(folder, LEAST.replace('"m-1"', '"m-2"').replace("EUR", "EURO"), "second.toml")
    runner, where = CliRunner(), ["--merchants", str(folder)]
    assert runner.invoke(main, ["merchants", "show", "m-1", *where]).exit_code == 0
    broken = runner.invoke(main, ["merchants", "show", "m-2", *where])
    assert (broken.exit_code, "second.toml: currency" in broken.output) == (2, True)
    checked = runner.invoke(main, ["merchants", "check", *where])
    assert (checked.exit_code, "m-1" in checked.output, "second.toml: currency" in checked.output) == (1, True, True)
