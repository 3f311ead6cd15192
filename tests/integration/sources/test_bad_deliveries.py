"""Deliveries that nobody can use, through gateway and sources: told to people, and closed when what they were about was
read since, also by processes that were started again."""

import time

import pytest
from confluent_kafka import Producer

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from tests.integration.sources.pipeline import DOMAIN, SHOP, WITHIN_SECONDS, Pipeline
from tests.integration.sources.processes import SECRETS, Gateway, json, until

pytestmark = pytest.mark.req("EXC-4")


def about(pipeline: Pipeline, text: str) -> list[ExceptionRaised | ExceptionCleared]:
    """What was raised with this text in its detail, and what closed it."""
    told = pipeline.all_of("exceptions")
    named = {each.exception_id for each in told if isinstance(each, ExceptionRaised) and text in each.detail}
    kinds = (ExceptionRaised, ExceptionCleared)
    return [each for each in told if isinstance(each, kinds) and each.exception_id in named]


def closed(pipeline: Pipeline, text: str) -> ExceptionCleared:
    """Waits until it is raised and closed."""

    def found() -> list[ExceptionCleared]:
        return [each for each in about(pipeline, text) if isinstance(each, ExceptionCleared)]

    answer: list[ExceptionCleared] = until(found, WITHIN_SECONDS)
    return answer[-1]


def test_a_webhook_that_was_cut_off_is_closed_by_the_read_of_its_order(pipeline: Pipeline, marker: str) -> None:
    order_id = pipeline.sandbox.order(DOMAIN, f"#B{marker[:6]}", "MUG")
    pipeline.snapshot(order_id)
    sender = Gateway(pipeline.bootstrap, pipeline.gateway_url, "")
    body = b'{"admin_graphql_api_id": "gid://shopify/Order/%s", "note": "%s' % (order_id.encode(), marker.encode())
    topic = f"orders/{marker[:12]}"
    answer = sender.shopify(body, merchant=SHOP, secret=SECRETS["G_NEW"], **{"X-Shopify-Topic": topic})
    sender.http.close()
    assert answer.status_code == 202
    over = closed(pipeline, topic)
    assert (over.type, over.merchant, over.by) == ("malformed_delivery", SHOP, "")
    # whichever came first
    assert over.why in (f"order:{order_id} was read since", "every poll has read since what had changed")


def test_one_that_names_nothing_is_closed_by_the_polls_also_after_a_restart(pipeline: Pipeline, marker: str) -> None:
    sender = Gateway(pipeline.bootstrap, pipeline.gateway_url, "")
    topic = f"orders/{marker[:12]}"
    sender.shopify(json({"note": marker}), merchant=SHOP, secret=SECRETS["G_NEW"], **{"X-Shopify-Topic": topic})
    sender.http.close()
    until(lambda: about(pipeline, topic), WITHIN_SECONDS)
    pipeline.kill("shopify")
    pipeline.restart("shopify")
    assert closed(pipeline, topic).why == "every poll has read since what had changed"
    assert [type(each) for each in about(pipeline, topic)][-1] is ExceptionCleared


def test_a_record_that_is_no_delivery_is_closed_by_the_read_of_its_return(pipeline: Pipeline, marker: str) -> None:
    pipeline.sandbox.order(DOMAIN, f"#C{marker[:6]}", "MUG")
    rma_id = pipeline.sandbox.rma(DOMAIN, f"#C{marker[:6]}")["rma_id"]
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "partitioner": "murmur2_random"})
    places: list[str] = []
    producer.produce(
        "returngo-deliveries", marker.encode(), f"{SHOP}|{rma_id}".encode(), timestamp=int(time.time() * 1000),
        on_delivery=lambda _, sent: places.append(f"{sent.topic()}/{sent.partition()}/{sent.offset()}: "),
    )  # fmt: skip
    producer.flush(20)
    over = closed(pipeline, places[0])
    assert (over.type, over.merchant) == ("undecodable", SHOP)
    assert over.why in (f"rma:{rma_id} was read since", "every poll has read since what had changed")
