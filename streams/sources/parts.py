"""Puts one source process together. Opens Kafka clients, the ledger and the HTTP client, and closes them again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import CollectorRegistry

from schemas import header_names, topics
from schemas.codec import Codec
from schemas.endpoints import Serving
from schemas.kafka import Brokers, aiokafka
from schemas.merchant import Merchant
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured
from sinks.connecting import Connecting, open_transport
from sinks.contract import System
from sinks.ledger.ledger import Ledger
from sinks.publish import MOST_BYTES, Publisher
from sinks.systems import SYSTEMS
from sinks.telemetry import RequestTelemetry
from sinks.transport import Transport
from streams.sources import rounds, subscriptions, telemetry
from streams.sources.again import Again
from streams.sources.bad_deliveries import BadDeliveries
from streams.sources.consuming import TRIGGERS, Consuming, Source, Trigger
from streams.sources.desk import Desk
from streams.sources.memory import Memory
from streams.sources.poll_returngo import RmaPoll, Sweep, TransactionPoll
from streams.sources.poll_shopify import Leftovers, OrderPoll
from streams.sources.polling import Poller
from streams.sources.progress import Progress
from streams.sources.publishing import Outbox
from streams.sources.rounds import Round
from streams.sources.signals import Signals
from streams.sources.source_doors import DoorSource
from streams.sources.source_returngo import ReturnGoSource, needs_receipt
from streams.sources.source_shopify import ShopifySource
from streams.sources.strangers import Strangers
from streams.sources.troubles import Troubles
from streams.sources.upkeep import Rounds, Served, Upkeep
from streams.sources.waiting import WaitingRoom
from streams.sources.work import Learnt, Resource, Urgency

# ReturnGO wants one call at a time; Shopify's bucket is the limit there.
READS_AT_ONCE = {"returngo": 2, "shopify": 8}


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What a source process is given."""

    system: str
    folder: MerchantFolder
    secret: Callable[[str], str]
    bootstrap: Brokers
    ledger_url: str
    codec: Codec
    session_seconds: float
    now_ms: Callable[[], int]
    serving: Serving = msgspec.field(default_factory=Serving)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """A source, ready to run; `rounds` are what it does by the clock for all merchants at once, and how often."""

    consumer: AIOKafkaConsumer
    consuming: Consuming
    signals: Signals
    rounds: list[tuple[float, Round]]
    upkeep: Upkeep


class _Base(msgspec.Struct, frozen=True, kw_only=True):
    memory: Memory
    outbox: Outbox
    progress: Progress
    served: Served


class _NothingToRead:
    """The doors' deliveries are facts already."""

    def __init__(self, system: str) -> None:
        self.system = system

    async def read(self, resource: Resource, urgency: Urgency, read_at_ms: int) -> Learnt:  # noqa: ARG002  see Reader
        return Learnt(absent=True)


@asynccontextmanager
async def build(environment: Environment, registry: CollectorRegistry) -> AsyncIterator[Parts]:
    """The parts of one source; raises CannotStart."""
    async with AsyncExitStack() as stack:
        ledger = Ledger(environment.ledger_url)
        stack.callback(ledger.close)
        producer = AIOKafkaProducer(
            **aiokafka(environment.bootstrap), client_id="returnflow-source", acks="all", enable_idempotence=True,
            linger_ms=2, max_request_size=MOST_BYTES,
        )  # fmt: skip
        await producer.start()
        stack.push_async_callback(producer.stop)
        if environment.system in SYSTEMS:
            shown = RequestTelemetry("source", registry)
            transport = await stack.enter_async_context(
                _transport(environment, SYSTEMS[environment.system], ledger, shown)
            )
            show = rounds.quotas_shown(ledger, transport, shown, environment.now_ms)
            base = _base(environment, ledger, producer, lambda merchant: merchant in transport.merchants)
            yield _reading(environment, base, transport, [(rounds.QUOTAS_SECONDS, show)])
        else:
            yield _door(environment, _base(environment, ledger, producer, lambda _: True))


def _base(
    environment: Environment, ledger: Ledger, producer: AIOKafkaProducer, connected: Callable[[str], bool]
) -> _Base:
    memory = Memory(ledger, environment.system, environment.now_ms)
    outbox = Outbox(
        kafka=Publisher(producer), codec=environment.codec, memory=memory, system=environment.system,
        now_ms=environment.now_ms,
    )  # fmt: skip
    served = Served(environment.system, environment.folder, connected)
    return _Base(memory=memory, outbox=outbox, progress=Progress(), served=served)


@asynccontextmanager
async def _transport(
    environment: Environment, system: System, ledger: Ledger, shown: RequestTelemetry
) -> AsyncIterator[Transport]:
    async with open_transport(
        system=system, merchants=environment.folder.merchants, secret=environment.secret, ledger=ledger,
        telemetry=shown, now_ms=environment.now_ms,
    ) as transport:  # fmt: skip
        yield transport


def _reading(environment: Environment, base: _Base, transport: Transport, for_all: list[tuple[float, Round]]) -> Parts:
    given = (base.served.merchants, transport, base.memory, environment.now_ms)
    source: ReturnGoSource | ShopifySource
    trigger: Trigger | None = None
    if environment.system == "returngo":
        source = ReturnGoSource(*given)
    else:
        source = ShopifySource(*given, elsewhere=base.served.elsewhere)
        trigger = source.triggered
    desk = Desk(
        source, base.outbox, base.memory, environment.now_ms, READS_AT_ONCE[environment.system],
        serves=lambda merchant: merchant in base.served.merchants,
    )  # fmt: skip
    poller = Poller(environment.system, desk, base.outbox, base.memory, environment.now_ms)

    def by_clock(name: str, merchant: Merchant, token: str) -> list[tuple[float, Round]]:
        watches = _watches(environment, base, transport, merchant, token)
        return [*_polls(environment, base, transport, poller, name, merchant), *watches]

    connecting = Connecting(transport, environment.folder.merchants, environment.secret)
    return _parts(environment, base, source, trigger, desk, for_all, by_clock, connecting)


