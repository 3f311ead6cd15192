"""Orders and returns as people make them, and how each stands by the shop's own books."""

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import msgspec

from ops.demo.client import Warehouse
from ops.demo.merchants import domain_of, secrets_of, variable
from ops.demo.story import Body
from ops.demo.words import back, inspection, line
from schemas.exceptions import ExceptionRaised
from tests.e2e.world import CUSTOMER_EMAIL, CUSTOMER_NAME, World, until

_NUMBERS = itertools.count(5001)
WAY: tuple[tuple[str, Body], ...] = (
    ("approve", {}),
    ("ship", {}),
    ("track", {"status": "IN TRANSIT"}),
    ("receive", {}),
)


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """An order and its goods by the books. `moved`: by `location.state`, without the sale; `paid`: entries."""

    moved: dict[str, int]
    movements: list[dict[str, Any]]
    paid: list[dict[str, Any]]
    tags: set[str]
    note: str
    comments: str

    @property
    def amounts(self) -> list[str]:
        """What went where, sorted."""
        return sorted(f"{each['amount']} {each['currency']} {each['gateway']}" for each in self.paid)


class Shop:
    """One merchant's shop. Goods are new for every test, so what moves is that test's."""

    def __init__(self, world: World, merchant: str) -> None:
        self.world, self.merchant, self.domain = world, merchant, domain_of(merchant)

    def goods(self, price: str = "199.00", **more: object) -> str:
        """A new SKU with ten pieces in each place."""
        sku = f"GOODS-{next(_NUMBERS)}"
        stock = {str(place): 10 for place in (101, 102, 103)}
        variant = {"name": sku, "sku": sku, "title": "One size", "price": price, "stock": stock, **more}
        self.world.post(f"/shops/{self.domain}/products", {"products": [{"title": sku, "variants": [variant]}]})
        return sku

    def sold(self, *lines: Body, customer: bool = True, **more: object) -> "Order":
        """A new order of a new customer."""
        number = next(_NUMBERS)
        body: Body = {"name": f"#{number}", "lines": list(lines), **more}
        if customer:
            person = {"id": number, "name": CUSTOMER_NAME, "email": CUSTOMER_EMAIL}
            self.world.post(f"/shops/{self.domain}/customers", {"customers": [person]})
            body["customer_id"] = number
        made = self.world.post(f"/shops/{self.domain}/orders", {"orders": [body]})["orders"][body["name"]]
        return Order(self, body["name"], number, made)

    def staff(self, action: str, body: Body) -> None:
        """Somebody does something in the admin."""
        self.world.post(f"/shopify/{self.domain}/staff/{action}", body)

    def fault(self, fault: str, operation: str, **more: object) -> None:
        """Something goes wrong in this shop."""
        match = {"shop": self.domain, "operation": operation}
        self.world.post("/faults", {"match": match, "fault": fault, **more})

    def state(self, state: str) -> None:
        """open, frozen, …"""
        self.world.post(f"/shops/{self.domain}/state", {"state": state})

    def calls(self, operation: str) -> list[dict[str, Any]]:
        """Calls of ours to this shop."""
        path = f"/calls?shop={self.domain}&operation={operation}&limit=5000"
        found: list[dict[str, Any]] = self.world.get(path)["calls"]
        return found

    def warehouse(self, secret: str | None = None) -> Warehouse:
        """The merchant's warehouse, or somebody who says so."""
        own = secrets_of(self.merchant)[variable(self.merchant, "WAREHOUSE_WEBHOOK_SECRET")]
        return Warehouse(self.world.stage.addresses.gateway_port, self.merchant, secret or own)


class Order:
    """An order, and what became of it."""

    def __init__(self, shop: Shop, name: str, customer_id: int, made: dict[str, Any]) -> None:
        self.shop, self.name, self.id, self.customer_id = shop, name, str(made["id"]), customer_id
        self.lines: list[dict[str, Any]] = made["lines"]
        self.transactions: list[dict[str, Any]] = made["transactions"]
        self._rmas: list[str] = []

    def asked(self, *units: Body, **more: object) -> "Return":
        """The customer asks for a return."""
        path = f"/returngo/{self.shop.domain}/rmas"
        made = self.shop.world.post(path, {"order": self.name, "units": list(units), **more})
        self._rmas.append(made["rma_id"])
        return Return(self, made["rma_id"])

    def now(self) -> Now:
        """How it stands."""
        books = self.shop.world.books(self.shop.domain)
        skus = {each["sku"] for each in self.lines}
        movements = [m for m in books["movements"] if m["sku"] in skus and m["cause"] != "sale" and m["delta"]]
        moved: Counter[str] = Counter()
        for each in movements:
            moved[f"{each['location_id']}.{each['name']}"] += each["delta"]
        order, rmas = books["orders"][self.name], books["returngo"]["rmas"]
        return Now(
            moved=dict(moved), movements=movements, paid=self._paid(books["money"]), tags=set(order["tags"]),
            note=order["note"] or "", comments="\n".join(c for rma in self._rmas for c in rmas[rma]["comments"]),
        )  # fmt: skip

    def _paid(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        mine = [e for e in entries if e["order"] == self.name or e["customer_id"] == self.customer_id]
        return list({(e["kind"], e["id"]): e for e in mine}.values())

    def until(self, right: Callable[[Now], object]) -> Now:
        """How it stands once that is right."""
        return until(self.now, right)

    def ended(self) -> Now:
        """How it stands once nothing more is to be done."""
        return self.until(lambda now: "return-completed" in now.tags)

    def raises(self, kind: str) -> ExceptionRaised:
        """The exception of that type, once it is open."""
        return until(self.exceptions, lambda found: kind in found)[kind]

    def exceptions(self) -> dict[str, ExceptionRaised]:
        """Open exceptions by type."""
        return self.shop.world.raised(self.id)


class Return:
    """An RMA."""

    def __init__(self, order: Order, rma_id: str) -> None:
        self.order, self.rma_id = order, rma_id

    def step(self, step: str, **body: object) -> Self:
        """What happens to it next."""
        shop = self.order.shop
        shop.world.post(f"/returngo/{shop.domain}/rmas/{self.rma_id}/{step}", body)
        return self

    def received(self) -> Self:
        """From the approval to the warehouse's ramp."""
        for step, body in WAY:
            self.step(step, **body)
        return self

    def inspected(self, *grades: str, location: int = 101) -> Self:
        """ReturnGO's item validation, a grade for each unit."""
        return self.step("validate", **inspection(*grades, location=location).body)


def returned(shop: Shop, price: str = "199.00", *, grade: str = "sellable", **unit: object) -> Order:
    """An order of one piece that has come back and was inspected."""
    sku = shop.goods(price)
    order = shop.sold(line(sku))
    order.asked(back(sku, **unit)).received().inspected(grade)  # type: ignore[arg-type]  # any field of a unit
    return order
