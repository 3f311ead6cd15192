"""Takes up changed merchant files and secrets while a sink worker runs, and tells what is wrong with them."""

import asyncio

from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured, Publish
from sinks.connecting import Connecting
from sinks.pauses import Pauses


class Upkeep:
    """Of one worker. Call `look` about every second."""

    def __init__(
        self, *, folder: MerchantFolder, connecting: Connecting, telling: Misconfigured, pauses: Pauses,
        publish: Publish,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._connecting = connecting
        self._telling = telling
        self._pauses = pauses
        self._publish = publish

    async def look(self) -> None:
        """What a pause is about may be mended by what has changed, so it is probed at once."""
        rules = await asyncio.to_thread(self._folder.look)
        for merchant in rules | await self._connecting.look():
            await self._pauses.probe_soon(merchant)
        news = self._telling.news(
            self._folder.merchants, self._folder.troubles, self._folder.placed(self._connecting.troubles)
        )
        await self._telling.tell(news, self._publish)
