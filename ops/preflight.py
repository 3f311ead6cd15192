"""What keeps `up` from starting, all of it, before anything is started. Touches ports, files, and what it connects to.

Every check runs at the same time, none for longer than WITHIN_SECONDS.
"""

import importlib.util
import os
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import msgspec
import sqlalchemy

from ops import data_directory
from ops.local.failures import LocalServiceError
from ops.local.jars import cache_directory, read_lock
from ops.local.java import java_executable
from ops.local.ports import is_free
from ops.secret_references import missing
from ops.up import Addresses, parts
from schemas import brokers, product
from schemas.merchant import Merchant, MerchantFileError
from schemas.merchant_folder import MerchantFolder
from schemas.settings import ProcessSettings, ledger_in
from schemas.startup import CannotStart

WITHIN_SECONDS = 2.5
ASK_SECONDS = 2.0
LEAST_FREE_MB = 500  # Kafka alone writes tens of megabytes an hour
Check = Callable[[], Iterator[str]]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A port that one of our processes listens on, and the option that moves it."""

    port: int
    name: str
    option: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`faults` keep everything from starting; `troubles` concern a merchant, by name, and the others go on."""

    faults: tuple[str, ...]
    troubles: Mapping[str, tuple[str, ...]]
    merchants: Mapping[str, Merchant]


def look(settings: ProcessSettings, addresses: Addresses, *, own_kafka: bool, with_sandbox: bool) -> Found:
    """Everything that is in the way, one line each."""
    merchants, troubles, faults = _merchants(settings.merchants, with_sandbox=with_sandbox)
    checks: dict[str, Check] = {
        "data directory": lambda: _directory(settings.data_dir, sandbox=with_sandbox),
        "ledger": lambda: _ledger(settings.ledger_url, settings.data_dir),
        "registry": lambda: _registry(settings.registry_url),
        "kafka": _local_kafka if own_kafka else lambda: _kafka(settings),
        "sandbox": _sandbox if with_sandbox else lambda: iter(()),
    }
    taken = [*_taken(wanted(merchants, addresses, own_kafka=own_kafka, with_sandbox=with_sandbox))]
    return Found(faults=(*faults, *_all(checks), *taken), troubles=troubles, merchants=merchants)


def wanted(
    merchants: Mapping[str, Merchant], addresses: Addresses, *, own_kafka: bool, with_sandbox: bool
) -> list[Wanted]:
    """Every port that is going to be listened on."""
    processes = parts(merchants, addresses)
    metrics = [(each.metrics_port, f"the metrics of {each.name}") for each in processes]
    first = addresses.metrics_from + len(processes)
    metrics += [(first, "the metrics of lag"), (first + 1, "the metrics of up")]
    return [
        *([Wanted(port=addresses.kafka_port, name="Kafka", option="--kafka-port")] if own_kafka else ()),
        *([Wanted(port=addresses.sandbox_port, name="the sandbox", option="--sandbox-port")] if with_sandbox else ()),
        Wanted(port=addresses.gateway_port, name="the gateway", option="--gateway-port"),
        *(Wanted(port=port, name=name, option="--metrics-from") for port, name in metrics),
    ]


def _taken(ports: list[Wanted]) -> Iterator[str]:
    times = Counter(each.port for each in ports)
    for each in ports:
        if times[each.port] > 1:
            others = ", ".join(other.name for other in ports if other.port == each.port and other is not each)
            yield f"port {each.port}: {each.name} and {others} want it; {each.option} moves the first"
            times[each.port] = 1
        if times.pop(each.port, 0) and not is_free(each.port):
            yield f"port {each.port}: {each.name} wants it, another program listens there; {each.option} moves it"


def _all(checks: Mapping[str, Check]) -> Iterator[str]:
    found: dict[str, list[str]] = {}

    def look_at(name: str, check: Check) -> None:
        try:
            found[name] = [f"{name}: {problem}" for problem in check()]
        except OSError as error:
            found[name] = [f"{name}: {error.filename or 'a file'} cannot be read ({error.strerror})"]

    asked = {name: threading.Thread(target=look_at, args=each, daemon=True) for name, each in _named(checks)}
    deadline = time.monotonic() + WITHIN_SECONDS
    for thread in asked.values():
        thread.start()
    for name, thread in asked.items():
        thread.join(max(0.0, deadline - time.monotonic()))
        yield from found.get(name, [f"{name}: cannot be looked at within {WITHIN_SECONDS:g} s"])


def _named(checks: Mapping[str, Check]) -> Iterator[tuple[str, tuple[str, Check]]]:
    return ((name, (name, check)) for name, check in checks.items())


