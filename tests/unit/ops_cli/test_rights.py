"""The least that each process may do follows from the catalogue."""

import orjson
from click.testing import CliRunner

from ops.cli import main
from ops.rights import LAG, LOOK, MERCHANTS, SETUP, processes, rights
from schemas.topics import AGENTS, CASES_SOURCES, CATALOGUE, STOCK_SOURCES, changelog
from streams.sources.parts import topics_of
from streams.sources.worker import SUPPORTED, _topics


def topics_with(process: str, operation: str) -> set[str]:
    return {
        each.name
        for each in rights()
        if (each.process, each.resource) == (process, "topic") and operation in each.operations
    }


def test_an_agent_reads_its_sources_and_its_changelog() -> None:
    for agent, sources in zip(AGENTS, (CASES_SOURCES, STOCK_SOURCES), strict=True):
        assert topics_with(f"agent {agent}", "Read") == {*sources, changelog(agent)}


def test_a_source_reads_and_writes_what_it_asks_for_when_it_starts() -> None:
    for system in SUPPORTED:
        process = f"source {system}"
        read, written = topics_with(process, "Read"), topics_with(process, "Write")
        assert read == set(topics_of(system))
        assert read | written == set(_topics(system))


def test_the_gateway_only_adds_and_a_sink_sees_one_system_only() -> None:
    assert topics_with("gateway", "Read") == set()
    assert topics_with("sink shopify", "Read") == {"shopify-commands"}
    assert topics_with("sink shopify", "Write") == {"command-results", "exceptions", "shopify-dead-letters"}


def test_who_looks_changes_nothing_and_only_the_setup_creates() -> None:
    for process in (LAG, LOOK):
        assert {op for each in rights() if each.process == process for op in each.operations} == {"Read", "Describe"}
    assert topics_with(MERCHANTS, "Write") == {"configuration-changes"}
    assert {each.process for each in rights() if "Create" in each.operations} == {SETUP}
    assert topics_with(SETUP, "Create") == set(CATALOGUE)


def test_every_process_with_a_group_may_use_its_own_alone() -> None:
    groups = {each.process: each.name for each in rights() if each.resource == "group"}
    for process in processes():
        kind, _, name = process.partition(" ")
        wanted = {"agent": f"returnflow-{name}", "gateway": None}.get(kind, f"returnflow-{kind}-{name}")
        assert groups.get(process) == wanted


def test_the_command_prints_lines_for_kafkas_own_tool_and_json() -> None:
    lines = CliRunner().invoke(main, ["topics", "acls"]).output.splitlines()
    assert (
        "kafka-acls --add --allow-principal User:returnflow-source-shopify --operation Read --operation Write "
        "--topic return-events"
    ) in lines
    assert (
        "kafka-acls --add --allow-principal User:returnflow-lag --operation Describe --group returnflow- "
        "--resource-pattern-type prefixed"
    ) in lines
    told = orjson.loads(CliRunner().invoke(main, ["topics", "acls", "--json"]).output)
    assert len(told) == len(lines) == len(rights())
    assert set(told[0]) == {"process", "user", "resource", "name", "pattern", "operations"}
