"""The last minor unit is the platform's (MON-2, MON-3, MON-6): what a refund pays where Shopify rounds otherwise.

How Shopify spreads the odd cent of a line over its units is published nowhere, so its own suggestion is paid as long as
rounding explains how far it is from ours. The last units of a line take what is left of it, whatever was rounded
before: there our figure stands. A cent is moved only on payments that can give it, and never on cash in coins.
"""

from collections.abc import Container, Mapping, Sequence

import msgspec

from schemas.commands import LineShare, Refund, Suggestion, TenderShare
from schemas.money import shifted
from sinks.outcomes import Applied, Outcome


class Payable(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that Shopify would pay back to, and the most that it can give, in minor units."""

    payment_id: str
    tender: str
    most_minor: int


def leeway(command: Refund, taxed: Container[str] = ()) -> int:
    """How far rounding alone may take the suggestion from what the command's lines and shipping come to. `taxed`: ids
    of lines with a tax."""
    told = {each.line_id: each.minor for each in command.leeways}
    return sum(told.get(line.line_id, line.quantity * (1 + (line.line_id in taxed))) for line in command.lines)


def amount(command: Refund, suggested: Suggestion, most_off: int) -> int:
    """What the refund is to pay, in minor units: the suggestion as far as it is off by `most_off` at most."""
    off = suggested.amount_minor - command.amount_minor - command.fees_minor
    last = {each.line_id for each in command.leeways if each.last}
    if not off or abs(off) > most_off:
        return command.amount_minor
    theirs = _by_line(suggested.lines)
    if not last.intersection(theirs):
        return command.amount_minor + off
    if sum(theirs.values()) + suggested.shipping_minor != suggested.amount_minor:
        return command.amount_minor  # which of the lines is off is not told
    moved = [theirs[line_id] - ours for line_id, ours in _by_line(command.lines).items() if line_id not in last]
    return command.amount_minor + sum(moved)


def with_lines(outcome: Outcome, command: Refund, suggested: Suggestion | None) -> Outcome:
    """With what each line got: Shopify's refund has its own suggestion's figures."""
    if not isinstance(outcome, Applied) or outcome.amount is None or suggested is None:
        return outcome
    return msgspec.structs.replace(outcome, lines=lines(command, suggested, outcome.amount.minor))


def lines(command: Refund, suggested: Suggestion, paid: int) -> tuple[LineShare, ...]:
    """What each line gets of a refund that pays `paid`, before fees; none where the suggestion does not tell."""
    last = {each.line_id for each in command.leeways if each.last}
    theirs = _by_line(suggested.lines)
    told = tuple(
        each if each.line_id in last else msgspec.structs.replace(each, amount_minor=theirs.get(each.line_id, 0))
        for each in command.lines
    )
    off = sum(each.amount_minor for each in told) - sum(each.amount_minor for each in command.lines)
    known = theirs.keys() == {each.line_id for each in command.lines} and len(theirs) == len(command.lines)
    return told if known and off == paid - command.amount_minor else ()


def tenders(command: Refund, paid: int, payable: Sequence[Payable]) -> tuple[TenderShare, ...] | None:
    """The command's payments as they give `paid`; None when no payment can give what is more."""
    off = paid - command.amount_minor
    most = {each.payment_id: each.most_minor for each in payable}
    named = [each for each in command.tenders if each.coin_minor == 1]
    known = {each.payment_id for each in command.tenders}
    others = [TenderShare(payment_id=p.payment_id, tender=p.tender, amount_minor=0) for p in payable]
    able = [*named, *(each for each in others if each.payment_id not in known)] if off > 0 else named[::-1]
    parts = shifted(off, [_room(each, most, up=off > 0) for each in able])
    if parts is None:
        return None
    moved = {each.payment_id: part for each, part in zip(able, parts, strict=True)}
    given = [*command.tenders, *(each for each in able if each.payment_id not in known)]
    shares = [
        msgspec.structs.replace(each, amount_minor=each.amount_minor + moved.get(each.payment_id, 0)) for each in given
    ]
    return tuple(share for share in shares if share.amount_minor)


def within(command: Refund, payable: Sequence[Payable], most_off: int) -> tuple[TenderShare, ...]:
    """The command's payments, none above what it can give. Which payment gave the cent of an earlier refund is known
    once the shop shows that refund, so up to `most_off` in all are taken from another payment instead; as they were
    where more is missing, or nobody can give it."""
    most = {each.payment_id: each.most_minor for each in payable}
    over = [_over(share, most) for share in command.tenders]
    missing = sum(over)
    if not 0 < missing <= most_off:
        return command.tenders
    cut = [
        msgspec.structs.replace(share, amount_minor=share.amount_minor - part)
        for share, part in zip(command.tenders, over, strict=True)
    ]
    less = msgspec.structs.replace(command, amount_minor=command.amount_minor - missing, tenders=tuple(cut))
    return tenders(less, command.amount_minor, payable) or command.tenders


def _over(share: TenderShare, most: Mapping[str, int]) -> int:
    return max(share.amount_minor - most.get(share.payment_id, share.amount_minor), 0) if share.coin_minor == 1 else 0


def _room(share: TenderShare, most: Mapping[str, int], *, up: bool) -> int:
    return max(most.get(share.payment_id, 0) - share.amount_minor, 0) if up else share.amount_minor


def _by_line(lines: Sequence[LineShare]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        found[line.line_id] = found.get(line.line_id, 0) + line.amount_minor
    return found
