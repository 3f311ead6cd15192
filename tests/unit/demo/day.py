"""A day of two returns by the books and by our own records, all as it should be."""

from typing import Any

from ops.demo.records import Effect, Records
from ops.demo.story import End, Moved, Paid, Story
from ops.demo.words import DONE, back, line, order, usual
from schemas.commands import Command, CommandResult, Refund, Restock, StoreCredit
from schemas.exceptions import ExceptionRaised

MERCHANT, SHOP_ID, RMA = "demo-shop", 7_300_000_000_001, "10000001"
CREDIT_ID, CREDIT_RMA = 7_300_000_000_002, "10000002"
RESTOCK, REFUND, CREDIT = (f"{each}0000000-0000-5000-8000-000000000000" for each in "abc")
RMAS = {"tee": [RMA], "cap": [CREDIT_RMA]}
STORIES = (
    Story(
        name="tee",
        story="A tee comes back.",
        order=order(1, line("TEE-M")),
        units=(back("TEE-M"),),
        day=usual("09:00", "sellable"),
        end=End(stock=(Moved(sku="TEE-M", quantity=1),), paid=(Paid(amount="199.00"),), tags=DONE),
    ),
    Story(
        name="cap",
        story="A cap is paid with store credit.",
        order=order(2, line("CAP")),
        units=(back("CAP"),),
        day=usual("09:05", "missing"),
        end=End(paid=(Paid(amount="149.00", gateway="store_credit"),), tags=DONE),
    ),
)


def movement(**more: object) -> dict[str, Any]:
    """The restock of the tee."""
    return {
        "sku": "TEE-M", "location_id": 101, "name": "available", "delta": 1, "cause": "adjustment", "actor": "api",
        "reference": f"gid://returnflow/Restock/{RESTOCK}", "order": None, "applied": True, **more,
    }  # fmt: skip


def payment(**more: object) -> dict[str, Any]:
    """The refund of the tee."""
    return {
        "kind": "refund", "id": 1, "amount": "199.00", "currency": "ZAR", "status": "SUCCESS",
        "gateway": "shopify_payments", "actor": "api", "note": f"RMA {RMA} cmd {REFUND}", "order": "#1",
        "customer_id": 1001, **more,
    }  # fmt: skip


def credit(**more: object) -> dict[str, Any]:
    """The store credit for the cap."""
    note = f"RMA {CREDIT_RMA} cmd {CREDIT}"
    own = {"kind": "store_credit", "id": 2, "amount": "149.00", "gateway": "store_credit", "note": note, "order": None}
    return payment(**{**own, **more})


def books() -> dict[str, Any]:
    """As the sandbox's control door gives them."""
    done: dict[str, Any] = {"tags": list(DONE), "note": None, "metafields": {}}
    return {
        "movements": [movement(delta=-1, cause="sale", actor="customer", reference=None, order="#1"), movement()],
        "money": [payment(status="PENDING"), payment(), credit()],
        "orders": {"#1": {"id": SHOP_ID, **done}, "#2": {"id": CREDIT_ID, **done}},
        "findings": [],
    }


def commands() -> dict[str, Command]:
    """One restock, one refund, one store credit."""
    tee: dict[str, Any] = {
        "merchant": MERCHANT, "system": "shopify", "order_id": str(SHOP_ID), "rma_id": RMA, "unit_ids": ("1",),
        "generation": 0, "decided_at_ms": 1,
    }  # fmt: skip
    cap = tee | {"order_id": str(CREDIT_ID), "rma_id": CREDIT_RMA}
    money: dict[str, Any] = {"currency": "ZAR", "lines": ()}
    made = (
        Restock(
            command_id=RESTOCK, sku="TEE-M", item_id="1", location_id="101", quantity=1, stock_status="available", **tee
        ),
        Refund(command_id=REFUND, amount_minor=19900, tenders=(), tolerance_minor=0, **money, **tee),
        StoreCredit(
            command_id=CREDIT, form="store_credit", customer_id="1001", amount_minor=14900, **money, **cap
        ),
    )  # fmt: skip
    return {each.command_id: each for each in made}


def result(command_id: str, outcome: str = "applied") -> CommandResult:
    """How a command ended."""
    command = commands()[command_id]
    kinds = {RESTOCK: "restock", REFUND: "refund", CREDIT: "store_credit"}
    return CommandResult(
        command_id=command_id, merchant=MERCHANT, system="shopify", order_id=command.order_id, rma_id=command.rma_id,
        unit_ids=("1",), kind=kinds[command_id], outcome=outcome, settled_at_ms=5, attempts=1,  # type: ignore[arg-type]
    )  # fmt: skip


def records(
    *,
    exceptions: tuple[ExceptionRaised, ...] = (),
    results: dict[str, list[CommandResult]] | None = None,
    effects: dict[str, Effect] | None = None,
    dead_letters: dict[str, int] | None = None,
) -> Records:
    """Our own side of the day; a result may have come twice."""
    settled = {each: Effect(command_id=each, kind="restock", state="settled", outcome="applied") for each in commands()}
    ended = {each: [result(each), result(each, "already_applied")] for each in commands()}
    return Records(
        commands=commands(), exceptions=exceptions, dead_letters=dead_letters or {},
        results=ended if results is None else results, effects=settled if effects is None else effects,
    )  # fmt: skip
