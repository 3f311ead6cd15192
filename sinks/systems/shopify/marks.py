"""The marks that Returnflow leaves in a shop so that an effect can be found again, and how they are read back."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

NAMESPACE = "returnflow"  # of our metafields on orders
_COMMAND = re.compile(r"\bcmd ([0-9a-f-]{36})")
_RMA = re.compile(r"\bRMA (\S+)")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Our metafield on an order: which command disposes of which line of its native return, or that it never will.

    `before` are the dispositions of the line that were there when the command was first claimed, `dispositions` those
    it made; `at_ms` is when a disposal was last about to be sent.
    """

    cmd: str
    line: str
    state: Literal["claimed", "applied", "refused", "adjusts"]
    at_ms: int
    before: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()


def note(rma_id: str, command_id: str) -> str:
    """Note of a refund or gift card."""
    return f"RMA {rma_id} cmd {command_id}" if rma_id else f"cmd {command_id}"


def command_in(text: str | None) -> str | None:
    """The command id that a note carries."""
    found = _COMMAND.search(text or "")
    return found.group(1) if found else None


def rma_in(text: str | None) -> str | None:
    """The RMA id that a note carries."""
    found = _RMA.search(text or "")
    return found.group(1) if found else None


def claim_key(command_id: str) -> str:
    """Key of the metafield that claims a command."""
    return f"c_{command_id.replace('-', '')}"


def booking_key(command_id: str) -> str:
    """Key of the metafield of a command that adjusted, and disposes of the same units without stock."""
    return f"b_{command_id.replace('-', '')}"


def reference_uri(command_id: str) -> str:
    """What an inventory adjustment names as its document; shown in the item's history."""
    return f"gid://returnflow/Restock/{command_id}"


def batch_uri(batch_id: str) -> str:
    """What the adjustment of a batch names as its document; the ledger knows the batch's commands."""
    return f"gid://returnflow/RestockBatch/{batch_id}"


def encode(claim: Claim) -> str:
    return msgspec.json.encode(claim).decode()


def decode(value: str) -> Claim | None:
    """The claim in a metafield's value, or None when it is not one of ours."""
    try:
        return msgspec.json.decode(value, type=Claim)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def disposition_commands(order: dict[str, Any]) -> dict[str, str]:
    """Command id by the global id of the disposition it made, from an order with `returns` and `metafields`.

    A claim that could not be closed any more still names its line and what was there before: the rest is its own.
    """
    found: dict[str, str] = {}
    claims = [claim for node in order["metafields"]["nodes"] if (claim := decode(node["value"]))]
    for claim in claims:
        found.update(dict.fromkeys(claim.dispositions, claim.cmd))
    for claim in claims:
        if claim.state == "claimed":
            ours = (d for line, d in _restocked(order) if line == claim.line and d not in claim.before)
            found.update({d: claim.cmd for d in ours if d not in found})
    return found


def _restocked(order: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for each in order["returns"]["nodes"]:
        for fulfilment in each["reverseFulfillmentOrders"]["nodes"]:
            for line in fulfilment["lineItems"]["nodes"]:
                sold = ((line["fulfillmentLineItem"] or {}).get("lineItem") or {}).get("id", "")
                for disposition in line["dispositions"]:
                    if disposition["type"] == "RESTOCKED":
                        yield sold.rsplit("/", 1)[-1], disposition["id"]
