"""Takes up changed merchant files while an agent runs, and tells what is wrong with them. Reads files."""

from collections.abc import Callable
from typing import Protocol

from schemas import topics
from schemas.codec import Codec
from schemas.configuration import ConfigurationChanged, changed
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured, News
from streams.shell.contract import Output


class Reviewed(Protocol):
    """What differs between agents, see Rules."""

    def stale(self, key: bytes, row: bytes) -> bool: ...

    def again(self, key: bytes, row: bytes) -> Output | None: ...


class AgentUpkeep:
    """streams.shell.contract.Rules of one agent."""

    def __init__(
        self, folder: MerchantFolder, codec: Codec, telling: Misconfigured, rows: Reviewed, now_ms: Callable[[], int],
        *, records_changes: bool,
    ) -> None:  # fmt: skip
        self._before = dict(folder.merchants)
        self._changes: dict[str, ConfigurationChanged] = {}
        self._now_ms = now_ms
        self._records_changes = records_changes
        self.stale, self.again = rows.stale, rows.again
        self._folder = folder
        self._codec = codec
        self._telling = telling
        self._news: list[News] = []

    def look(self) -> bool:
        """Whether the files of any merchant say something else now."""
        names = self._folder.look()
        for name in names if self._records_changes else ():
            made = changed(self._before.get(name), self._folder.merchants[name], self._now_ms())
            self._changes[made.fact_id] = made
        self._before = dict(self._folder.merchants)
        return bool(names)

    def news(self) -> list[Output]:
        """What is wrong with files, or no longer, and what has changed."""
        self._news = self._telling.news(self._folder.merchants, self._folder.troubles, {})
        return [
            Output(topic=topics.EXCEPTIONS, key=n.record.exception_id.encode(), value=self._codec.encode(n.record))
            for n in self._news
        ] + [
            Output(topic=topics.CONFIGURATION_CHANGES, key=c.merchant.encode(), value=self._codec.encode(c))
            for c in list(self._changes.values())
        ]

    def told(self) -> None:
        """Kafka has it."""
        for each in self._news:
            self._telling.told(each)
        self._changes.clear()
