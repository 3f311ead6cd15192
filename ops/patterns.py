"""Returned units counted by what people ask: reason, SKU, location, disposition, time (EXC-7). Pure.

What is counted was inspected. A unit counts once, as the newest inspection found it, whatever was written twice or came
late. Where a warehouse counted pieces instead of naming units, they are first the units that were asked back.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from schemas.journal import CaseStep
from schemas.merchant import Merchant
from schemas.sku import same_sku

Dimension = Literal["reason", "sku", "location", "disposition", "day", "week", "month"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
TIMES: tuple[Dimension, ...] = ("day", "week", "month")
_LAST_MS = 250_000_000_000_000  # calendars end; a time beyond is an error of its system

Name = tuple[str, str, str]  # order, RMA, unit


class Said(msgspec.Struct, frozen=True, order=True):
    """What a step says of the units themselves; one that knows the reason counts before any that does not."""

    knows: bool
    at_ms: int
    read_order: int
    step_id: str
    reason: str
    sku: str
    line_id: str
    quantity: int


class Found(msgspec.Struct, frozen=True, order=True):
    """What an inspection found."""

    at_ms: int
    read_order: int  # of two words under one time
    step_id: str
    disposition: str
    location: str


class Piece(msgspec.Struct, frozen=True):
    """Pieces that were counted without naming units; `rma_id` "" when only the order was known."""

    order_id: str
    rma_id: str
    said: Said
    found: Found


class Journal(msgspec.Struct, frozen=True):
    """What was read so far: as large as there are units, however many steps tell of them."""

    said: dict[Name, Said] = {}
    found: dict[Name, Found] = {}
    pieces: dict[str, Piece] = {}  # by step


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """Equal units, "" for what nobody told."""

    reason: str
    sku: str
    location: str
    disposition: str
    at_ms: int
    quantity: int


class Row(msgspec.Struct, frozen=True):
    """How many units have these values in common."""

    values: tuple[str, ...]
    units: int


def sources(rules: Merchant) -> frozenset[str]:
    """Whose inspections count for any order of the merchant; those of others move nothing and are not counted."""
    of_orders = [each for each in rules.models if each.location is None]
    named = {each.inspecting.source for each in (rules.model, *of_orders)}
    return frozenset({"returngo", "warehouse"}) if "either" in named else frozenset(named)


def gather(steps: Iterable[CaseStep], counting: frozenset[str]) -> Journal:
    """The journal's steps in any order; one that was written twice is one."""
    journal = Journal()
    for step in steps:
        if step.step == "learned" and step.what in ("requested", "inspected"):
            _learn(journal, step, counting)
    return journal


def _learn(journal: Journal, step: CaseStep, counting: frozenset[str]) -> None:
    named = step.unit_ids if step.rma_id else ()
    said = Said(
        step.reason is not None, step.at_ms, step.read_order, step.step_id, step.reason or "", step.sku or "",
        step.line_id or "", max(step.quantity or 1, 0) // max(len(named), 1),
    )  # fmt: skip
    found = None
    if step.disposition and step.what == "inspected" and step.actor in counting:
        found = Found(step.at_ms, step.read_order, step.step_id, step.disposition, step.location or "")
    for unit_id in named:
        name = (step.order_id, step.rma_id, unit_id)
        journal.said[name] = max(said, journal.said.get(name, said))
        if found is not None:
            journal.found[name] = max(found, journal.found.get(name, found))
    if not named and found is not None:
        known = journal.pieces.get(step.step_id)
        if known is None or said < known.said:  # a message that came twice is dated when it came first
            journal.pieces[step.step_id] = Piece(step.order_id, step.rma_id, said, found)


def inspected(journal: Journal) -> Iterator[Inspected]:
    """Every unit that was inspected, and the pieces that belong to none."""
    found, spare = _allotted(journal)
    for name, each in found.items():
        yield _inspected(journal.said[name], each, journal.said[name].quantity)
    for piece, quantity in spare:
        yield _inspected(piece.said, piece.found, quantity)


def _inspected(said: Said, found: Found, quantity: int) -> Inspected:
    return Inspected(
        reason=said.reason, sku=said.sku, location=found.location, disposition=found.disposition, at_ms=found.at_ms,
        quantity=quantity,
    )  # fmt: skip


def _allotted(journal: Journal) -> tuple[dict[Name, Found], list[tuple[Piece, int]]]:
    """The newest word on each unit, pieces included, and how many pieces of each count no unit is left for."""
    found, spare = dict(journal.found), list[tuple[Piece, int]]()
    orders = {piece.order_id for piece in journal.pieces.values()}
    units: dict[str, list[Name]] = {}
    for name in sorted(journal.said) if orders else ():
        if name[0] in orders:
            units.setdefault(name[0], []).append(name)
    taken: set[Name] = set()
    for piece in sorted(journal.pieces.values(), key=lambda each: each.found):
        left = piece.said.quantity
        fitting = [n for n in units.get(piece.order_id, ()) if n not in taken and _concerns(piece, n, journal.said[n])]
        for name in sorted(fitting, key=lambda n: _preference(piece, found.get(n))):
            if journal.said[name].quantity <= left:
                left -= journal.said[name].quantity
                taken.add(name)
                found[name] = max(piece.found, found.get(name, piece.found))
        if left > 0:
            spare.append((piece, left))
    return found, spare


def _concerns(piece: Piece, name: Name, said: Said) -> bool:
    if piece.rma_id not in ("", name[1]):
        return False
    return piece.said.line_id == said.line_id if piece.said.line_id else same_sku(piece.said.sku, said.sku)


def _preference(piece: Piece, known: Found | None) -> int:
    """First the units that were found alike, then those that nobody looked at."""
    return 1 if known is None else 0 if known.disposition == piece.found.disposition else 2


def counted(
    units: Iterable[Inspected], by: Sequence[Dimension], zone: ZoneInfo, since: date | None, until: date | None
) -> list[Row]:
    """Units by the chosen dimensions, inspected from `since` to `until`, both days included, where the merchant is.

    With a time among the dimensions in the order of the columns, else most units first.
    """
    counts: dict[tuple[str, ...], int] = {}
    for each in units:
        day = datetime.fromtimestamp(min(max(each.at_ms, 0), _LAST_MS) / 1000, zone).date()
        if each.quantity > 0 and (since or day) <= day <= (until or day):
            values = tuple(_value(each, dimension, day) for dimension in by)
            counts[values] = counts.get(values, 0) + each.quantity
    rows = [Row(values, units) for values, units in sorted(counts.items())]
    return rows if set(by) & set(TIMES) else sorted(rows, key=lambda row: -row.units)


def _value(unit: Inspected, dimension: Dimension, day: date) -> str:
    match dimension:
        case "day":
            return day.isoformat()
        case "week":
            return day.strftime("%G-W%V")
        case "month":
            return day.isoformat()[:7]
        case _:
            return str(getattr(unit, dimension))
