"""What must be true of a case that was played; what is not is said in words."""

from collections.abc import Iterable

from ops.proof.cases import Case, case
from ops.proof.play import Player
from ops.sandbox.shopify import amounts
from streams.domain.account import account
from streams.domain.own import tell_apart


def prove(seed: int, number: int, rule: str) -> list[str]:
    """Plays a case against a shop of one rule; everything that is wrong, with how to see it again."""
    given = case(seed, number)
    player = Player(given, rule)
    try:
        player.play(given.parts)
        wrong = [*player.refused, *_exceptions(player), *_lines(player, given), *_payments(player)]
    except (ValueError, AssertionError) as error:
        wrong = [f"{type(error).__name__}: {error}"]
    return [f"order {given.name}, {rule}: {text}" for text in wrong]


def _exceptions(player: Player) -> Iterable[str]:
    """Nothing that is about an amount may be raised. Staff who refund beside the workflow are told of, and the goods of
    these orders have no item that stock could be kept of."""
    notices = player.state.notices.values() if player.state is not None else ()
    for notice in notices:
        if notice.open and notice.type not in ("refund_outside_workflow", "no_item"):
            yield f"{notice.type} is open"


def _lines(player: Player, given: Case) -> Iterable[str]:
    """A line of which every unit came back was paid exactly what it cost, and the lines come to all that went out."""
    known = player.state.learnt.order if player.state is not None else None
    if player.state is None or known is None:
        yield "the case is gone"
        return
    books = account(known, tell_apart(player.state.learnt, player.state.decided))
    for place, line in enumerate(known.lines):
        asked = sum(part.units.get(place, 0) for part in given.parts)
        units, paid = books.lines.units.get(line.line_id, 0), books.lines.minor.get(line.line_id, 0)
        if units != asked:
            yield f"line {place}: {asked} units came back, {units} were paid"
        if asked == line.quantity and paid != line.net_minor:
            yield f"line {place}: it cost {line.net_minor}, {paid} were paid back"
    out, said = int(amounts.refunded(player.shop.order) * 100), sum(books.lines.minor.values())
    if out != said or out != books.total.refunded + books.total.credited:
        yield f"{out} went out, the lines come to {said}, the account to {books.total}"


def _payments(player: Player) -> Iterable[str]:
    for paid in player.shop.order.payments:
        if amounts.left_on(paid) < 0:
            yield f"payment {paid.number} is overdrawn: {amounts.left_on(paid)} left"