def _merchants(
    folder: Path, *, with_sandbox: bool
) -> tuple[dict[str, Merchant], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Usable merchants, troubles by merchant, and what is wrong when there is none to go on with."""
    try:
        opened = MerchantFolder.opened(folder)
    except MerchantFileError as problem:
        return {}, {}, tuple(str(problem).split("\n"))
    troubles = {name: tuple(problem.split("\n")) for name, problem in opened.troubles.items()}
    for name, each in opened.merchants.items() if not with_sandbox else ():
        if problems := missing(each):
            troubles[name] = (*troubles.get(name, ()), *problems)
    if opened.merchants.keys() <= troubles.keys():
        every = tuple(f"merchant {name}: {problem}" for name, lines in troubles.items() for problem in lines)
        return dict(opened.merchants), {}, every
    return dict(opened.merchants), troubles, ()


def _directory(path: Path, *, sandbox: bool) -> Iterator[str]:
    made = _existing(path)
    if refused := _refused(made):
        yield f"{made} cannot be written to ({refused}); choose another --data-dir"
    elif (free := shutil.disk_usage(made).free // 1_000_000) < LEAST_FREE_MB:
        yield f"the disk of {made} has {free} MB left, expected {LEAST_FREE_MB}; free some or choose another --data-dir"
    elif problem := data_directory.wrong(path, sandbox=sandbox):
        yield problem


def _refused(folder: Path) -> str | None:
    """Why no file can be made there; tried, because rights alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror


def _existing(path: Path) -> Path:
    """The nearest of its parents that is there."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _ledger(url: str, data_dir: Path) -> Iterator[str]:
    try:
        named = sqlalchemy.make_url(url)
        file = named.get_backend_name() == "sqlite"
        if file and not Path(named.database or "").exists():
            folder = _existing(Path(named.database or "").parent)
            beside = url == ledger_in(data_dir)  # whoever looks at the directory says what is wrong with it
            if not beside and (refused := _refused(folder)):
                yield f"{folder} cannot be written to ({refused}); correct --ledger or RETURNFLOW_LEDGER_URL"
            return
        options = {} if file else {"connect_timeout": int(ASK_SECONDS)}
        engine = sqlalchemy.create_engine(url, connect_args=options)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1" if not file else "SELECT count(*) FROM sqlite_master"))
        engine.dispose()
    except (sqlalchemy.exc.DBAPIError, sqlalchemy.exc.ArgumentError) as problem:
        yield f"{_shown(problem)}; correct --ledger or RETURNFLOW_LEDGER_URL"


def _shown(problem: Exception) -> str:
    from ops.cli.settings import without_password

    return without_password(" ".join(str(getattr(problem, "orig", None) or problem).split()))


def _registry(url: str | None) -> Iterator[str]:
    if url is None:
        return
    try:
        httpx.get(url, timeout=ASK_SECONDS, headers=product.HEADERS)
    except httpx.TransportError as problem:
        yield f"{_shown(problem)}; correct --registry or RETURNFLOW_REGISTRY_URL"


def _kafka(settings: ProcessSettings) -> Iterator[str]:
    """Of a Kafka that somebody else runs."""
    named = "correct --kafka or RETURNFLOW_KAFKA_BOOTSTRAP"
    unknown = [each for each in settings.kafka_bootstrap.split(",") if not _resolves(each.rpartition(":")[0])]
    for each in unknown:
        yield f"no machine is known by the name {each.rpartition(':')[0]}; {named}"
    if unknown:
        return
    try:
        brokers.ask(settings.kafka, ASK_SECONDS)
    except (brokers.Unreachable, CannotStart) as problem:
        yield f"{settings.kafka_bootstrap} gives no answer: {problem}; start it, or {named}"


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True


def _local_kafka() -> Iterator[str]:
    """Of the one that we bring: its Java, and where its jars are kept."""
    try:
        java_executable()
    except LocalServiceError as problem:
        yield str(problem)
    try:
        cache = cache_directory(os.environ) / "kafka"
    except RuntimeError:
        yield "no home directory is known for the cache of its jars; name a folder with RETURNFLOW_CACHE"
        return
    lacks = any(not (cache / jar.file_name).exists() for jar in read_lock().dependencies)
    if lacks and (refused := _refused(_existing(cache))):
        yield f"its jars belong into {cache}, which cannot be written to ({refused}); choose with RETURNFLOW_CACHE"


def _sandbox() -> Iterator[str]:
    if importlib.util.find_spec("graphql") is None:
        yield "expected the Python package graphql-core, it is not installed; run `make setup`"
