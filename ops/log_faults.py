"""Faults that nobody caught, as log lines: of the main thread, of others, of what asyncio dropped. Sets the hooks.

A fault is told by type and place. Its message stays out, for it may hold values of a record or of an answer; that of an
operating system's error is its own.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import structlog

MOST_FRAMES = 40


def told(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The processor that turns `exc_info` into type and place."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["fault"] = " from ".join(_named(each) for each in _chain(error))
        frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
        event["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _named(error: BaseException) -> str:
    said = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{said}"


def first_line(record: logging.LogRecord) -> None:
    """asyncio adds the task and its exception's message below what it has to say."""
    record.msg, record.args = record.getMessage().partition("\n")[0], ()


def install() -> None:
    """Hooks for what is not caught anywhere. A traceback would be many lines, with messages in them."""
    log = structlog.get_logger("ops.logs")

    def of_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught", exc_info=(kind, error, trace))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread is not None else ""
            log.error("uncaught_in_thread", thread=name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def unraisable(args: Any) -> None:
        log.error("uncaught_in_callback", what=args.err_msg or "", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_main, of_thread, unraisable
