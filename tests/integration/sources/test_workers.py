"""Source workers that come, go and die, and merchants whose file does: what webhooks told of is read all the same."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
from confluent_kafka import Producer

from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import Delivery
from streams.sources.consuming import COMMIT_SECONDS
from tests.integration.sources.pipeline import QUIET_DOMAIN, WITHIN_SECONDS, Pipeline
from tests.integration.sources.processes import json, until, write_merchant
from tests.integration.sources.sandbox import Sandbox

LOST = "shop-lost"


@contextmanager
def down(sandbox: Sandbox, operation: str) -> Iterator[None]:
    """ReturnGO does not answer this for the quiet shop."""
    match = {"system": "returngo", "operation": operation, "shop": QUIET_DOMAIN}
    fault = sandbox.post("/faults", {"match": match, "fault": "503", "times": None})
    try:
        yield
    finally:
        httpx.delete(f"{sandbox.url}/_sandbox/faults/{fault['id']}")


@pytest.mark.req("ELG-2", "OPS-3")
def test_workers_that_join_leave_and_die_lose_no_webhook(pipeline: Pipeline) -> None:
    sandbox, rmas = pipeline.sandbox, list[str]()

    def asked(*numbers: int) -> None:
        for number in numbers:
            sandbox.order(QUIET_DOMAIN, f"#W{number}", "MUG")
            rmas.append(sandbox.rma(QUIET_DOMAIN, f"#W{number}")["rma_id"])
            sandbox.step(QUIET_DOMAIN, rmas[-1], "approve")  # before that, nothing can follow and nothing is read

    with down(sandbox, "GET /rmas"):  # so that no poll makes up for a webhook that a worker lost
        with pipeline.second("returngo"):
            with down(sandbox, "GET /rma"):
                asked(1, 2, 3, 4, 5, 6)
                until(lambda: _asked_for(pipeline) >= 2, WITHIN_SECONDS)
                time.sleep(3 * COMMIT_SECONDS)  # what is wrongly called done would be committed by now
                pipeline.kill("returngo")
            asked(7, 8, 9)  # some of them for partitions that nobody has for a while
            pipeline.restart("returngo")
            asked(10, 11, 12)
            for rma_id in rmas:
                pipeline.reaches(rma_id, "requested")
        asked(13)
        pipeline.reaches(rmas[-1], "requested")
    until(lambda: pipeline.behind("returnflow-source-returngo") == 0, WITHIN_SECONDS)


@pytest.mark.req("EXC-4", "OPS-3")
def test_what_comes_for_a_merchant_whose_file_is_gone_is_read_when_it_is_back(pipeline: Pipeline) -> None:
    sandbox = pipeline.sandbox
    names = [f"#L{number}" for number in range(3)]
    for name in names:
        sandbox.order(QUIET_DOMAIN, name, "MUG")
    rmas = [sandbox.rma(QUIET_DOMAIN, name)["rma_id"] for name in names]
    producer = Producer({"bootstrap.servers": pipeline.bootstrap})
    for rma_id in rmas * 5:
        body = json({"eventName": "RMA_STATUS_UPDATED", "rmaId": rma_id})
        told = Delivery(
            delivery_id=f"{LOST}-{rma_id}", merchant=LOST, system="returngo", event="RMA_STATUS_UPDATED",
            resource_id=rma_id, headers={}, body=body, received_at_ms=time.time_ns() // 1_000_000,
        )  # fmt: skip
        producer.produce("returngo-deliveries", Codec().encode(told), f"{LOST}|{rma_id}".encode())
    assert producer.flush(20) == 0
    until(lambda: _raised(pipeline), WITHIN_SECONDS)
    until(lambda: pipeline.behind("returnflow-source-returngo") == 0, WITHIN_SECONDS)
    assert len(_raised(pipeline)) == 1
    assert [each for each in pipeline.all_of("returngo-dead-letters") if getattr(each, "merchant", "") == LOST] == []
    write_merchant(pipeline.folder, LOST, base_url=sandbox.url, shop=QUIET_DOMAIN, key="G_KEY_QUIET")
    with down(sandbox, "GET /rmas"):
        pipeline.leave("returngo")
        pipeline.restart("returngo")
        for rma_id in rmas:
            until(partial(_read, pipeline, rma_id), WITHIN_SECONDS)
        until(lambda: _cleared(pipeline, _raised(pipeline)[0].exception_id), WITHIN_SECONDS)


def _asked_for(pipeline: Pipeline) -> int:
    """Reads of RMAs of the quiet shop that were tried."""
    calls = pipeline.sandbox.get("/calls?system=returngo&limit=5000")["calls"]
    return sum(each["shop"] == QUIET_DOMAIN and each["operation"] == "GET /rma" for each in calls)


def _read(pipeline: Pipeline, rma_id: str) -> bool:
    return any(each.merchant == LOST for each in pipeline.events(rma_id))


def _raised(pipeline: Pipeline) -> list[ExceptionRaised]:
    listed = pipeline.all_of("exceptions")
    return [each for each in listed if isinstance(each, ExceptionRaised) and each.merchant == LOST]


def _cleared(pipeline: Pipeline, exception_id: str) -> bool:
    listed = pipeline.all_of("exceptions")
    return any(isinstance(each, ExceptionCleared) and each.exception_id == exception_id for each in listed)
