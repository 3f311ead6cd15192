"""The broker's jars: read the lock, fetch what is missing, refuse what does not match.

Touches the cache directory and, for missing jars only, the Maven repositories that jgo is configured with.
"""

import hashlib
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.local.failures import LocalServiceError

KAFKA_LOCK = Path(__file__).with_name("kafka.lock.toml")
PARALLEL_DOWNLOADS = 8
DOWNLOAD_TIMEOUT_SECONDS = 60
DOWNLOAD_ATTEMPTS = 3


class Jar(msgspec.Struct, frozen=True, kw_only=True):
    """One jar of a jgo lock file. The hash is required here: jgo itself passes over an entry without one."""

    group: str = msgspec.field(name="groupId")
    artifact: str = msgspec.field(name="artifactId")
    version: str
    packaging: str
    sha256: str
    classifier: str = ""

    @property
    def coordinates(self) -> str:
        """Maven coordinates, `group:artifact:version`."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """Name in the cache and in a Maven repository; unique within a lock."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.{self.packaging}"


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of a jgo lock file (its other sections are of no use here)."""

    dependencies: tuple[Jar, ...]


# Fetches one jar into an empty directory and returns where it lies.
Fetch = Callable[[Jar, Path], Path]


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Where jars are kept between runs: RETURNFLOW_CACHE, else `returnflow` in the user's cache directory."""
    if chosen := environment.get("RETURNFLOW_CACHE"):
        return Path(chosen).expanduser()
    user_cache = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(user_cache).expanduser() / "returnflow"


def read_lock(path: Path = KAFKA_LOCK) -> Lock:
    """Read a lock file; raises LocalServiceError when an entry is incomplete."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Lock)
    except msgspec.ValidationError as problem:
        raise LocalServiceError(
            f"{path}: every jar needs groupId, artifactId, version, packaging and sha256, but {problem}. "
            "Write the lock again with `python -m ops.local.lock`."
        ) from problem


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ensure_jars(lock: Lock, directory: Path, fetch: Fetch) -> list[Path]:
    """Paths of all jars of the lock, each checked against its hash on every start; missing ones are fetched first.

    Raises LocalServiceError when a jar in the cache or a downloaded one is not the locked one.
    """
    missing = [jar for jar in lock.dependencies if not (directory / jar.file_name).exists()]
    if missing:
        _fetch_all(missing, directory, fetch)
    for jar in lock.dependencies:
        _verify(jar, directory / jar.file_name)
    return [directory / jar.file_name for jar in lock.dependencies]


def _verify(jar: Jar, path: Path) -> None:
    came = sha256_of(path)
    if came != jar.sha256:
        raise LocalServiceError(
            f"{path} is not the locked {jar.coordinates}: expected sha256 {jar.sha256}, came {came}. "
            "Delete the file to have it fetched again; if it comes back different, do not use it: tell the maintainers."
        )


def _fetch_all(missing: list[Jar], directory: Path, fetch: Fetch) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with _shown(len(missing)) as advance, ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        for _ in pool.map(lambda jar: _fetch_one(jar, directory, fetch), missing):
            advance()


@contextmanager
def _shown(total: int) -> Iterator[Callable[[], None]]:
    """How far the download is: a bar on a terminal, in a pipe a line for every tenth."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("Kafka: downloading jars"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("jars", total=total)
            yield lambda: progress.advance(task)
        return
    done = itertools.count(1)

    def line() -> None:
        number = next(done)
        if number == total or number % (total // 10 + 1) == 0:
            print(f"Kafka: {number} of {total} jars are here", file=sys.stderr, flush=True)

    print(f"Kafka: downloading {total} jars, once", file=sys.stderr, flush=True)
    yield line


def _fetch_one(jar: Jar, directory: Path, fetch: Fetch) -> None:
    """Fetch beside the final place and move in when it is whole: another process may be doing the same.

    Each attempt has an empty directory, because jgo takes a half-downloaded file for a whole one.
    """
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=directory) as staging:
            try:
                came = fetch(jar, Path(staging))
            except LocalServiceError:
                if attempt == DOWNLOAD_ATTEMPTS:
                    raise
                continue
            _verify(jar, came)
            came.replace(directory / jar.file_name)
            return


def fetch_with_jgo(jar: Jar, directory: Path) -> Path:
    """Fetch from Maven Central and the repositories of jgo's own settings file (where a company names its mirror)."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    context = MavenContext(repo_cache=directory, remote_repos=repositories, timeout=DOWNLOAD_TIMEOUT_SECONDS)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact(jar.classifier, jar.packaging).resolve())
    except (OSError, RuntimeError) as problem:  # requests' errors are OSErrors
        raise LocalServiceError(
            f"{jar.coordinates} could not be downloaded: {problem}. The local Kafka needs the network once; afterwards "
            "its jars are in the cache. Try again, or set RETURNFLOW_KAFKA_BOOTSTRAP to a Kafka that runs already."
        ) from problem
