"""The two agents as processes: `cases` (key: order) and `stock` (key: SKU), a Faust app each. Composition root."""

import structlog
from prometheus_client import REGISTRY

from schemas import misconfigured, topics
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from streams.agents.cases import Cases
from streams.agents.edge import Edge
from streams.agents.stock import Stock
from streams.agents.upkeep import AgentUpkeep
from streams.shell.app import run, wall_clock_ms
from streams.shell.contract import DeadLetterTopic
from streams.shell.settings import ShellSettings

log = structlog.get_logger()
# Sources and sinks let go of a merchant whose file is gone at once: what they had under way then is still learnt here.
GONE_AFTER_SECONDS = 300.0


def main(settings: ProcessSettings, agent: str) -> int:
    """Runs `cases` or `stock` until SIGTERM or SIGINT: 0. Raises CannotStart and MerchantFileError before it starts."""
    folder = MerchantFolder.opened(settings.merchants, GONE_AFTER_SECONDS)
    codec = codec_from(settings.registry_url)
    edge = Edge(codec, folder.merchants, folder.look_now)
    telling = Misconfigured(f"agent {agent}", misconfigured.gauge(REGISTRY), wall_clock_ms)
    shell = _shell(settings, agent)
    log.info("agent_starting", agent=agent, group=shell.group, merchants=sorted(folder.merchants))
    match agent:
        case "cases":
            cases = Cases(edge)
            rules = AgentUpkeep(folder, codec, telling, cases, wall_clock_ms, records_changes=True)
            status = run(shell, cases, topics.CASES_SOURCES, _dead_letters(agent), rules=rules)
        case "stock":
            stock = Stock(edge)
            rules = AgentUpkeep(folder, codec, telling, stock, wall_clock_ms, records_changes=False)
            status = run(shell, stock, topics.STOCK_SOURCES, _dead_letters(agent), rules=rules)
        case _:
            raise CannotStart(f"expected an agent, one of {', '.join(topics.AGENTS)}, got {agent!r}")
    log.info("agent_stopped", agent=agent, status=status)
    return status


def _shell(settings: ProcessSettings, agent: str) -> ShellSettings:
    """The group's name is part of the changelog's name, so it is the topic catalogue's to choose."""
    return ShellSettings(
        group=topics.changelog(agent).removesuffix(f"-{agent}-changelog"), table=agent,
        bootstrap=settings.kafka, data_dir=settings.data_dir / agent, metrics_port=settings.metrics_port,
        metrics_host=settings.metrics_host,        session_timeout_seconds=settings.session_timeout_seconds,
        heartbeat_seconds=settings.session_timeout_seconds / 6,
    )  # fmt: skip


def _dead_letters(agent: str) -> DeadLetterTopic:
    return lambda _source: topics.dead_letters(agent)
