"""How every process logs: one line per event on stderr, JSON for machines or coloured for a desk. Composition only.

What C libraries print by themselves (an abort, the JVM of the local Kafka) is not ours to format.
"""

import atexit
import logging
import sys
import threading
import time
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from ops import log_faults
from ops.log_output import Output
from ops.log_storm import Repeated, Storm
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart

# What consumers go through with every start, rebalance and stop, and repeat by themselves.
PASSING = frozenset(
    {
        "GroupCoordinatorNotAvailableError", "GroupLoadInProgressError", "NotCoordinatorForGroupError",
        "RebalanceInProgressError", "UnknownMemberIdError", "IllegalGenerationError",
    }
)  # fmt: skip
LOOK_SECONDS = 2.0
MEGABYTE = 1_000_000


def configure(settings: ProcessSettings, process: str) -> None:
    """Send our events and the libraries' warnings through one format, each with its time (UTC), level and process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    counting = _Counting()
    stamped: list[Processor] = [structlog.processors.TimeStamper(fmt="iso", utc=True), _named(process)]
    shared: list[Processor] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, *stamped]
    last: list[Processor] = [log_faults.told, *([_json_line] if settings.log_format == "json" else [])]

    def lost(lines: int, why: str) -> str:
        event: Any = {"event": "log_lines_lost", "lines": lines, "why": why, "level": "error"}
        for each in [*stamped, *last]:
            event = each(None, "error", event)
        return f"{event}\n"

    output = Output(settings.log_file, settings.log_file_megabytes * MEGABYTE, lost)
    if settings.log_format != "json":
        last.append(structlog.dev.ConsoleRenderer(colors=output.isatty()))
    structlog.configure(
        processors=[*shared, counting, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),  # type: ignore[arg-type]  # writes and flushes, as a file
        cache_logger_on_first_use=True,
    )
    _libraries([*shared, counting.library], last, level, output)
    log_faults.install()
    _look_after(counting, output)


def _libraries(shared: list[Processor], last: list[Processor], level: int, output: Output) -> None:
    """Libraries are heard from warnings on: below that they tell of addresses and records, which may hold secrets."""
    handler = _Handler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    handler.addFilter(_as_told)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.captureWarnings(True)


class _Handler(logging.StreamHandler[Any]):
    """A message that is only counted is no fault."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except structlog.DropEvent:
            return
        except (TypeError, ValueError) as error:  # a library's own call is wrong: said, and not with its arguments
            line = self._wrong(record, error)
        self.stream.write(f"{line}\n")

    def _wrong(self, record: logging.LogRecord, error: Exception) -> str:
        plain = logging.LogRecord(
            record.name, record.levelno, record.pathname, record.lineno, str(record.msg), (), None
        )
        try:
            return self.format(plain)
        except structlog.DropEvent:
            return _json({"event": "log_call_failed", "logger": record.name, "fault": type(error).__name__})


def _as_told(record: logging.LogRecord) -> bool:
    """Let every record pass; what aiokafka calls an error though it passes by itself is a warning."""
    about = record.args if isinstance(record.args, tuple) else ()
    if record.name.startswith("aiokafka") and any(type(each).__name__ in PASSING for each in about):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    if record.name == "asyncio":
        log_faults.first_line(record)
    return True


class _Counting:
    """Holds back what was just said, and tells how often."""

    def __init__(self) -> None:
        self._storm, self._lock = Storm(), threading.Lock()

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        if event.pop("_counted", False) or event.get("level") == "debug":
            return event
        with self._lock:
            if not self._storm.admit(event, time.monotonic()):
                raise structlog.DropEvent
        return event

    def library(self, logger: Any, method: str, event: EventDict) -> EventDict:
        """As for ours, of which library it is."""
        record = event.get("_record")
        if record is not None:
            event["logger"] = record.name
        said = {name: value for name, value in event.items() if not name.startswith("_")}
        self(logger, method, said)
        return event

    def tell(self, *, all_of_them: bool = False) -> None:
        with self._lock:
            found = self._storm.over(time.monotonic(), all_of_them=all_of_them)
        for each in found:
            _tell(each)


def _tell(each: Repeated) -> None:
    said = {name: value for name, value in each.event.items() if name not in ("level", "timestamp", "process", "event")}
    level = logging.getLevelNamesMapping().get(str(each.event.get("level", "info")).upper(), logging.INFO)
    log = structlog.get_logger("ops.logs")
    log.log(level, "repeated", of=each.event.get("event"), times=each.times, **_plain(said), _counted=True)


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in ("of", "times")}


def _look_after(counting: _Counting, output: Output) -> None:
    """A thread of its own, for a process that hangs or is silent tells its counts too."""

    def run() -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            counting.tell()
            output.turn_over()

    threading.Thread(target=run, name="logs", daemon=True).start()
    atexit.register(counting.tell, all_of_them=True)


def cannot_start(problem: CannotStart, process: str) -> None:
    """The last line of a process that did not come up; it may not have got as far as `configure`."""
    event: EventDict = {"event": "cannot_start", "level": "critical", "process": process, "reason": str(problem)}
    print(_json(structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "critical", event)), file=sys.stderr)


def _named(process: str) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add


def _json_line(_logger: Any, _method: str, event: EventDict) -> str:
    return _json(event)


def _json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()
