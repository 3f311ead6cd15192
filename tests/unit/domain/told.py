"""What follows of a fact, in lines for a CX person: commands, exceptions, and what each unit waits for."""

import re
from collections.abc import Iterable
from typing import Any, assert_never

import msgspec

from schemas.commands import Annotate, Command, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.journal import CaseStep, ExpectedReturn
from schemas.money import Money
from streams.domain.output import Output
from tests.unit.domain.script import DAY_ONE, HOUR
from tests.unit.domain.world import World

# Said in every line or the same in every line; anything else that a record carries is shown.
_KNOWN = {"command_id", "merchant", "order_id", "decided_at_ms", "generation"}

LONG_ID = re.compile(r"[0-9a-f-]{24,}")

_OF_EXCEPTIONS = (
    "exception_id", "type", "owner", "severity", "detail", "next_step", "since_ms", "due_ms", "expected", "actual",
    "repeats", "actions", "system", "command_id",
)  # fmt: skip


def told(outputs: Iterable[Output]) -> list[str]:
    """Lines of what was emitted; the conversation between the two agents and plain history are left out."""
    return [text for output in outputs for text in _told(output.record)]


def every(outputs: Iterable[Output]) -> list[str]:
    """Every record with all its fields, for examples whose `shows` is `every record`; long ids are cut."""
    return [f"{type(output.record).__name__}: {_plain(output.record)}" for output in outputs]


def _plain(value: Any, name: str = "") -> str:
    if isinstance(value, msgspec.Struct):
        fields = ((f, getattr(value, f)) for f in value.__struct_fields__ if f != "merchant")
        return ", ".join(f"{f} {_plain(v, f)}" for f, v in fields if v not in (None, "", (), 0, {}))
    if isinstance(value, tuple):
        return "[" + ", ".join(_plain(each) for each in value) + "]"
    if name.endswith("_ms"):
        return f"{(value - DAY_ONE) / HOUR:g}h"
    return value[:8] if isinstance(value, str) and LONG_ID.fullmatch(value) else str(value)


def _told(record: Any) -> Iterable[str]:
    match record:
        case Restock() | Refund() | StoreCredit() | Exchange() | Annotate() | Journal():
            yield f"{_command(record)} [{record.system} {record.command_id[:8]}]"
        case ExceptionRaised():
            both = f" — expected {record.expected}, got {record.actual or 'nothing'}" if record.expected else ""
            again = f" (again, {record.repeats})" if record.repeats > 1 else ""
            about = _rest(record, *_OF_EXCEPTIONS)
            yield f"raised {record.type} for {record.owner}{again}: {record.detail}{both}{about}"
        case ExceptionCleared():
            yield f"cleared {record.type}"
        case ExpectedReturn():
            goods = ", ".join(f"{each.quantity} × {each.sku}" for each in record.lines)
            yield f"warehouses expect {goods}" + (
                f", tracking {record.tracking_number}" if record.tracking_number else ""
            )
        case CaseStep(waiting_for=held, unit_ids=units) if held is not None:
            yield f"{', '.join(units)}: waiting for {held.unblocked_by} ({held.guard}, {held.owner})"
        case CaseStep(step="closed", unit_ids=units):
            yield f"{', '.join(units)}: closed"


def _command(command: Command) -> str:
    match command:
        case Restock():
            text = f"restock {command.quantity} × {command.sku} as {command.stock_status} at {command.location_id}"
            text += ", in stock before" if command.stocked_before else ""
            said = ("quantity", "sku", "stock_status", "location_id", "item_id", "system", "stocked_before")
            return text + _rest(command, *said)
        case Refund():
            back = ", ".join(f"{_money(t.amount_minor, command.currency)} to {t.tender}" for t in command.tenders)
            text = f"refund {_money(command.amount_minor, command.currency)}: {back}"
            off = sum(each.minor for each in command.leeways)
            text += f", {_money(off, command.currency)} of rounding" if off else ""
            return text + _rest(command, "amount_minor", "currency", "tenders", "system", "leeways")
        case StoreCredit():
            text = f"issue {command.form} of {_money(command.amount_minor, command.currency)} to {command.customer_id}"
            return text + _rest(command, "form", "amount_minor", "currency", "customer_id", "system")
        case Exchange():
            return "release the exchange" + _rest(command, "system")
        case Journal():
            tax = _money(command.tax_minor, command.currency)
            text = f"book {_money(command.amount_minor, command.currency)}, tax {tax}"
            return text + _rest(command, "amount_minor", "tax_minor", "currency", "system")
        case Annotate():
            tags = "".join(f" +{tag}" for tag in command.tags_add) + "".join(f" −{tag}" for tag in command.tags_remove)
            return f"mark {command.aspect}{tags}" + _rest(command, "aspect", "tags_add", "tags_remove", "system")
        case _:
            assert_never(command)


def _rest(record: msgspec.Struct, *said: str) -> str:
    """Every field that the sentence does not say and that is not empty."""
    currency = getattr(record, "currency", "")
    parts = []
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name not in _KNOWN and name not in said and value not in (None, "", (), 0, {}):
            parts.append(f"{name.removesuffix('_minor').replace('_', ' ')} {_value(name, value, currency)}")
    return "; " + "; ".join(parts) if parts else ""


def _value(name: str, value: Any, currency: str) -> str:
    if name.endswith("_minor"):
        return _money(value, currency)
    if name == "lines":
        return ", ".join(f"{s.quantity} × {s.line_id} {_money(s.amount_minor, currency)}" for s in value)
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    if isinstance(value, msgspec.Struct):
        named = ((n, getattr(value, n)) for n in value.__struct_fields__)
        return " ".join(f"{n}={v}" for n, v in named if v is not None)
    return str(value)


def _money(minor: int, currency: str) -> str:
    return str(Money(minor=minor, currency=currency))


def end(world: World) -> list[str]:
    """Where everything stands after the last fact."""
    case = world.case
    stages = sorted((s.seat.unit.unit_id, s.stage) for s in world.standings())
    still = sorted(n.type for n in case.notices.values() if n.open) if case else []
    waits = {key.partition("/")[2]: w.guard for key, w in case.waiting.items()} if case else {}
    lines = [f"{name}: {stage}" + (f", waits for {waits[name]}" if waits.get(name) else "") for name, stage in stages]
    return [*lines, "open exceptions: " + (", ".join(still) or "none")]