def _door(environment: Environment, base: _Base) -> Parts:
    source = DoorSource(environment.system, base.served.merchants, base.memory, environment.codec, environment.now_ms)
    room = WaitingRoom(source, base.outbox, base.memory, environment.codec, environment.now_ms)
    desk = Desk(_NothingToRead(environment.system), base.outbox, base.memory, environment.now_ms, 1)
    return _parts(environment, base, source, None, desk, [(rounds.WAITING_SECONDS, room.look)], lambda *_: [], None)


def _parts(
    environment: Environment, base: _Base, source: Source, trigger: Trigger | None, desk: Desk,
    for_all: list[tuple[float, Round]], by_clock: Rounds, connecting: Connecting | None,
) -> Parts:  # fmt: skip
    header_names.escaped()
    consumer = AIOKafkaConsumer(
        **aiokafka(environment.bootstrap), group_id=topics.group_of(f"source {environment.system}"),
        enable_auto_commit=False, client_id="returnflow-source", auto_offset_reset="earliest",
        session_timeout_ms=int(environment.session_seconds * 1000),
        heartbeat_interval_ms=int(environment.session_seconds * 1000 / 6),
        max_partition_fetch_bytes=4_194_304,
    )  # fmt: skip
    strangers = Strangers(
        environment.system, Again(base.memory), Troubles(base.outbox, base.memory, environment.now_ms)
    )
    bad = BadDeliveries(base.outbox, base.memory, environment.now_ms)
    signals = Signals(environment.system, desk, base.progress)
    consuming = Consuming(
        consumer=consumer, source=source, trigger=trigger, signals=signals, outbox=base.outbox,
        progress=base.progress, strangers=strangers, bad=bad, codec=environment.codec, now_ms=environment.now_ms,
        joined=environment.serving.joined,
    )  # fmt: skip
    for_all = [*for_all, (rounds.DAY_SECONDS, rounds.purge(base.memory, environment.now_ms))]

    def rounds_of(name: str, merchant: Merchant, token: str) -> list[tuple[float, Round]]:
        welcome = rounds.welcome(strangers, (name,))
        return [(rounds.DAY_SECONDS, welcome), *by_clock(name, merchant, token)]

    upkeep = Upkeep(
        folder=environment.folder, served=base.served, connecting=connecting, rounds=rounds_of, mine=consuming.polls,
        token=lambda merchant: _token(environment, merchant),
        telling=Misconfigured(f"source {environment.system}", telemetry.MISCONFIGURED, environment.now_ms),
        publish=base.outbox.exception,
    )  # fmt: skip
    return Parts(consumer=consumer, consuming=consuming, signals=signals, rounds=for_all, upkeep=upkeep)


def _token(environment: Environment, merchant: Merchant) -> str:
    """The secret end of the address that ReturnGO delivers to; "": nobody asks for it here."""
    store = merchant.systems.returngo
    managed = environment.system == "returngo" and store is not None and store.webhook_url is not None
    if store is None or not managed:
        return ""
    try:
        return environment.secret(store.webhook_token)
    except ValueError as error:
        raise ValueError(f"systems.returngo.webhook_token: {error}") from error


def _polls(
    environment: Environment, base: _Base, transport: Transport, poller: Poller, name: str, merchant: Merchant
) -> list[tuple[float, Round]]:
    again = Again(base.memory)
    store, shop = merchant.systems.returngo, merchant.systems.shopify
    if environment.system == "returngo" and store is not None:
        rmas = RmaPoll(name, store, transport, base.memory, needs_receipt=needs_receipt(merchant))
        paid = TransactionPoll(name, store, transport, base.memory)
        polls = rounds.ReturnGoRound(poller, rmas, paid, Sweep(name, store, base.memory), environment.now_ms)
        seconds = min(rounds.AGAIN_SECONDS, store.poll_seconds)
        return [(store.poll_seconds, polls), (seconds, rounds.AgainRound(poller, name, again, environment.now_ms))]
    if environment.system == "shopify" and shop is not None:
        orders, leftovers = OrderPoll(name, shop, transport, base.memory), Leftovers(name, base.memory)
        return [(shop.poll_seconds, rounds.ShopifyRound(poller, orders, leftovers, again, environment.now_ms))]
    return []


def _watches(
    environment: Environment, base: _Base, transport: Transport, merchant: Merchant, token: str
) -> list[tuple[float, Round]]:
    if environment.system == "returngo":
        listed = subscriptions.of_returngo([merchant], transport, lambda _: token) if token else []
        seconds = rounds.WATCH_RETURNGO_SECONDS
    else:
        listed = subscriptions.of_shopify([merchant], transport)
        seconds = rounds.WATCH_SHOPIFY_SECONDS
    watches = [subscriptions.Watch(each, base.outbox, base.memory, environment.now_ms) for each in listed]
    return [(seconds, watch.look) for watch in watches]


def topics_of(system: str) -> list[str]:
    """What a source consumes: its deliveries, and for a shop also what returns there are."""
    return [topics.deliveries(system), *(TRIGGERS if system == "shopify" else [])]
