"""Checks before an agent starts, each with one plain message: broker, topics, partition counts, data directory."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from schemas import brokers, disks
from schemas.startup import CannotStart, DiskFull
from streams.shell.settings import ShellSettings

MOST_WORKERS = 64  # that are given one place
log = structlog.get_logger()


def check_topics(settings: ShellSettings, sources: Sequence[str]) -> int:
    """Sources and changelog exist with one partition count, which is returned: row, fact and changelog record of a key
    must meet in one partition number. Raises CannotStart."""
    wanted = [*sources, settings.changelog]
    counts = _partition_counts(settings)
    missing = [name for name in wanted if name not in counts]
    if missing:
        raise CannotStart(
            f"{settings.group}: expected {len(wanted)} topics on {settings.bootstrap}, missing are "
            f"{', '.join(missing)}{brokers.unseen(settings.bootstrap)}. Create them with `returnflow topics apply`."
        )
    different = {counts[name] for name in wanted}
    if len(different) > 1:
        raise CannotStart(
            f"{settings.group}: expected equal partition counts, got "
            f"{', '.join(f'{name}: {counts[name]}' for name in wanted)}. A count cannot be changed in place: "
            "a different one needs a new changelog and its keys moved."
        )
    return different.pop()


def _partition_counts(settings: ShellSettings) -> dict[str, int]:
    try:
        metadata = brokers.ask(settings.bootstrap, settings.start_timeout_seconds)
    except brokers.Unreachable as error:
        raise CannotStart(
            f"{settings.group}: no Kafka broker answered at {settings.bootstrap} within "
            f"{settings.start_timeout_seconds:g} s ({error}). Is it running, and is the address right?"
        ) from error
    return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}


@contextmanager
def claimed_data_dir(path: Path) -> Iterator[Path]:
    """A directory that no other worker has for as long as the block runs: this one, or one beside it with a number. So
    any number of workers may be given the same place, and find what they left there. Raises CannotStart."""
    for number in range(1, MOST_WORKERS + 1):
        own = path if number == 1 else path.with_name(f"{path.name}-{number}")
        lock = _locked(own)
        if lock is not None:
            with lock:
                log.info("data_directory_taken", path=str(own))
                yield own
            return
    raise CannotStart(f"expected room for a worker beside {path}, but {MOST_WORKERS} workers use it already")


def _locked(path: Path) -> IO[str] | None:
    """Held until the returned file is closed; None when another worker holds it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "worker.lock").open("w")
    except OSError as error:
        if disks.no_room(error, path):
            raise DiskFull(disks.told(path, "RETURNFLOW_DATA_DIR")) from error
        raise CannotStart(f"cannot write to the data directory {path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
