"""A person closes what nothing else closes: on a real Kafka, in the list, in the metrics, for good."""

import getpass

import pytest
from prometheus_client import CollectorRegistry

from ops.open_exceptions import OpenExceptions
from schemas.codec import Codec
from schemas.exceptions import ExceptionRaised, raised
from tests.integration.cli.conftest import Run, Send, parsed
from tests.unit.ops_cli.samples import T0, problem

pytestmark = pytest.mark.req("EXC-4")
LABELS = {"merchant": "closing", "type": "undecodable", "owner": "integration", "severity": "critical"}


def bad(exception_id: str, at_ms: int = T0, merchant: str = "closing") -> ExceptionRaised:
    return raised(
        "undecodable", exception_id=exception_id, merchant=merchant, detail="return-events/1/7: no Avro",
        at_ms=at_ms, resolvable=True,
    )  # fmt: skip


def counted(cluster: str) -> tuple[OpenExceptions, CollectorRegistry]:
    """An exporter that has just been started."""
    registry = CollectorRegistry()
    found = OpenExceptions(cluster, Codec(), registry)
    found.look()
    return found, registry


def figure(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("returnflow_exceptions_open", LABELS)


def test_who_when_and_why_are_kept_and_the_metric_goes_down_also_after_restart_and_replay(
    cluster: str, run: Run, send: Send
) -> None:
    send("exceptions", b"bad-1", bad("bad-1"))
    send("exceptions", b"bad-2", bad("bad-2"))
    exporter, registry = counted(cluster)
    assert figure(registry) == 2
    done = run("exceptions", "resolve", "bad-1", "--why", "read it, a test of the vendor")
    assert (done.exit_code, done.stdout.startswith("Closed: bad-1 (undecodable), by ")) == (0, True), done.output
    exporter.look()
    assert figure(registry) == 1
    (item,) = parsed(run("exceptions", "list", "--merchant", "closing", "--closed", "--json"))
    assert (item["raised"]["exception_id"], item["why_cleared"]) == ("bad-1", "read it, a test of the vendor")
    assert item["cleared_by"].startswith(f"{getpass.getuser()}@")
    assert "a test of the vendor" in run("exceptions", "show", "bad-1").stdout
    send("exceptions", b"bad-1", bad("bad-1"))  # the record is read again, from the start of its topic
    exporter.look()
    assert (figure(registry), figure(counted(cluster)[1])) == (1, 1)
    still = parsed(run("exceptions", "list", "--merchant", "closing", "--json"))
    assert [each["raised"]["exception_id"] for each in still] == ["bad-2"]
    send("exceptions", b"bad-1", bad("bad-1", at_ms=item["cleared_at_ms"] + 1))  # another delivery of the same content
    exporter.look()
    assert figure(registry) == 2


def test_what_closes_by_itself_what_is_closed_and_what_is_not_there_is_refused(run: Run, send: Send) -> None:
    send("exceptions", b"state-1", problem("state-1", merchant="refusals"))
    refused = run("exceptions", "resolve", "state-1", "--why", "looks fine")
    assert (refused.exit_code, refused.stdout) == (1, "")
    for part in ("closes by itself", "no such place: B7", "Next step: "):
        assert part in refused.stderr
    send("exceptions", b"state-2", bad("state-2", merchant="refusals"))
    assert run("exceptions", "resolve", "state-2", "--why", "mended", "--by", "thandi@example.com").exit_code == 0
    twice = run("exceptions", "resolve", "state-2", "--why", "mended")
    assert (twice.exit_code, "by thandi@example.com: mended" in twice.stderr) == (1, True)
    assert run("exceptions", "resolve", "nothing-here", "--why", "x").exit_code == 1
    assert run("exceptions", "resolve", "state-2").exit_code == 2
    assert run("exceptions", "resolve", "state-2", "--why", " ").exit_code == 2
