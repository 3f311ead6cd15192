"""Faults of the world around a command, each turned into one plain message: expected, came, where, what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import sqlalchemy.exc
from confluent_kafka import KafkaError, KafkaException

from ops.cli.settings import without_password
from ops.local.failures import LocalServiceError
from schemas import brokers
from schemas.kafka import Cluster
from schemas.merchant import MerchantFileError
from schemas.secrets import SecretMissing
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart

ASK_AGAIN_SECONDS = 3.0


@contextmanager
def plain_faults(settings: ProcessSettings) -> Iterator[None]:
    """Raise CannotStart for what a person can mend; our own bugs keep their traceback."""
    try:
        yield
    except (MerchantFileError, SecretMissing, LocalServiceError) as problem:
        raise CannotStart(str(problem)) from problem
    except KafkaException as problem:
        raise CannotStart(_kafka(problem, settings.kafka)) from problem
    except httpx.TransportError as problem:
        said = str(problem) or type(problem).__name__
        raise CannotStart(f"expected an answer from {_asked(problem)}, got: {said}") from problem
    except (sqlalchemy.exc.DBAPIError, sqlalchemy.exc.ArgumentError) as problem:
        raise CannotStart(_ledger(problem, settings.ledger_url)) from problem


def _kafka(problem: KafkaException, cluster: Cluster) -> str:
    error = problem.args[0] if problem.args else problem
    said = error.str() if isinstance(error, KafkaError) else str(error)
    if cluster.protocol != "plaintext":
        said = _why_closed(cluster) or said
    return (
        f"expected a Kafka at {cluster}, got: {said}. Start it, or name another one with --kafka or "
        "RETURNFLOW_KAFKA_BOOTSTRAP (`returnflow up` brings its own)."
    )


def _why_closed(cluster: Cluster) -> str | None:
    """Asked once more, to learn why: a call that ran out of time does not know what its connection was told."""
    try:
        brokers.ask(cluster, ASK_AGAIN_SECONDS)
    except brokers.Unreachable as problem:
        return str(problem)
    return None


def _asked(problem: httpx.TransportError) -> str:
    try:
        return without_password(problem.request.url)
    except RuntimeError:  # httpx raises this when no request is attached
        return "an HTTP service"


def _ledger(problem: Exception, url: str) -> str:
    cause = getattr(problem, "orig", None) or problem
    first = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    return (
        f"expected the ledger at {without_password(url)}, got: {first}. Correct --ledger or RETURNFLOW_LEDGER_URL; "
        "when tables are missing run `returnflow ledger upgrade`."
    )
