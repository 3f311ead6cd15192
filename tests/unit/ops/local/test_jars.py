"""The jar lock: what is fetched, what is refused, where the cache lies."""

import hashlib
from pathlib import Path

import pytest

from ops.local.failures import LocalServiceError
from ops.local.jars import Jar, Lock, cache_directory, ensure_jars, read_lock

CONTENT = b"the real jar"
JAR = Jar(
    group="org.example", artifact="thing", version="1.0", packaging="jar", sha256=hashlib.sha256(CONTENT).hexdigest()
)
LOCK = Lock(dependencies=(JAR,))


def fetch_the_real_jar(jar: Jar, directory: Path) -> Path:
    path = directory / jar.file_name
    path.write_bytes(CONTENT)
    return path


def fetch_another_jar(jar: Jar, directory: Path) -> Path:
    path = directory / jar.file_name
    path.write_bytes(b"something else")
    return path


def no_network(jar: Jar, directory: Path) -> Path:
    raise AssertionError(f"{jar.coordinates} must come from the cache")


def test_a_missing_jar_is_fetched_and_the_second_start_needs_no_network(tmp_path: Path) -> None:
    first = ensure_jars(LOCK, tmp_path / "cache", fetch_the_real_jar)
    second = ensure_jars(LOCK, tmp_path / "cache", no_network)
    assert first == second == [tmp_path / "cache" / "thing-1.0.jar"]
    assert first[0].read_bytes() == CONTENT


def test_a_changed_jar_in_the_cache_is_refused(tmp_path: Path) -> None:
    (path,) = ensure_jars(LOCK, tmp_path, fetch_the_real_jar)
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(LocalServiceError) as refusal:
        ensure_jars(LOCK, tmp_path, no_network)
    message = str(refusal.value)
    assert str(path) in message
    assert "org.example:thing:1.0" in message
    assert JAR.sha256 in message
    assert hashlib.sha256(CONTENT + b"!").hexdigest() in message


def test_a_wrong_download_never_reaches_the_cache(tmp_path: Path) -> None:
    with pytest.raises(LocalServiceError, match=r"is not the locked org\.example:thing:1\.0"):
        ensure_jars(LOCK, tmp_path, fetch_another_jar)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_tried_again_from_nothing(tmp_path: Path) -> None:
    attempts: list[list[str]] = []

    def breaks_off_twice(jar: Jar, directory: Path) -> Path:
        attempts.append([path.name for path in directory.iterdir()])
        if len(attempts) < 3:
            (directory / jar.file_name).write_bytes(CONTENT[:3])
            raise LocalServiceError("connection reset")
        return fetch_the_real_jar(jar, directory)

    (path,) = ensure_jars(LOCK, tmp_path, breaks_off_twice)
    assert path.read_bytes() == CONTENT
    assert attempts == [[], [], []]


def test_a_network_that_stays_away_is_reported(tmp_path: Path) -> None:
    def away(jar: Jar, directory: Path) -> Path:
        raise LocalServiceError("could not be downloaded")

    with pytest.raises(LocalServiceError, match="could not be downloaded"):
        ensure_jars(LOCK, tmp_path, away)
    assert list(tmp_path.iterdir()) == []


def test_the_checked_in_lock_names_kafka_and_hashes_every_jar() -> None:
    lock = read_lock()
    assert "org.apache.kafka:kafka_2.13:4.3.1" in {jar.coordinates for jar in lock.dependencies}
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in lock.dependencies)
    assert len({jar.file_name for jar in lock.dependencies}) == len(lock.dependencies)


def test_a_lock_entry_without_a_hash_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kafka.lock.toml"
    entry = '[[dependencies]]\ngroupId = "g"\nartifactId = "a"\nversion = "1"\npackaging = "jar"\n'
    path.write_text(entry, encoding="utf-8")
    with pytest.raises(LocalServiceError, match="sha256"):
        read_lock(path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"RETURNFLOW_CACHE": "/chosen", "XDG_CACHE_HOME": "/xdg"}, Path("/chosen")),
        ({"XDG_CACHE_HOME": "/xdg"}, Path("/xdg/returnflow")),
        ({"XDG_CACHE_HOME": ""}, Path("~/.cache/returnflow").expanduser()),
        ({}, Path("~/.cache/returnflow").expanduser()),
    ],
)
def test_the_cache_lies_outside_the_checkout(environment: dict[str, str], expected: Path) -> None:
    assert cache_directory(environment) == expected


def test_in_a_pipe_the_download_is_told_in_plain_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ensure_jars(LOCK, tmp_path, fetch_the_real_jar)
    assert capsys.readouterr().err.splitlines() == ["Kafka: downloading 1 jars, once", "Kafka: 1 of 1 jars are here"]
