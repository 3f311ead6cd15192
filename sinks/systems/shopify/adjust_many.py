"""Sellable units of many commands put back by one adjustment: one change per item and location, one key, all or none.

A repeat sends the stored body as it is: Shopify compares the input of a repeated key as it is written.
"""

from collections import Counter
from collections.abc import Sequence

from schemas.commands import Command, Restock
from sinks.contract import EFFECT, Change, Moved, ReadFlow, Refused
from sinks.outcomes import Outcome, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import calls, documents, marks, refusals, replies
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid, number
from sinks.systems.shopify.shapes import Payload, Ref, Shape

DOCUMENT = "adjust_many"
STATE = "available"
MOST_CHANGES = 250


class Row(Shape, frozen=True):
    name: str
    item: Ref | None = None
    location: Ref | None = None


class Group(Shape, frozen=True):
    id: str
    changes: tuple[Row, ...] = ()


class Adjusted(Payload, frozen=True):
    inventory_adjustment_group: Group | None = None


class AdjustMany:
    """See sinks.contract.Batching."""

    most = MOST_CHANGES

    def change(self, command: Command) -> Change | None:
        """Only sellable units: another state demands a ledger document, which would have to name one command. And none
        that leave stock: beside others that come they would add up to no movement, which no answer lists."""
        if not isinstance(command, Restock) or command.stock_status != STATE or command.quantity < 1:
            return None
        return Change(target=(command.item_id, command.location_id, STATE), quantity=command.quantity)

    def merge(self, batch_id: str, changes: Sequence[Change]) -> bytes:
        return calls.encoded(DOCUMENT, {"input": _input(batch_id, changes), "key": batch_id})

    def reference(self, batch_id: str) -> str:
        return marks.batch_uri(batch_id)

    def flow(self, c: Connection, body: bytes) -> ReadFlow[Moved | Refused | Outcome]:
        try:
            response = yield calls.request(c, DOCUMENT, body, {EFFECT: True})
            return _read(replies.payload(documents.load(DOCUMENT), response, Adjusted))
        except Ended as ended:
            return _meaning(ended.outcome)


BATCHING = AdjustMany()


def _input(batch_id: str, changes: Sequence[Change]) -> calls.Variables:
    units: Counter[tuple[str, ...]] = Counter()
    for change in changes:
        units[change.target] += change.quantity
    return {
        "name": STATE,
        "reason": "restock",
        "referenceDocumentUri": marks.batch_uri(batch_id),
        "changes": [
            {
                "inventoryItemId": gid("InventoryItem", item),
                "locationId": gid("Location", location),
                "delta": quantity,
                "changeFromQuantity": None,  # has to be there; null: deltas commute, whatever the level is
            }
            for (item, location, _), quantity in sorted(units.items())
        ],
    }


def _read(reply: Adjusted) -> Moved | Refused | Outcome:
    if reply.user_errors:
        return _meaning(refusals.outcome("AdjustMany", reply.user_errors))
    group = reply.inventory_adjustment_group
    rows = () if group is None else group.changes
    return Moved(
        external_ids={} if group is None else {"adjustment_id": number(group.id)},
        targets=frozenset(
            (number(row.item.id), number(row.location.id), row.name) for row in rows if row.item and row.location
        ),
    )


def _meaning(outcome: Outcome) -> Refused | Outcome:
    """A refusal of the whole list, whichever change it is about: nothing was done. The rest says nothing of that kind.

    A previous attempt that failed did nothing either, and its key will not be executed any more.
    """
    match outcome:
        case refusals.OtherInput():
            return outcome
        case Rejected():
            return Refused(reason=outcome.detail)
        case Uncertain(new_key=True):
            return Refused(reason=outcome.reason)
        case _:
            return outcome
