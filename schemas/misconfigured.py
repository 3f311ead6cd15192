"""What is wrong with merchants' files and secrets, as one process finds it: told once, cleared when it is mended.

A process that starts does not know what the one before it has told, so it also says of all that is in order that it is.
A clearing of what was never raised is nothing. Touches metrics.
"""

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Gauge

from schemas import exceptions, ids
from schemas.exceptions import ExceptionCleared, ExceptionRaised

log = structlog.get_logger(__name__)
MERCHANT_FILE = "merchant file"  # the subject of the exception, for all processes the same
What = Literal["file", "secret"]
Publish = Callable[[ExceptionRaised | ExceptionCleared], Awaitable[None]]


@functools.cache
def gauge(registry: CollectorRegistry) -> Gauge:
    """`what`: file, secret, or access where the system refuses what the file says."""
    return Gauge(
        "returnflow_merchant_misconfigured", "1 while a person must mend a merchant's file, secret or access.",
        ["merchant", "what"], registry=registry,
    )  # fmt: skip


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A record to be published; afterwards `told` wants it back."""

    merchant: str
    what: What
    detail: str | None
    record: ExceptionRaised | ExceptionCleared


class Misconfigured:
    """Of one process, which is named in what it says of secrets: they are read from its own environment."""

    def __init__(self, process: str, shown: Gauge, now_ms: Callable[[], int]) -> None:
        self._process = process
        self._shown = shown
        self._now_ms = now_ms
        self._told: dict[tuple[str, What], str | None] = {}
        self._logged: dict[tuple[str, What], str] = {}

    def news(self, merchants: Iterable[str], files: Mapping[str, str], secrets: Mapping[str, str]) -> list[News]:
        """What is not told yet, all merchants being `merchants` and those with troubles."""
        found: list[News] = []
        for merchant in sorted({*merchants, *files, *secrets}):
            found += self._of(merchant, "file", files.get(merchant))
            found += self._of(merchant, "secret", secrets.get(merchant))
        return found

    def told(self, news: News) -> None:
        """Kafka has it."""
        self._told[news.merchant, news.what] = news.detail

    async def tell(self, news: Iterable[News], publish: Publish) -> None:
        """Publish what is not told yet. What `publish` raises leaves the rest for the next time."""
        for each in news:
            await publish(each.record)
            self.told(each)

    def _of(self, merchant: str, what: What, detail: str | None) -> list[News]:
        self._shown.labels(merchant, what).set(detail is not None)
        if (merchant, what) in self._told and self._told[merchant, what] == detail:
            return []
        subject = MERCHANT_FILE if what == "file" else f"{self._process} secrets"
        named = ids.exception_id(merchant=merchant, kind="misconfigured", order_id="", rma_id="", subject=subject)
        if detail is None:
            record: ExceptionRaised | ExceptionCleared = ExceptionCleared(
                exception_id=named, type="misconfigured", merchant=merchant, cleared_at_ms=self._now_ms(),
                why=f"{subject}: in order, taken up by {self._process}",
            )  # fmt: skip
        else:
            if self._logged.get((merchant, what)) != detail:
                self._logged[merchant, what] = detail
                log.error("misconfigured", process=self._process, merchant=merchant, what=what, detail=detail)
            record = exceptions.raised(
                "misconfigured", exception_id=named, merchant=merchant, detail=detail, at_ms=self._now_ms()
            )
        return [News(merchant=merchant, what=what, detail=detail, record=record)]
