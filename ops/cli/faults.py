"""Faults of the world around a command, each turned into one plain message: expected, came, where, what to do.

A library that is not loaded cannot have raised, so none is loaded to recognise its faults.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ops.cli.settings import without_password
from schemas.startup import CannotStart

if TYPE_CHECKING:
    from schemas.kafka import Cluster
    from schemas.settings import ProcessSettings

ASK_AGAIN_SECONDS = 3.0
# Their texts say everything already.
_PLAIN = (
    ("schemas.merchant", "MerchantFileError"),
    ("schemas.secrets", "SecretMissing"),
    ("ops.local.failures", "LocalServiceError"),
)
_LEDGER = (("sqlalchemy.exc", "DBAPIError"), ("sqlalchemy.exc", "ArgumentError"))


@contextmanager
def plain_faults(settings: "ProcessSettings") -> Iterator[None]:
    """Raise CannotStart for what a person can mend; our own bugs keep their traceback."""
    try:
        yield
    except Exception as problem:
        told = _told(problem, settings)
        if told is not None:
            raise CannotStart(told) from problem
        raise


def _told(problem: Exception, settings: "ProcessSettings") -> str | None:
    if _is(problem, *_PLAIN):
        return str(problem)
    if _is(problem, ("confluent_kafka", "KafkaException")):
        return _kafka(problem, settings.kafka)
    if _is(problem, ("httpx", "TransportError")):
        return f"expected an answer from {_asked(problem)}, got: {str(problem) or type(problem).__name__}"
    return _ledger(problem, settings.ledger_url) if _is(problem, *_LEDGER) else None


def _is(problem: Exception, *kinds: tuple[str, str]) -> bool:
    loaded = ((sys.modules.get(module), name) for module, name in kinds)
    return any(module is not None and isinstance(problem, getattr(module, name)) for module, name in loaded)


def _kafka(problem: Exception, cluster: "Cluster") -> str:
    error: Any = problem.args[0] if problem.args else problem
    said = error.str() if hasattr(error, "str") else str(error)
    if cluster.protocol != "plaintext":
        said = _why_closed(cluster) or said
    return (
        f"expected a Kafka at {cluster}, got: {said}. Start it, or name another one with --kafka or "
        "RETURNFLOW_KAFKA_BOOTSTRAP (`returnflow up` brings its own)."
    )


def _why_closed(cluster: "Cluster") -> str | None:
    """Asked once more, to learn why: a call that ran out of time does not know what its connection was told."""
    from schemas import brokers

    try:
        brokers.ask(cluster, ASK_AGAIN_SECONDS)
    except brokers.Unreachable as problem:
        return str(problem)
    return None


def _asked(problem: Any) -> str:
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
