"""What a shop says is learnt field by field: each here has another value, so that none can be taken for another."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import CommandResult, Suggestion
from schemas.facts import (
    ObservedEffect,
    OrderLine,
    OrderSnapshot,
    Payment,
    RecordedRefund,
    RefundedLine,
    RefundedTender,
)
from schemas.money import LARGEST_MINOR, Money
from schemas.stock import RestockVerdict
from streams.domain.learnt import Order
from tests.unit.domain.fields import at, learnt, named

LINE = OrderLine(
    line_id="L1", sku="TEE", quantity=3, unit_price_minor=1000, discount_minor=100, order_discount_minor=40,
    tax_minor=457, duty_minor=25, variant_id="V1", item_id="I1", gift_card=True, bundle_sku="BOX", bundle_quantity=2,
    bundle_id="G1", removed_quantity=1, fulfilled_quantity=2, ships=False,
)  # fmt: skip
SNAPSHOT = OrderSnapshot(
    fact_id="f1", merchant="demo-shop", order_id="5001", system="shopify", version_ms=2000, name="#1001",
    created_at_ms=1000, currency="EUR", shop_currency="USD", taxes_included=True, lines=(LINE,),
    payments=(Payment(payment_id="P1", tender="card", status="pending", amount_minor=3350, shop_amount_minor=3600),),
    shipping_minor=490, shipping_tax_minor=78, total_minor=3351, customer_id="C1", tags=("b", "a"), archived=True,
    cancelled=True, location_id="S9", source="pos", complete=False,
)  # fmt: skip


def order_of(snapshot: OrderSnapshot) -> Order:
    order = learnt(snapshot).order
    assert order is not None
    return order


def test_every_field_of_an_order_is_learnt() -> None:
    assert named(order_of(SNAPSHOT)) == {
        "stamp": at(2000, "f1"), "system": "shopify", "name": "#1001", "created_at_ms": 1000, "currency": "EUR",
        "lines": (
            ("L1", "TEE", 3, 2860, "V1", "I1", True, "BOX", 2, 3000, 100, 40, 457, 25, 2, 2860 % 3, "G1", 1, 2, False),
        ),
        "tenders": (("P1", "card", "pending", 3350, 3600),), "shipping_minor": 490, "customer_id": "C1",
        "archived": True, "complete": False, "shop_currency": "USD", "taxes_included": True, "shipping_tax_minor": 78,
        "source": "pos", "store": "S9", "tags": ("a", "b"), "total_minor": 3351, "cancelled": True,
    }  # fmt: skip


@pytest.mark.req("MON-2")
def test_tax_on_top_is_part_of_what_line_and_shipping_cost() -> None:
    order = order_of(replace(SNAPSHOT, taxes_included=False))
    assert (order.lines[0].net_minor, order.lines[0].price_minor, order.shipping_minor) == (2860 + 457, 3000, 490 + 78)


def test_what_an_order_does_not_say_is_empty() -> None:
    bare = OrderLine(line_id="L1", sku="TEE", quantity=1, unit_price_minor=1000)
    order = order_of(replace(SNAPSHOT, lines=(bare,), source=None, location_id=None))
    assert (order.source, order.store, order.lines[0].bundle_quantity) == ("", "", 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_price_beyond_every_order_is_cut_to_the_largest_amount(sign: int) -> None:
    huge = order_of(replace(SNAPSHOT, lines=(replace(LINE, unit_price_minor=sign * LARGEST_MINOR),)))
    assert (huge.lines[0].net_minor, huge.lines[0].price_minor) == (sign * LARGEST_MINOR, sign * LARGEST_MINOR)


def tender(amount: int, payment_id: str | None = "P1", status: Any = "success", shop: int | None = None) -> Any:
    return RefundedTender(
        transaction_id="t", payment_id=payment_id, tender="card", amount_minor=amount, status=status,
        shop_amount_minor=shop,
    )  # fmt: skip


EFFECT = ObservedEffect(
    fact_id="f2", merchant="demo-shop", order_id="5001", system="sitoo", kind="store_return", external_id="S1",
    occurred_at_ms=3000, actor="till", currency="EUR", total_minor=999, command_id="c1", rma_id="100", tax_minor=160,
    updated_at_ms=3500,
    shipping_minor=50,
    lines=(
        RefundedLine(line_id="L2", quantity=2, restocked=True, amount_minor=700),
        RefundedLine(line_id="L1", quantity=1, unsent=True),
    ),
    tenders=(tender(700, "P2", shop=750), tender(300, "P1", shop=320), tender(50, status="failed")),
)  # fmt: skip


@pytest.mark.req("MON-10", "MON-13")
def test_every_field_of_an_effect_is_learnt() -> None:
    known = learnt(EFFECT)
    assert list(known.effects) == ["sitoo:store_return:S1"]
    assert named(known.effects["sitoo:store_return:S1"]) == {
        "rank": (2, 1), "stamp": at(3000, "f2"), "kind": "store_return", "external_id": "S1", "actor": "till",
        "total_minor": 1000, "currency": "EUR", "moved": (("L1", 1, False, True, -1), ("L2", 2, True, False, 700)),
        "tenders": (("P1", 300), ("P2", 700)), "command_id": "c1", "rma_id": "100", "tax_minor": 160,
        "said_minor": None, "shop": (("P1", 320), ("P2", 750)), "system": "sitoo",
        "updated_ms": 3500, "failed_minor": 50, "shipping_minor": 50,
    }  # fmt: skip


@pytest.mark.req("MON-10", "STA-3")
@pytest.mark.parametrize(("mark", "actor"), [("c1", "returnflow"), (None, "other")])
def test_every_field_of_a_refund_in_the_orders_own_list_is_learnt(mark: str | None, actor: str) -> None:
    refund = RecordedRefund(
        refund_id="R1", created_at_ms=1500, total_minor=999, lines=EFFECT.lines, tenders=EFFECT.tenders,
        command_id=mark, rma_id="100", tax_minor=160, updated_at_ms=1600,
        shipping_minor=50,
    )  # fmt: skip
    assert named(learnt(replace(SNAPSHOT, refunds=(refund,))).effects["shopify:refund:R1"]) == {
        "rank": (2, 0), "stamp": at(1500, "f1"), "kind": "refund", "external_id": "R1", "actor": actor,
        "total_minor": 1000, "currency": "EUR", "moved": (("L1", 1, False, True, -1), ("L2", 2, True, False, 700)),
        "tenders": (("P1", 300), ("P2", 700)), "command_id": mark, "rma_id": "100", "tax_minor": 160,
        "said_minor": None, "shop": (("P1", 320), ("P2", 750)), "system": "shopify",
        "updated_ms": 1600, "failed_minor": 50, "shipping_minor": 50,
    }  # fmt: skip


@pytest.mark.req("MON-11")
@pytest.mark.parametrize(
    ("tenders", "total", "learns"),
    [
        ((), 500, (500, (), 1, None)),
        ((), -500, (0, (), 1, -500)),
        ((), 0, (0, (), 1, None)),
        ((tender(500, status="pending"),), 500, (500, (("P1", 500),), 0, None)),
        ((tender(500, None),), 500, (500, (("", 500),), 1, None)),
        ((tender(-5), tender(500, "P2")), 495, (500, (("P1", 0), ("P2", 500)), 1, -5)),
        ((tender(-5, status="failed"),), -5, (0, (), 2, -5)),
    ],
)
def test_what_left_is_what_did_not_fail_and_never_less_than_nothing(tenders: Any, total: int, learns: Any) -> None:
    seen = learnt(replace(EFFECT, tenders=tenders, total_minor=total)).effects["sitoo:store_return:S1"]
    assert (seen.total_minor, seen.tenders, seen.rank[0], seen.said_minor) == learns


@pytest.mark.req("MON-13")
def test_a_refund_whose_shop_amounts_are_told_in_part_keeps_which_are_missing() -> None:
    seen = learnt(replace(EFFECT, tenders=(tender(700, None), tender(300, shop=320)))).effects["sitoo:store_return:S1"]
    assert seen.shop == (("", None), ("P1", 320))
    seen = learnt(replace(EFFECT, tenders=(tender(700), tender(300)))).effects["sitoo:store_return:S1"]
    assert seen.shop == ()


RESULT = CommandResult(
    command_id="c1", merchant="demo-shop", system="shopify", order_id="5001", rma_id="100", unit_ids=("u1",),
    kind="refund", outcome="already_applied", settled_at_ms=4000, attempts=2, code="code", detail="detail",
    external_ids={"refund_id": "R1"}, amount=Money(minor=990, currency="USD"), tax_minor=158,
    suggested=Suggestion(currency="USD", amount_minor=980),
)  # fmt: skip


def test_every_field_of_a_result_that_decides_is_learnt() -> None:
    assert named(learnt(RESULT).results["c1"]) == {
        "outcome": "already_applied", "at_ms": 4000, "code": "code", "detail": "detail",
        "external_ids": {"refund_id": "R1"}, "amount_minor": 990, "currency": "USD", "tax_minor": 158,
        "suggested": ("USD", 980, None, (), 0),
    }  # fmt: skip
    bare = learnt(replace(RESULT, code=None, detail=None, amount=None, tax_minor=None)).results["c1"]
    assert (bare.code, bare.detail, bare.amount_minor, bare.currency, bare.tax_minor) == ("", "", None, None, None)


@pytest.mark.parametrize(
    ("word", "rank"), [("waiting", 0), ("impossible", 1), ("commanded", 2), ("confirmed", 3), ("drift", 3)]
)
def test_every_field_of_a_verdict_is_learnt(word: Any, rank: int) -> None:
    said = RestockVerdict(
        fact_id="f3", merchant="demo-shop", order_id="5001", rma_id="100", intent_id="i1", unit_ids=("u1",), sku="TEE",
        verdict=word, decided_at_ms=5000, reason="unknown_sku", detail="no such SKU", command_ids=("c1", "c2"),
    )  # fmt: skip
    assert named(learnt(said).answers["i1"]) == {
        "rank": rank, "stamp": (5000, 0), "verdict": word, "reason": "unknown_sku", "detail": "no such SKU",
        "command_ids": ("c1", "c2"),
    }  # fmt: skip
    bare = learnt(replace(said, reason=None, detail=None)).answers["i1"]
    assert (bare.reason, bare.detail) == ("", "")
