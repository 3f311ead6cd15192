"""What people see of a real Kafka: returns, exceptions, dead letters."""

import threading
import time

import pytest
from confluent_kafka import Producer

from ops.kafka import read
from ops.why import partition_of
from schemas.exceptions import ExceptionCleared
from schemas.ids import order_key
from tests.integration.cli.conftest import Run, Send, parsed
from tests.unit.ops_cli.samples import T0, delivery, problem, step, waiting
from tests.unit.ops_cli.screen import on_terminal, widest


@pytest.mark.req("EXC-1")
def test_why_tells_where_a_line_is_what_it_waits_for_and_who_can_help(
    run: Run, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = order_key("m", "7001")
    mine: dict[str, object] = {"order_id": "7001", "rma_id": "RMA-7", "line_id": "l1", "sku": "TEE-M"}
    send("case-journal", key, step(1, "learned", "inspected", stage="inspected", **mine))
    send("case-journal", key, step(2, "waiting", "restock", waiting_for=waiting("location_mapped"), **mine))
    send("case-journal", key, step(3, "done", "refund", amount_minor=19900, currency="ZAR", external_id="902", **mine))
    send("case-journal", key, step(3, "done", "refund", amount_minor=19900, currency="ZAR", external_id="902", **mine))
    send("case-journal", order_key("m", "7002"), step(4, "learned", "requested", order_id="7002", rma_id="RMA-8"))
    send("exceptions", b"e-7", problem("e-7", rma_id="RMA-7", order_id="7001"))
    (found,) = parsed(run("line", "why", "RMA-7", "--json"))
    assert (found["order_id"], [each["what"] for each in found["steps"]]) == (
        "7001",
        ["inspected", "restock", "refund"],
    )
    assert found["lines"][0]["waiting_for"]["guard"] == "location_mapped"
    assert [each["exception_id"] for each in found["exceptions"]] == ["e-7"]
    assert parsed(run("line", "why", "--order", "7001", "--merchant", "m", "--json")) == [found]
    head, *rows = (line.split("\t") for line in run("line", "why", "RMA-7").stdout.splitlines())
    kinds = [dict(zip(head, row, strict=True))["row"] for row in rows]
    assert kinds == ["line", "step", "step", "step", "exception"]
    on_terminal(monkeypatch)
    table = run("line", "why", "RMA-7")
    assert widest(table) <= 80
    for text in ("TEE-M", "inspected", "warehouse can help", "199.00 ZAR", "unmapped_location", "no such place"):
        assert text in table.stdout


def test_a_return_that_only_went_wrong_is_found_too(run: Run, send: Send) -> None:
    send("exceptions", b"e-9", problem("e-9", rma_id="RMA-9", order_id=""))
    (found,) = parsed(run("line", "why", "RMA-9", "--json"))
    assert (found["lines"], found["exceptions"][0]["exception_id"]) == ([], "e-9")


def test_an_unknown_return_says_what_was_searched(run: Run) -> None:
    result = run("line", "why", "NO-SUCH-RMA")
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert (
        "Nothing is known of RMA NO-SUCH-RMA: the whole topic case-journal was searched (all 6 partitions)"
        in result.stderr
    )
    assert run("line", "why").exit_code == 2


ORDERS = [str(number) for number in range(12)]


def test_an_order_lies_where_our_producers_put_it(cluster: str, send: Send) -> None:
    for each in ORDERS:
        send("case-journal", order_key("places", each), b"x")
    places = {seen.key: seen.partition for seen in read(cluster, "case-journal")}
    assert [places[order_key("places", str(n))] for n in range(12)] == [
        partition_of("places", str(n), 6) for n in range(12)
    ]


@pytest.mark.req("EXC-1", "EXC-2")
def test_exceptions_are_listed_by_owner_and_shown_in_full(
    run: Run, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        send("exceptions", f"list-{number}".encode(), problem(f"list-{number}", merchant="lists", at_ms=T0 + number))
    send("exceptions", b"list-money", problem("list-money", merchant="lists", owner="finance"))
    gone = ExceptionCleared(
        exception_id="list-1", type="unmapped_location", merchant="lists", cleared_at_ms=T0, why="mapped"
    )
    send("exceptions", b"list-1", gone)
    mine = ("exceptions", "list", "--merchant", "lists")
    assert [each["raised"]["exception_id"] for each in parsed(run(*mine, "--json"))] == [
        "list-0",
        "list-money",
        "list-2",
    ]
    assert len(parsed(run(*mine, "--all", "--json"))) == 4
    assert [e["raised"]["exception_id"] for e in parsed(run(*mine, "--owner", "finance", "--json"))] == ["list-money"]
    assert parsed(run(*mine, "--type", "over_quantity", "--json")) == []
    assert [e["raised"]["exception_id"] for e in parsed(run(*mine, "--closed", "--json"))] == ["list-1"]
    head, *rows = (line.split("\t") for line in run(*mine, "--all").stdout.splitlines())
    first = dict(zip(head, rows[0], strict=True))
    assert [first[name] for name in ("id", "merchant", "owner", "state")] == [
        "list-0", "lists", "store_operations", "open",
    ]  # fmt: skip
    shown = run("exceptions", "show", "list-1")
    assert "state\tclosed 2026-01-01 00:00:00Z: mapped\n" in shown.stdout
    several, none = run("exceptions", "show", "list-"), run("exceptions", "show", "nothing")
    assert (several.exit_code, none.exit_code) == (1, 1)
    assert several.stderr.startswith("4 exceptions have an id that begins with 'list-': list-0, ")
    assert none.stderr.startswith(
        "No exception has an id that begins with 'nothing'. `returnflow exceptions list --all`"
    )
    on_terminal(monkeypatch)
    table = run(*mine)
    assert widest(table) <= 80
    assert "store_operations: " in table.stdout
    assert table.stdout.split()[:2] == ["id", "merchant"]
    asked = run(*mine, "--type", "over_quantity").stdout
    assert asked.startswith("No open exception has --type over_quantity --merchant lists; without that there are ")


@pytest.mark.req("EXC-6", "OPS-6")
def test_dead_letters_are_listed_and_shown_without_personal_data(
    run: Run, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = [("source-topic", b"shopify-deliveries"), ("source-partition", b"1"), ("source-offset", b"5"),
               ("reason", b"malformed"), ("error", b"expected an order id"), ("attempts", b"1")]  # fmt: skip
    began_ms = time.time_ns() // 1_000_000
    send("warehouse-dead-letters", b"k", delivery(), headers=headers)
    send("warehouse-dead-letters", b"k", b"customer.1001@example.com", timestamp=began_ms - 7_200_000)
    listed = parsed(run("dlq", "list", "--topic", "warehouse-dead-letters", "--json"))
    assert [(each["reason"], each["source"]) for each in listed] == [
        ("unknown", ""),
        ("malformed", "shopify-deliveries/1/5"),
    ]
    assert len(parsed(run("dlq", "list", "--since", "1h", "--topic", "warehouse-dead-letters", "--json"))) == 1
    on_terminal(monkeypatch)
    assert widest(run("dlq", "list")) <= 80
    for each in listed:
        place = (each["topic"], str(each["partition"]), str(each["offset"]))
        assert "customer.1001" not in run("dlq", "show", *place).stdout
        assert "personal data" in run("dlq", "show", *place).stdout
    place = ("warehouse-dead-letters", str(listed[1]["partition"]), str(listed[1]["offset"]))
    assert "customer.1001" in run("dlq", "show", *place, "--raw").stdout
    assert parsed(run("dlq", "show", *place, "--json"))["fields"]["delivery_id"] == "d1"
    missing = run("dlq", "show", "warehouse-dead-letters", "0", "4711")
    assert (missing.exit_code, "warehouse-dead-letters/0/4711" in missing.stderr) == (1, True)
    assert run("dlq", "list", "--since", "yesterday").exit_code == 2


def test_reading_ends_where_the_topic_ended_when_it_began(cluster: str) -> None:
    """Somebody goes on writing all the time; the reader is done all the same."""
    producer, stop = Producer({"bootstrap.servers": cluster}), threading.Event()

    def write() -> None:
        while not stop.is_set():
            producer.produce("expected-returns", b"x")
            producer.flush(10)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        count = sum(1 for _ in read(cluster, "expected-returns"))
    finally:
        stop.set()
        writer.join()
    assert count <= sum(1 for _ in read(cluster, "expected-returns"))


@pytest.mark.req("EXC-7")
def test_patterns_count_what_came_back_in_a_table_for_a_spreadsheet_and_for_a_program(run: Run, send: Send) -> None:
    shop: dict[str, object] = {"merchant": "demo-shop", "order_id": "7101", "rma_id": "RMA-71", "actor": "returngo"}
    key = order_key("demo-shop", "7101")
    for number, unit, sku, reason, disposition in (
        (1, "u1", "TEE-M", "Too small", "sellable"), (2, "u2", "TEE-M", "Torn [b]", "sellable"),
        (3, "u2", "TEE-M", "Torn [b]", "damaged"), (3, "u2", "TEE-M", "Torn [b]", "damaged"),
    ):  # fmt: skip
        more = {"unit_ids": (unit,), "sku": sku, "reason": reason, "disposition": disposition, "quantity": 1} | shop
        send("case-journal", key, step(number, "learned", "inspected", location="101", **more))
    send("case-journal", key, step(4, "learned", "inspected", **shop | {"merchant": "demo-shop-2", "quantity": 1}))
    send("case-journal", key, b"demo-shop, but no record")
    asked = ("patterns", "demo-shop", "--merchants", "merchants", "--by", "sku,reason,disposition")
    table = run(*asked)
    assert table.stdout.splitlines() == [
        "sku\treason\tdisposition\tunits\tshare",
        "TEE-M\tToo small\tsellable\t1\t50%",
        "TEE-M\tTorn [b]\tdamaged\t1\t50%",
    ]
    told = "2 units were inspected for demo-shop, from the start of the journal to now, Africa/Johannesburg."
    assert told in table.stderr.splitlines()
    assert "is passed over" in table.stderr
    assert run(*asked, "--format", "csv").stdout == (
        "sku,reason,disposition,units\nTEE-M,Too small,sellable,1\nTEE-M,Torn [b],damaged,1\n"
    )
    found = parsed(run(*asked, "--json", "--since", "2026-01-01", "--until", "2026-01-01"))
    assert (found["units"], found["since"], found["rows"][0]) == (
        2, "2026-01-01", {"sku": "TEE-M", "reason": "Too small", "disposition": "sellable", "units": 1},
    )  # fmt: skip
    none = run(*asked, "--since", "2026-01-02")
    told = "No unit was inspected for demo-shop, from 2026-01-02 to now, Africa/Johannesburg."
    assert (none.stdout.count("\n"), told in none.stderr.splitlines()) == (1, True)
