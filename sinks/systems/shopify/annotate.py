"""Marks for people on an order: tags and note lines. Repeating one changes nothing, so none needs a mark of ours."""

from schemas.commands import Annotate
from sinks.contract import Flow, ReadFlow
from sinks.outcomes import AlreadyApplied, Applied, Rejected
from sinks.systems.ended import Ended
from sinks.systems.shopify import calls, refusals
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid
from sinks.systems.shopify.shapes import Payload, Shape

LONGEST_TAG = 40  # characters
LONGEST_NOTE = 5000  # characters; beyond it the merchant's own text would be cut
PREFIX = "[returnflow] "  # of our lines in a note


class NotedOrder(Shape, frozen=True):
    id: str
    note: str | None = None


class NoteLook(Shape, frozen=True):
    order: NotedOrder | None


class Changed(Payload, frozen=True):
    pass


def annotate(command: Annotate, c: Connection) -> Flow:
    """Carries out one aspect; Rejected for the aspects that an order of the shop does not have."""
    match command.aspect:
        case "tags":
            return (yield from _tags(command, c))
        case "note":
            return (yield from _note(command, c))
        case "comment" | "status" | "transaction":
            return Rejected(code="rejected_by_system", detail=f"Shopify orders have no {command.aspect} to write")


def add_tags(c: Connection, owner: str, tags: tuple[str, ...]) -> ReadFlow[None]:
    """Adds tags; the shop ignores those that are there."""
    yield from _change(c, "tags_add", "TagsAdd", owner, tags)


def _tags(command: Annotate, c: Connection) -> Flow:
    owner = gid("Order", command.order_id)
    too_long = [tag for tag in (*command.tags_add, *command.tags_remove) if len(tag) > LONGEST_TAG]
    if too_long:
        detail = f"tags have at most {LONGEST_TAG} characters, got {', '.join(too_long)}"
        return Rejected(code="rejected_by_system", detail=detail)
    if command.tags_add:
        yield from add_tags(c, owner, command.tags_add)
    if command.tags_remove:
        yield from _change(c, "tags_remove", "TagsRemove", owner, command.tags_remove)
    return Applied()


def _change(c: Connection, stem: str, operation: str, owner: str, tags: tuple[str, ...]) -> ReadFlow[None]:
    reply = yield from calls.effect(c, stem, {"id": owner, "tags": list(tags)}, Changed)
    if reply.user_errors:
        raise Ended(refusals.outcome(operation, reply.user_errors))


def _note(command: Annotate, c: Connection) -> Flow:
    """Read, add our line, write: Shopify replaces the whole note. A note written in between is lost by its rules."""
    if not command.text:
        return Rejected(code="rejected_by_system", detail="expected a line of text for the note, got none")
    order = (yield from calls.look(c, "note_look", {"id": gid("Order", command.order_id)}, NoteLook)).order
    if order is None:
        detail = f"order {command.order_id} is not in the shop; older than 60 days it needs the scope read_all_orders"
        return Rejected(code="orphan_return", detail=detail)
    line = PREFIX + " ".join(command.text.split())
    lines = (order.note or "").splitlines()
    if line in lines:
        return AlreadyApplied()
    merged = "\n".join([*lines, line])
    if len(merged) > LONGEST_NOTE:
        detail = f"the note would grow beyond {LONGEST_NOTE} characters: shorten it in the shop"
        return Rejected(code="rejected_by_system", detail=detail)
    reply = yield from calls.effect(c, "note_write", {"input": {"id": order.id, "note": merged}}, Changed)
    return refusals.outcome("NoteWrite", reply.user_errors) if reply.user_errors else Applied()
