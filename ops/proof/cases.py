"""Random orders and what becomes of their units. A case is made of a seed and its number alone."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Literal

import msgspec

from ops.sandbox.shopify.ordering import LineSpec, OrderSpec

TAX_RATES = ("0", "0.07", "0.19", "0.0825", "0.2")
GATEWAYS = ("shopify_payments", "gift_card", "voucher")
MOST_LINES, MOST_UNITS = 5, 7


By = Literal["refund", "store_credit", "staff"]
First = Literal["result", "effect", "lost"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Units of lines, by the line's place, that one return or one refund by staff is about.

    `typed`: staff type in what they work out themselves. `answer`: what comes first, the refund's result, the refund
    as the shop shows it, or nothing at all before it is looked for again.
    """

    by: By
    units: dict[int, int]
    typed: bool = False
    answer: First = "result"
    at_once: bool = False  # the next part comes before anything of this one is paid


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An order, how it is paid (shares of it by gateway), and its parts in order."""

    name: str
    order: OrderSpec
    split: tuple[tuple[str, int], ...]  # weights
    parts: tuple[Part, ...]


def case(seed: int, number: int) -> Case:
    """The same for ever, whatever the rule of the shop."""
    dice = Random(f"{seed}/{number}")  # noqa: S311  nothing secret
    counts = [dice.randint(1, MOST_UNITS) for _ in range(dice.randint(1, MOST_LINES))]
    lines = [_line(dice, units) for units in counts]
    worth = sum(((line.unit_price or Decimal(0)) * line.quantity - line.discount for line in lines), Decimal(0))
    across = _cents(dice, int(worth * 20)) if dice.random() < 0.5 else Decimal(0)
    gateways = dice.sample(GATEWAYS, dice.choice((1, 1, 2, 3)))
    return Case(
        name=f"{seed}/{number}",
        order=OrderSpec(
            name=f"#{number}", customer_id=601, lines=lines, order_discount=across,
            taxes_included=dice.random() < 0.5,
        ),
        split=tuple((name, dice.randint(1, 9)) for name in gateways), parts=_parts(dice, counts),
    )  # fmt: skip


def _line(dice: Random, units: int) -> LineSpec:
    price = Decimal(dice.randint(1, 20_000)) / 100
    off = _cents(dice, int(price * units * 40)) if dice.random() < 0.6 else Decimal(0)
    rate = Decimal(dice.choice(TAX_RATES))
    return LineSpec(custom_title="Thing", quantity=units, unit_price=price, discount=off, tax_rate=rate)


def _cents(dice: Random, most: int) -> Decimal:
    return Decimal(dice.randint(0, max(most, 0))) / 100


def _parts(dice: Random, counts: list[int]) -> tuple[Part, ...]:
    """Most cases give everything back; some keep a few units."""
    pieces = [place for place, units in enumerate(counts) for _ in range(units)]
    dice.shuffle(pieces)
    pieces = pieces[: len(pieces) - (dice.randint(0, len(pieces) - 1) if dice.random() < 0.3 else 0)]
    parts = []
    while pieces:
        size = dice.randint(1, max(len(pieces) if dice.random() < 0.2 else 4, 1))
        mine, pieces = pieces[:size], pieces[size:]
        units = {place: mine.count(place) for place in sorted(set(mine))}
        by: By = dice.choices(("refund", "store_credit", "staff"), (8, 1, 2))[0]
        answer: First = dice.choice(("result", "effect", "lost"))
        # of an amount for several lines nobody can say which of them it is for
        typed, at_once = len(units) == 1 and dice.random() < 0.3, dice.random() < 0.3
        parts.append(Part(by=by, units=units, typed=typed, answer=answer, at_once=at_once))
    return tuple(_earlier(parts))


def _earlier(parts: list[Part]) -> Iterator[Part]:
    """Staff refund before the last units of a line come back: what they pay for these is their own word."""
    later: set[int] = set()
    found: list[Part] = []
    for part in reversed(parts):
        ours = part.by != "staff" or not later.issuperset(part.units)
        found.append(msgspec.structs.replace(part, by="refund") if ours and part.by == "staff" else part)
        later.update(part.units)
    return reversed(found)
