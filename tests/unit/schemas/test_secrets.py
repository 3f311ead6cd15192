"""A secret that could not be sent, or would be told by an error about it, is refused where it is read."""

from pathlib import Path

import pytest

from schemas.secrets import FOLDER, SecretMissing, resolve

MALFORMED = {
    "empty": "", "two lines": "s3cret-one\ns3cret-two", "carriage return": "s3cret-one\rs3cret-two",
    "not ASCII": "s3crét-geheim", "a space": "s3cret one two", "a tab": "s3cret\tone", "NUL": "s3cret-\x00one",
    "too short": "s3cret", "delete": "s3cret-on\x7f",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "secrets"
    made.mkdir()
    monkeypatch.setenv(FOLDER, str(made))
    return made


def test_secrets_come_from_the_environment_or_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNFLOW_TEST_SECRET", "one-secret")
    (folder / "key").write_bytes(b"two-secret\r\n")
    assert resolve("env:RETURNFLOW_TEST_SECRET").get_secret_value() == "one-secret"
    found = resolve(f"file:{folder / 'key'}")
    assert found.get_secret_value() == "two-secret"
    assert "two" not in repr(found)


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    ("kind", "place"),
    [(kind, place) for kind in MALFORMED for place in ("env", "file") if (kind, place) != ("NUL", "env")],
)
def test_what_cannot_be_a_secret_is_refused_and_never_shown(
    kind: str, place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = MALFORMED[kind]
    if place == "file":
        (folder / "key").write_text(value, encoding="utf-8", newline="")
        reference = f"file:{folder / 'key'}"
    else:
        monkeypatch.setenv("RETURNFLOW_TEST_SECRET", value)
        reference = "env:RETURNFLOW_TEST_SECRET"
    with pytest.raises(SecretMissing, match="expected") as problem:
        resolve(reference)
    assert "s3cr" not in str(problem.value).replace(reference, "")


@pytest.mark.req("OPS-10")
def test_files_elsewhere_are_not_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other-secret")
    (folder / "link").symlink_to(tmp_path / "other")
    for path in (tmp_path / "other", folder / "link", folder / ".." / "other", Path("/etc/passwd")):
        with pytest.raises(SecretMissing, match="expected a file below"):
            resolve(f"file:{path}")


def test_a_link_within_the_folder_is_how_orchestrators_rotate(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "key").write_text("new-secret\n")
    (folder / "key").symlink_to(Path("..data") / "key")
    assert resolve(f"file:{folder / 'key'}").get_secret_value() == "new-secret"


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:/no/such/file", "vault:x", "hunter2"])
def test_an_absent_secret_names_only_its_reference(reference: str, folder: Path) -> None:
    with pytest.raises(SecretMissing, match="secret"):
        resolve(reference)


def test_a_file_that_is_no_key_is_not_read(folder: Path) -> None:
    (folder / "large").write_bytes(b"x" * 20_000)
    with pytest.raises(SecretMissing, match="at most"):
        resolve(f"file:{folder / 'large'}")
    with pytest.raises(SecretMissing, match="cannot be read"):
        resolve(f"file:{folder}")
