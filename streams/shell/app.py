"""Builds the Faust app of one agent, and runs it until a signal. The only place that knows Faust's settings."""

import asyncio
import gc
import logging
import threading
from collections.abc import Sequence
from typing import Any

import faust
import mode.loop
import msgspec
from prometheus_client import REGISTRY, CollectorRegistry

from schemas import endpoints
from schemas.clock import now_ms
from streams.shell.agent import BatchAgent, ends_process
from streams.shell.batch import Decider
from streams.shell.consumer import BatchSchema, BatchTransport
from streams.shell.contract import Core, DeadLetterTopic, Rules, S
from streams.shell.credentials import connection
from streams.shell.delivery import new_producer
from streams.shell.metrics import Metrics
from streams.shell.review import Review
from streams.shell.settings import ShellSettings
from streams.shell.startup import check_topics, claimed_data_dir
from streams.shell.stop import stop
from streams.shell.store import BatchTable
from streams.shell.timer import Clock, Timer


def wall_clock_ms() -> int:
    """Epoch milliseconds; a clock that was set is noticed by who asks."""
    return now_ms()


def build(
    settings: ShellSettings,
    core: Core[S],
    sources: Sequence[str],
    dead_letter_topic: DeadLetterTopic,
    *,
    rules: Rules | None = None,
    registry: CollectorRegistry = REGISTRY,
    clock: Clock = wall_clock_ms,
) -> Any:
    """A faust.App with one table and one agent over all sources. One app per process: Faust binds it to an event loop.
    `rules`: what the core decides by, None where that never changes.

    Every topic of the app arrives in batches, so it must not use `ask`, `cast`, `group_by`, `through` or reply topics.
    """
    app = _faust_app(settings)
    table = app.Table(
        settings.table, schema=_raw(), key_type=bytes, value_type=bytes,
        recovery_buffer_size=8,  # counts batches; 1 would keep Faust reading the changelog after recovery
        options={"write_buffer_size": 8 << 20, "block_cache_size": 32 << 20, "bloom_filter_size": 10},
        max_age_seconds=settings.store_max_age_seconds,
    )  # fmt: skip
    producer, metrics = new_producer(settings), Metrics(registry, settings.table)
    decider = Decider(
        core, dead_letter_topic, unexpected_limit=settings.unexpected_limit, max_bytes=settings.max_bytes, clock=clock
    )
    agent = BatchAgent(settings, decider, producer, metrics)
    timer = Timer(settings, core, producer, metrics, clock)
    review = None
    if rules is not None:
        review = Review(settings.table, rules, producer, metrics, settings.reviews_per_second, timer.found)
        timer.tell(review.seen)

    async def work(stream: Any) -> None:
        app.add_future(agent.pulse())  # not app.task: those start after the first recovery, which may take long
        app.add_future(agent.write_all())
        app.add_future(agent.settle_all(stream, table))
        await agent.decide_all(stream, table, timer)

    # one topic object over all sources and concurrency 1: one order of work, one contiguous prefix per partition
    app.agent(app.topic(*sources, schema=_raw()), concurrency=1, name=settings.table)(work)
    _watch(app, settings, table, agent, timer, review)
    return app


def _watch(
    app: Any, settings: ShellSettings, table: Any, agent: BatchAgent, timer: Timer, review: Review | None
) -> None:
    def active() -> set[int]:
        return {tp.partition for tp in app.assignor.assigned_actives() if tp.topic == settings.changelog}

    async def assigned(*_: object, **__: object) -> None:
        timer.assigned()

    async def recovered() -> None:
        with ends_process("taking up deadlines", settings.data_dir):
            await timer.recovered(table.data, active())

    async def tick() -> None:
        with ends_process("timer", settings.data_dir):
            if not app.rebalancing and not app.in_recovery:
                timer.stop_if_stuck(app.consumer.oldest_unsettled_seconds(), app.consumer.uncommitted_seconds())
                await timer.tick(table.data, agent.reader, active())
                if review is not None:
                    await review.tick(table.data, agent.reader, agent.undelivered, active)

    async def stopping(*_: object, **__: object) -> None:
        # without a broker Faust would try for ever, at full speed; a thread, for the loop may end before it is done
        late = threading.Timer(settings.stop_seconds, stop, [f"no clean stop within {settings.stop_seconds:g} s"])
        late.daemon = True
        late.start()

    app.on_before_shutdown.connect(stopping)
    app.on_partitions_assigned.connect(assigned)
    table.on_recover(recovered)
    app.timer(1.0)(tick)


def _raw() -> BatchSchema:
    return BatchSchema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


def _faust_app(settings: ShellSettings) -> Any:
    app = faust.App(
        settings.group,
        **connection(settings.bootstrap),
        store=f"{settings.store}://",
        datadir=settings.data_dir,
        Table=BatchTable,
        autodiscover=False,
        web_enabled=False,  # two workers of one host would collide on its port
        topic_allow_declare=False,  # topics come from the catalogue
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",  # `latest` would lose facts of a new group
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        broker_rebalance_timeout=settings.rebalance_timeout_seconds,
        broker_request_timeout=max(40.0, settings.session_timeout_seconds + 10.0),  # Faust wants it above the session
        broker_max_poll_interval=300.0,
        broker_max_poll_records=10 * settings.batch_records,  # bounds what one cross-thread fetch returns
        broker_commit_interval=settings.commit_seconds,
        table_standby_replicas=settings.standby_replicas,
        stream_buffer_maxsize=16,  # counts batches
        stream_wait_empty=True,  # drain before partitions move
        worker_redirect_stdouts=False,
    )
    # before anything asks the app for its consumer
    app.transport = BatchTransport(app.conf.broker_consumer, app, settings.batch_records)
    return app


def run(
    settings: ShellSettings,
    core: Core[S],
    sources: Sequence[str],
    dead_letter_topic: DeadLetterTopic,
    *,
    rules: Rules | None = None,
    registry: CollectorRegistry = REGISTRY,
    clock: Clock = wall_clock_ms,
) -> int:
    """Run one agent until SIGTERM or SIGINT; the exit status (0 after a clean stop). Raises CannotStart.

    What cannot be handled ends the process with status 70 on the spot (`stop`).
    """
    check_topics(settings, sources)
    with claimed_data_dir(settings.data_dir) as own:
        settings = msgspec.structs.replace(settings, data_dir=own)
        mode.loop.use("uvloop")
        logging.disable(logging.DEBUG)  # a level alone leaves Faust's debug calls per record running
        app = build(settings, core, sources, dead_letter_topic, rules=rules, registry=registry, clock=clock)
        turning, joined = endpoints.Turning(), endpoints.Joined("the worker is starting")
        _follow(app, app.tables[settings.table], joined)
        endpoints.serve(
            settings.metrics_host, settings.metrics_port, registry=registry, alive=[turning.check],
            ready=[joined.check, endpoints.kafka_answers(settings.bootstrap)],
        )  # fmt: skip
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # batches make many short-lived objects
        return _until_signal(app, turning)


def _follow(app: Any, table: Any, joined: endpoints.Joined) -> None:
    """The app tells, for asking it would make its parts. A worker serves when it has its partitions and their rows."""

    async def revoked(*_: object, **__: object) -> None:
        joined.left()

    async def recovered() -> None:
        joined.complete()

    app.on_partitions_revoked.connect(revoked)
    table.on_recover(recovered)


def _until_signal(app: Any, turning: endpoints.Turning) -> int:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    turning.watch(loop)
    worker = faust.Worker(app, loop=loop, quiet=True, override_logging=False)
    worker.spinner = None  # it writes to the terminal even when quiet
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
