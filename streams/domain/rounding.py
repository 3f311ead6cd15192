"""How far rounding alone can take a figure of somebody else from ours (MON-2, MON-3).

Nobody publishes how a platform spreads the odd minor unit of a price, a discount or a tax over the units of a line. One
unit may be off by one for its price and by one for each of its taxes; or a single unit takes all that is left over when
the line is split evenly. Where a line divides evenly rounding explains nothing.
"""

from collections.abc import Iterable

from schemas.facts import OrderLine
from streams.domain.decided import Share
from streams.domain.learnt import Line


def of_sold(line: OrderLine, *, taxes_included: bool) -> tuple[int, int]:
    """(how far one unit can be off, what is left over when the line is split evenly), minor units; (0, 0): nothing is
    rounded."""
    if line.quantity <= 0:
        return 0, 0
    net = line.unit_price_minor * line.quantity - line.discount_minor - line.order_discount_minor
    taxes = (1 if line.tax_lines is None else line.tax_lines) if line.tax_minor else 0
    on_top = 0 if taxes_included else line.tax_minor
    odd = net % line.quantity + on_top % line.quantity
    # a tax on top and a discount of the whole order were rounded before, even for a single unit
    return (1 + taxes, odd) if odd or on_top or line.order_discount_minor else (0, 0)


def leeway(line: Line, units: int, before: int = 0) -> int:
    """For the next `units` of a line of which `before` are settled: these were rounded too, and ours follow them."""
    left = line.quantity - before
    if not line.rounding_minor or units <= 0 or left <= 0:
        return 0
    settled = units * max(line.odd_minor, line.rounding_minor * before) if before > 0 else 0
    return max(line.odd_minor, line.rounding_minor * units) + -(-settled // left)


def of_shares(shares: Iterable[Share]) -> int:
    """For all of them together."""
    return sum(share.leeway_minor for share in shares)


def open_end(shares: Iterable[Share]) -> int:
    """How far the amount that is really paid may be off: the last units of a line are paid to the minor unit."""
    return sum(share.leeway_minor for share in shares if not share.last)
