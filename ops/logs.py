"""How every process logs: one line per event on stderr, JSON for machines or coloured for a desk. Composition only."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from schemas.settings import ProcessSettings

# What consumers go through with every start, rebalance and stop, and repeat by themselves.
PASSING = frozenset(
    {
        "GroupCoordinatorNotAvailableError", "GroupLoadInProgressError", "NotCoordinatorForGroupError",
        "RebalanceInProgressError", "UnknownMemberIdError", "IllegalGenerationError",
    }
)  # fmt: skip


def configure(settings: ProcessSettings, process: str) -> None:
    """Send our events and the libraries' warnings through one format, each with its time (UTC), level and process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    if settings.log_format == "json":
        last: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
    else:
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _libraries(shared, last, level)


def _libraries(shared: list[Processor], last: list[Processor], level: int) -> None:
    """Libraries are heard from warnings on: below that they tell of addresses and records, which may hold secrets."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    handler.addFilter(_as_warning)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _as_warning(record: logging.LogRecord) -> bool:
    """Let every record pass; what aiokafka calls an error though it passes by itself is a warning."""
    about = record.args if isinstance(record.args, tuple) else ()
    if record.name.startswith("aiokafka") and any(type(each).__name__ in PASSING for each in about):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _named(process: str) -> Processor:
    def add(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    return add


def _json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()
