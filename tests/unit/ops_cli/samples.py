"""Records as the commands meet them."""

from ops.kafka import Seen
from schemas.catalogue import Record
from schemas.codec import Codec
from schemas.exceptions import ExceptionRaised, raised
from schemas.facts import Delivery
from schemas.journal import CaseStep, WaitingFor

CODEC = Codec()
T0 = 1_767_225_600_000  # 2026-01-01 00:00 UTC


def seen(
    value: bytes | None, *, topic: str = "exceptions", offset: int = 0, headers: tuple[tuple[str, bytes], ...] = (),
    key: bytes | None = b"k",
) -> Seen:  # fmt: skip
    return Seen(topic=topic, partition=0, offset=offset, timestamp_ms=T0, key=key, value=value, headers=headers)


def record(value: Record, **more: object) -> Seen:
    return seen(CODEC.encode(value), **more)  # type: ignore[arg-type]  # passed on as given


def step(number: int, kind: str, what: str, **more: object) -> CaseStep:
    fields: dict[str, object] = {
        "step_id": f"s{number}",
        "merchant": "m",
        "order_id": "1001",
        "rma_id": "R1",
        "unit_ids": ("u1",),
        "step": kind,
        "what": what,
        "detail": f"{what} {number}",
        "at_ms": T0 + number * 1000,
    }
    return CaseStep(**{**fields, **more})  # type: ignore[arg-type]  # a test's own values


def waiting(guard: str) -> WaitingFor:
    return WaitingFor(guard=guard, owner="warehouse", since_ms=T0, unblocked_by=f"until {guard} holds")


def problem(exception_id: str, **more: object) -> ExceptionRaised:
    fields: dict[str, object] = {
        "exception_id": exception_id,
        "merchant": "m",
        "detail": "no such place: B7",
        "at_ms": T0,
        "order_id": "1001",
        "rma_id": "R1",
    }
    return raised("unmapped_location", **{**fields, **more})  # type: ignore[arg-type]  # a test's own values


def delivery() -> Delivery:
    return Delivery(
        delivery_id="d1", merchant="m", system="shopify", event="ORDERS_UPDATED", resource_id="1001",
        headers={"x-customer": "Customer 1001"}, body=b'{"email": "customer.1001@example.com"}', received_at_ms=T0,
    )  # fmt: skip
