"""Takes up changed merchant files and secrets while the gateway runs. Reads files and secrets, touches Kafka."""

import asyncio
from collections.abc import Callable

import structlog

from schemas import topics
from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured
from streams.sources.doors import Secrets, secrets_of
from streams.sources.intake import Intake, Unavailable

LOOK_SECONDS = 1.0
log = structlog.get_logger(__name__)


class GatewayUpkeep:
    """`secrets` is changed in place; `troubles`: by merchant, which of its secrets cannot be used."""

    def __init__(
        self, *, folder: MerchantFolder, secret: Callable[[str], str], intake: Intake, codec: Codec,
        telling: Misconfigured,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._secret = secret
        self._intake = intake
        self._codec = codec
        self._telling = telling
        self.secrets: dict[str, Secrets] = {}
        self.troubles: dict[str, str] = {}

    def open_doors(self) -> bool:
        """Read all secrets; False: no sender of any merchant can prove itself, though files name some."""
        troubles: dict[str, str] = {}
        for name, merchant in list(self._folder.merchants.items()):
            self.secrets[name], problems = secrets_of(merchant, self._secret, self.secrets.get(name))
            if problems:
                troubles[name] = "\n".join(problems)
        for name in self.secrets.keys() - self._folder.merchants.keys():
            del self.secrets[name]
        self.troubles = troubles
        return not troubles or any(each != Secrets() for each in self.secrets.values())

    def labels(self, merchant: str) -> frozenset[str]:
        """Texts that may be kept as they are: those that its file names."""
        rules = self._folder.merchants.get(merchant)
        return frozenset() if rules is None else rules.known_labels

    async def run(self) -> None:
        """Every second, until cancelled."""
        while True:
            await asyncio.to_thread(self._look)
            news = self._telling.news(self._folder.merchants, self._folder.troubles, self._folder.placed(self.troubles))
            try:
                await self._telling.tell(news, self._publish)
            except Unavailable as error:  # told at the next look
                log.warning("exception_not_taken", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        self._folder.look()
        self.open_doors()

    async def _publish(self, record: ExceptionRaised | ExceptionCleared) -> None:
        await self._intake.append(topics.EXCEPTIONS, record.exception_id.encode(), self._codec.encode(record))
