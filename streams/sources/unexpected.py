"""Faults of our own code: made visible by type and place. Never by their message: it may hold personal data."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from schemas.faults import where
from sinks.ledger.ledger import Unstorable
from streams.sources import telemetry
from streams.sources.fields import Malformed
from streams.sources.work import Unexpected

log = structlog.get_logger(__name__)
# What a mistake in reading a payload raises. Trouble with Kafka or the ledger is none of these: it ends the process.
FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_OURS = ("/streams/", "/sinks/", "/schemas/")


@contextmanager
def faults_shown(system: str, doing: str) -> Iterator[None]:
    """Counts and logs a fault of ours and raises Unexpected in its place; Malformed is no fault, nor is what the ledger
    cannot hold, which is Malformed from here on."""
    try:
        yield
    except Malformed:
        raise
    except Unstorable as error:
        raise Malformed(str(error)) from None
    except FAULTS as error:
        place = where(error, _OURS)
        telemetry.UNEXPECTED.labels(system).inc()
        log.error("unexpected", system=system, doing=doing, error=place)  # noqa: TRY400  a traceback shows the message
        raise Unexpected(place) from None
