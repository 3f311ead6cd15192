"""The two agents as processes: `cases` (key: order) and `stock` (key: SKU), a Faust app each. Composition root."""

import structlog

from schemas import topics
from schemas.merchant import load_all
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from streams.agents.cases import Cases
from streams.agents.edge import Edge
from streams.agents.stock import Stock
from streams.shell.app import run
from streams.shell.contract import DeadLetterTopic
from streams.shell.settings import ShellSettings

log = structlog.get_logger()


def main(settings: ProcessSettings, agent: str) -> int:
    """Runs `cases` or `stock` until SIGTERM or SIGINT: 0. Raises CannotStart and MerchantFileError before it starts."""
    merchants = load_all(settings.merchants)
    edge = Edge(codec_from(settings.registry_url), merchants)
    shell = _shell(settings, agent)
    log.info(
        "agent_starting", agent=agent, group=shell.group, merchants=sorted(merchants), data_dir=str(shell.data_dir)
    )
    match agent:
        case "cases":
            status = run(shell, Cases(edge), topics.CASES_SOURCES, _dead_letters(agent))
        case "stock":
            status = run(shell, Stock(edge), topics.STOCK_SOURCES, _dead_letters(agent))
        case _:
            raise CannotStart(f"expected an agent, one of {', '.join(topics.AGENTS)}, got {agent!r}")
    log.info("agent_stopped", agent=agent, status=status)
    return status


def _shell(settings: ProcessSettings, agent: str) -> ShellSettings:
    """The group's name is part of the changelog's name, so it is the topic catalogue's to choose."""
    return ShellSettings(
        group=topics.changelog(agent).removesuffix(f"-{agent}-changelog"), table=agent,
        bootstrap=settings.kafka_bootstrap, data_dir=settings.data_dir / agent, metrics_port=settings.metrics_port,
        metrics_host=settings.metrics_host,        session_timeout_seconds=settings.session_timeout_seconds,
        heartbeat_seconds=settings.session_timeout_seconds / 6,
    )  # fmt: skip


def _dead_letters(agent: str) -> DeadLetterTopic:
    return lambda _source: topics.dead_letters(agent)
