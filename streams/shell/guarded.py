"""Rows that make the core raise: told by key and counted, and passed over, so that one stops no other."""

from collections.abc import Callable
from typing import Literal, TypeVar

import structlog

from schemas.faults import where
from streams.shell.metrics import Metrics

log = structlog.get_logger()
T = TypeVar("T")
Asked = Literal["due", "reached", "stale", "again"]


class Guarded:
    """Asks the core of rows of one table."""

    def __init__(self, table: str, metrics: Metrics) -> None:
        self._table = table
        self._metrics = metrics

    def ask(self, what: Asked, key: bytes, core: Callable[[], T]) -> T | None:
        """What the core answers; None: it raised. A changed row is asked again."""
        try:
            return core()
        except Exception as error:  # the guard: see the module's text
            # not log.exception: a traceback shows the exception's message, which may hold values of the row
            log.error(  # noqa: TRY400
                "row_failed", table=self._table, key=key.decode(errors="replace"), asked=what, error=where(error)
            )
            self._metrics.row_failed(what)
            return None
