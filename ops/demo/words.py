"""The vocabulary in which the scenario is written: orders, returned units, the steps of a usual return."""

from collections.abc import Sequence

from ops.demo.story import Body, Inspected, Requested, Rma, Step

DONE = ("return-completed",)
HELD = ("return-attention", "return-inspected")  # inspected, and waits for a person
TOLD = ("return-attention", "return-completed")  # over, but a person should know
GRADES: dict[str, Body] = {
    "sellable": {"returned": True, "restockable": True},
    "damaged": {"returned": True, "restockable": False, "reason": "Stained"},
    "missing": {"returned": False, "restockable": False, "reason": "Not in the parcel"},
}


def line(sku: str, quantity: int = 1, **more: object) -> Body:
    """A line of an order."""
    return {"sku": sku, "quantity": quantity, **more}


def order(number: int, *lines: Body, **more: object) -> Body:
    """An order of a customer with taxes inside, paid by card, unless said otherwise."""
    return {"name": f"#{number}", "customer_id": 1000 + number % 50, "lines": list(lines), **more}


def back(
    sku: str, quantity: int = 1, resolution: str = "RefundToPaymentMethod", reason: str = "Does not fit", **more: object
) -> Body:
    """Units that come back."""
    return {"sku": sku, "quantity": quantity, "reason": reason, "resolution": resolution, **more}


def inspection(*grades: str, location: int = 101) -> Rma:
    """ReturnGO's item validation, one grade a unit in their order; "" leaves a unit for later."""
    units = [{"unit": i, "location_id": location, **GRADES[grade]} for i, grade in enumerate(grades) if grade]
    return Rma(step="validate", body={"units": units})


def warehouse(*graded: tuple[str, int, str], location: str = "MAIN") -> Inspected:
    """The warehouse's inspection: (SKU, quantity, grade)."""
    return Inspected(
        lines=tuple({"sku": sku, "quantity": n, "grade": grade, "location": location} for sku, n, grade in graded)
    )


def usual(start: str, *grades: str, location: int = 101) -> tuple[tuple[str, Step], ...]:
    """Asked for, approved, shipped, received, inspected; half an hour of the shop's day between them."""
    steps: Sequence[Step] = (
        Requested(), Rma(step="approve"), Rma(step="ship"), Rma(step="track", body={"status": "IN TRANSIT"}),
        Rma(step="receive"), inspection(*grades, location=location),
    )  # fmt: skip
    return tuple((later(start, 30 * i), step) for i, step in enumerate(steps))


def again(start: str, *grades: str, **body: object) -> tuple[tuple[str, Step], ...]:
    """Another return of the same order: asked for, approved, received, inspected, a quarter of an hour between them."""
    steps: Sequence[Step] = (Requested(body=body), Rma(step="approve"), Rma(step="receive"), inspection(*grades))
    return tuple((later(start, 15 * i), step) for i, step in enumerate(steps))


def beside(day: tuple[tuple[str, Step], ...], *more: tuple[str, Step]) -> tuple[tuple[str, Step], ...]:
    """A day with other steps at their times."""
    return tuple(sorted((*day, *more), key=lambda step: minutes_of(step[0])))


def later(at: str, minutes: int) -> str:
    """The time of day so many minutes later."""
    total = minutes_of(at) + minutes
    return f"{total // 60:02d}:{total % 60:02d}"


def minutes_of(at: str) -> int:
    """Minutes since midnight."""
    hours, minutes = at.split(":")
    return int(hours) * 60 + int(minutes)
