"""Takes up changed merchant files and secrets while a source runs: who is served, and what is done for each by the
clock. Tells what is wrong with files and secrets. Reads files and secrets, touches Kafka.
"""

import asyncio
from collections.abc import Callable

from schemas.merchant import Merchant
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured, Publish
from sinks.connecting import Connecting
from streams.sources.rounds import Round, every

LOOK_SECONDS = 1.0
Rounds = Callable[[str, Merchant, str], list[tuple[float, Round]]]


class Served:
    """Whom a source serves now. `merchants` and `elsewhere` (those who have a file and do not use the system) are
    changed in place; who is in neither has no file, or none that is of use."""

    def __init__(self, system: str, folder: MerchantFolder, connected: Callable[[str], bool]) -> None:
        self._system = system
        self._folder = folder
        self._connected = connected
        self.merchants: dict[str, Merchant] = {}
        self.elsewhere: set[str] = set()
        self.sort()

    def sort(self) -> None:
        """By what the files and the connections are now."""
        for name, merchant in self._folder.merchants.items():
            uses = getattr(merchant.systems, self._system) is not None
            if uses and self._connected(name):
                self.merchants[name] = merchant
            else:
                self.merchants.pop(name, None)
            (self.elsewhere.discard if uses else self.elsewhere.add)(name)
        for name in self.merchants.keys() - self._folder.merchants.keys():
            del self.merchants[name]
        self.elsewhere &= self._folder.merchants.keys()


class Upkeep:
    """`rounds` gives what is done for a merchant by the clock, `mine` says whether this worker does it, and `token`
    reads the secret end of a merchant's webhook address; it raises ValueError."""

    def __init__(
        self, *, folder: MerchantFolder, served: Served, connecting: Connecting | None, rounds: Rounds,
        mine: Callable[[], bool], token: Callable[[Merchant], str], telling: Misconfigured, publish: Publish,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._served = served
        self._connecting = connecting
        self._rounds = rounds
        self._mine = mine
        self._token = token
        self._telling = telling
        self._publish = publish
        self._tokens: dict[str, str] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Until cancelled; raises what a round raises."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for name in list(self._tasks):
                await self._stop(name)

    async def look(self) -> None:
        """What concerns one merchant begins anew, everything else goes on."""
        changed = set(await asyncio.to_thread(self._folder.look))
        for name in self._tasks.keys() - self._folder.merchants.keys():
            await self._stop(name)  # before its connection is given up, which its rounds would miss
        secrets: dict[str, str] = {}
        if self._connecting is not None:
            changed |= await self._connecting.look()
            secrets |= self._connecting.troubles
        self._served.sort()
        changed |= self._take_tokens(secrets)
        for name in self._tasks.keys() - self._served.merchants.keys():
            await self._stop(name)
        for name, merchant in list(self._served.merchants.items()):
            if name in changed or name not in self._tasks:
                await self._stop(name)
                self._start(name, merchant)
        news = self._telling.news(self._folder.merchants, self._folder.troubles, self._folder.placed(secrets))
        await self._telling.tell(news, self._publish)
        for task in [each for tasks in self._tasks.values() for each in tasks if each.done()]:
            task.result()

    def _take_tokens(self, troubles: dict[str, str]) -> set[str]:
        """Whose token is new or another; one that cannot be read any more is used on, and told."""
        changed = set()
        for name, merchant in self._served.merchants.items():
            try:
                token = self._token(merchant)
            except ValueError as error:
                troubles[name] = "\n".join(filter(None, (troubles.get(name), str(error))))
                continue
            if self._tokens.get(name) != token:
                self._tokens[name] = token
                changed.add(name)
        return changed

    def _start(self, name: str, merchant: Merchant) -> None:
        by_clock = self._rounds(name, merchant, self._tokens.get(name, ""))
        self._tasks[name] = [asyncio.create_task(every(seconds, self._mine, work)) for seconds, work in by_clock]

    async def _stop(self, name: str) -> None:
        """What is under way is found again: cursors and notes move only behind what was done."""
        tasks = self._tasks.pop(name, [])
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
