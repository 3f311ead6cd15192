"""How a shop spreads the odd minor unit of a line over its units. No platform publishes its rule, so a shop is given
one of several, and whoever integrates must be right with each.

A rule says what the first `units` of `quantity` units come to; what units in between are worth is the difference.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from ops.sandbox.shopify.values import ZERO, places, rounded

Upto = Callable[[Decimal, int, int, str], Decimal]  # (total, units, quantity, currency)


def _cumulative(total: Decimal, units: int, quantity: int, currency: str) -> Decimal:
    """The exact sum, rounded."""
    return rounded(total * units / quantity, currency)


def _last_unit(total: Decimal, units: int, quantity: int, currency: str) -> Decimal:
    """Every unit is rounded down, the last one takes all that is left."""
    return total if units >= quantity else _cut(total, quantity, currency) * units


def _first_unit(total: Decimal, units: int, quantity: int, currency: str) -> Decimal:
    """Every unit is rounded down, the first one takes all that is left."""
    return ZERO if units <= 0 else total - _cut(total, quantity, currency) * (quantity - units)


def _each_unit(total: Decimal, units: int, quantity: int, currency: str) -> Decimal:
    """Every unit is rounded by itself: all of them need not come to the total."""
    return rounded(total / quantity, currency) * units


# How prices are spread, and how taxes are.
RULES: dict[str, tuple[Upto, Upto]] = {
    "cumulative": (_cumulative, _cumulative),
    "last_unit": (_last_unit, _last_unit),
    "first_unit": (_first_unit, _first_unit),
    "tax_apart": (_last_unit, _each_unit),
    "each_unit": (_each_unit, _each_unit),
}


def check(rule: str) -> str:
    """The rule, if it is one; raises ValueError."""
    if rule not in RULES:
        raise ValueError(f"rounding: expected one of {', '.join(RULES)}, got {rule!r}")
    return rule


def spread(total: Decimal, already: int, units: int, quantity: int, currency: str, upto: Upto) -> Decimal:
    """What `units` are worth after `already` of `quantity` went before."""
    if not quantity:
        return ZERO
    return upto(total, already + units, quantity, currency) - upto(total, already, quantity, currency)


def _cut(total: Decimal, quantity: int, currency: str) -> Decimal:
    return (total / quantity).quantize(Decimal(1).scaleb(-places(currency)), rounding=ROUND_DOWN)
