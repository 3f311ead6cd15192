"""Restock through a return that the shop itself keeps: dispose its units as RESTOCKED instead of adjusting the level.

A disposal takes no key and Shopify accepts too many of them, so the command is first claimed in a metafield of the
order (create-only), and a repeated attempt counts the dispositions that came since before it sends another.
"""

from collections import Counter
from itertools import groupby

import msgspec

from schemas.commands import Restock
from sinks.contract import Attempt, Flow, NotSent, ReadFlow
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import calls, marks, native_cover, refusals
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid, number
from sinks.systems.shopify.native_cover import Cover, Disposition, ReturnedLine
from sinks.systems.shopify.shapes import Payload, Shape

CLAIM_SENT = "claim_sent"  # note for the next attempt: a claim went out and may still arrive
NOT_RUN = "disposal_not_run"  # note for the next attempt: `at_ms` of the claim whose disposal the shop did not run
SETTLING_MS = 30_000  # a disposal without an answer may still be running at Shopify for this long


class Metafield(Shape, frozen=True):
    value: str
    compare_digest: str


class Written(Shape, frozen=True):
    compare_digest: str


class Claimed(Payload, frozen=True):
    metafields: tuple[Written, ...] | None = None


class DisposedLine(Shape, frozen=True):
    id: str
    dispositions: tuple[Disposition, ...]


class Disposed(Payload, frozen=True):
    reverse_fulfillment_order_line_items: tuple[DisposedLine, ...] | None = None


class Closed(Payload, frozen=True):
    pass


def dispose(command: Restock, c: Connection, attempt: Attempt, cover: Cover) -> Flow:
    """The first attempt: claim, then dispose."""
    before = tuple(d.id for d in cover.restocked)
    claim = marks.Claim(
        cmd=command.command_id, line=command.line_id or "", state="claimed", at_ms=attempt.now_ms, before=before
    )
    try:
        digest = yield from _claim(command, c, claim, None)
    except Ended as ended:
        raise _noted(ended, CLAIM_SENT, "yes") from ended
    return (yield from _send(command, c, cover, claim, digest, command.quantity))


def adjusts(found: Metafield) -> bool:
    """Whether the command was kept to an adjustment."""
    claim = marks.decode(found.value)
    return claim is not None and claim.state == "adjusts"


def keep_to_adjusting(command: Restock, c: Connection, attempt: Attempt) -> ReadFlow[None]:
    """Takes the place of a claim, so that none can come any more; Ended when one is there, or when nobody knows."""
    mark = marks.Claim(cmd=command.command_id, line=command.line_id or "", state="adjusts", at_ms=attempt.now_ms)
    yield from _claim(command, c, mark, None)


def finish(command: Restock, c: Connection, attempt: Attempt, found: Metafield) -> Flow:
    """A repeated attempt: what came after the claim is ours; only what is missing is sent."""
    claim = marks.decode(found.value)
    if claim is None or command.line_id is None:
        detail = f"metafield {marks.claim_key(command.command_id)} of the order is not a claim of ours"
        return Rejected(code="rejected_by_system", detail=detail)
    if claim.state == "applied":
        return AlreadyApplied(external_ids=_ids(claim.dispositions), quantity=command.quantity)
    cover = yield from native_cover.read(c, command.order_id, command.line_id)
    ours = [d for d in cover.restocked if _is_ours(d, claim, command, cover)]
    missing = command.quantity - sum(d.quantity for d in ours)
    if missing <= 0:
        yield from _applied(command, c, claim, found.compare_digest, tuple(d.id for d in ours))
        return AlreadyApplied(external_ids=_ids(tuple(d.id for d in ours)), quantity=command.quantity)
    waited = max(0, attempt.now_ms - claim.at_ms)
    if _may_be_running(attempt, claim) and waited < SETTLING_MS:
        return Deferred(reason="disposal_may_be_running", after_seconds=(SETTLING_MS - waited) / 1000)
    if cover.undisposed < missing:
        detail = f"{command.sku}: {cover.undisposed} units of line {command.line_id} are left to restock, not {missing}"
        return Rejected(code="restock_outside_workflow", detail=detail)
    renewed = msgspec.structs.replace(claim, state="claimed", at_ms=attempt.now_ms)
    digest = yield from _claim(command, c, renewed, found.compare_digest)
    return (yield from _send(command, c, cover, renewed, digest, missing))


def book(command: Restock, c: Connection, cover: Cover) -> ReadFlow[str | None]:
    """After an adjustment: dispose the units without stock, so that nobody restocks them by hand a second time.

    Only bookkeeping: what goes wrong here is told, not raised. A mark of its own keeps two workers from both doing it.
    """
    units = min(cover.undisposed, command.quantity)
    if not units:
        return None
    try:
        booking = '{"booked":' + msgspec.json.encode(command.command_id).decode() + "}"
        yield from _write(command, c, marks.booking_key(command.command_id), booking, None)
        for order, chunk in _chunks(cover, units):
            variables = {"dispositions": [_disposition(line, n, "NOT_RESTOCKED", None) for line, n in chunk]}
            reply = yield from calls.write(c, "dispose", variables, Disposed)
            if reply.user_errors:
                return f"{number(order)} still lists the units: {reply.user_errors[0].message[:100]}"
        yield from _close(c, cover, units)
    except Ended as problem:
        return f"the shop's return may still list the units: {problem}"
    return None


def _may_be_running(attempt: Attempt, claim: marks.Claim) -> bool:
    sent = attempt.first_sent_ms is not None and claim.state == "claimed"
    return sent and attempt.notes.get(NOT_RUN) != str(claim.at_ms)


def _is_ours(disposition: Disposition, claim: marks.Claim, command: Restock, cover: Cover) -> bool:
    place = disposition.location
    return (
        disposition.id not in claim.before
        and cover.commands.get(disposition.id, command.command_id) == command.command_id
        and place is not None
        and number(place.id) == command.location_id
    )


def _send(command: Restock, c: Connection, cover: Cover, claim: marks.Claim, digest: str, units: int) -> Flow:
    made: list[str] = []
    for _, chunk in _chunks(cover, units):
        variables = {
            "dispositions": [_disposition(line, n, "RESTOCKED", command.location_id) for line, n in chunk],
        }
        reply = yield from _disposed(c, claim, variables)
        if reply.user_errors:
            refused = refusals.outcome("Dispose", reply.user_errors)
            if not isinstance(refused, Uncertain):  # else it may be running: the claim stays open, and is waited for
                yield from _give_up(command, c, claim, digest, made)
            return refused
        asked = {line.id for line, _ in chunk}
        known = {d.id for line in cover.lines for d in line.dispositions}
        for line in reply.reverse_fulfillment_order_line_items or ():
            made += [
                d.id for d in line.dispositions if line.id in asked and d.id not in known and d.type == "RESTOCKED"
            ]
    yield from _applied(command, c, claim, digest, tuple(made))
    yield from _close_quietly(c, cover, units)
    return Applied(external_ids=_ids(tuple(made)), quantity=command.quantity)


def _disposed(c: Connection, claim: marks.Claim, variables: calls.Variables) -> ReadFlow[Disposed]:
    """The disposal; when it is known not to have run, the next attempt is told so and need not wait for it."""
    try:
        return (yield from calls.effect(c, "dispose", variables, Disposed))
    except NotSent as error:
        ended = Ended(Deferred(reason=str(error), after_seconds=error.after_seconds))
        raise _noted(ended, NOT_RUN, str(claim.at_ms)) from error
    except Ended as ended:
        raise _noted(ended, NOT_RUN, str(claim.at_ms)) from ended


def _noted(ended: Ended, name: str, value: str) -> Ended:
    """The same end, which tells the next attempt where it was left off; only a deferred command needs to be told."""
    if not isinstance(ended.outcome, Deferred):
        return ended
    return Ended(msgspec.structs.replace(ended.outcome, notes={**ended.outcome.notes, name: value}))


def _chunks(cover: Cover, units: int) -> list[tuple[str, list[tuple[ReturnedLine, int]]]]:
    """`units` laid over the undisposed lines, by reverse fulfilment order: one call cannot span two."""
    taken: list[tuple[ReturnedLine, int]] = []
    for line in sorted(cover.own, key=lambda each: (each.order, each.id)):
        share = min(units, line.undisposed)
        if share:
            taken.append((line, share))
        units -= share
    return [(order, list(chunk)) for order, chunk in groupby(taken, key=lambda each: each[0].order)]


def _disposition(line: ReturnedLine, quantity: int, kind: str, location_id: str | None) -> calls.Variables:
    fields: calls.Variables = {
        "reverseFulfillmentOrderLineItemId": line.id,
        "quantity": quantity,
        "dispositionType": kind,
    }
    return fields if location_id is None else {**fields, "locationId": gid("Location", location_id)}


def _claim(command: Restock, c: Connection, claim: marks.Claim, digest: str | None) -> ReadFlow[str]:
    """Writes the claim if nobody else did since; returns its new digest. `digest` None: create only."""
    return (yield from _write(command, c, marks.claim_key(command.command_id), marks.encode(claim), digest))


def _write(command: Restock, c: Connection, key: str, value: str, digest: str | None) -> ReadFlow[str]:
    metafield = {
        "ownerId": gid("Order", command.order_id),
        "namespace": marks.NAMESPACE,
        "key": key,
        "type": "json",
        "value": value,
        "compareDigest": digest,
    }
    reply = yield from calls.write(c, "claim", {"metafields": [metafield]}, Claimed)
    if reply.user_errors:
        raise Ended(refusals.outcome("Claim", reply.user_errors))
    if not reply.metafields:
        raise Ended(Uncertain(reason="claim_without_answer"))
    return reply.metafields[0].compare_digest


def _applied(command: Restock, c: Connection, claim: marks.Claim, digest: str, made: tuple[str, ...]) -> ReadFlow[None]:
    """Names the dispositions in the claim. Until that is done the command is uncertain: the next look finds them."""
    try:
        yield from _claim(command, c, msgspec.structs.replace(claim, state="applied", dispositions=made), digest)
    except Ended:
        raise Ended(Uncertain(reason="disposed_but_not_marked")) from None


def _give_up(command: Restock, c: Connection, claim: marks.Claim, digest: str, made: list[str]) -> ReadFlow[None]:
    refused = msgspec.structs.replace(claim, state="refused", dispositions=tuple(made))
    try:
        yield from _claim(command, c, refused, digest)
    except Ended:
        return  # the refusal is what counts; an open claim only makes a later look longer


def _close(c: Connection, cover: Cover, units: int) -> ReadFlow[None]:
    """Closes each return that these units complete; closing a closed one changes nothing."""
    disposed = Counter[str]()
    for _, chunk in _chunks(cover, units):
        for line, share in chunk:
            disposed[line.shop_return] += share
    for shop_return, share in disposed.items():
        if cover.completed(shop_return, share):
            yield from calls.write(c, "close_return", {"id": shop_return}, Closed)


def _close_quietly(c: Connection, cover: Cover, units: int) -> ReadFlow[None]:
    try:
        yield from _close(c, cover, units)
    except Ended:
        return  # the units are back in stock; an open return is closed with the next one or by staff


def _ids(dispositions: tuple[str, ...]) -> dict[str, str]:
    return {"disposition_ids": ",".join(number(d) for d in dispositions)} if dispositions else {}
