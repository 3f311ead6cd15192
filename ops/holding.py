"""Pauses by a person: what may be paused, the ledger's row, and the exception that tells of it.

Touches merchant files (reading), the ledger and Kafka. The row comes first when it pauses and when it resumes: it is
what the sinks go by, and a command that is run again tells what a broken one did not.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, make_url, select

from ops.lag import Lag
from ops.producing import tell
from schemas import exceptions, ids
from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.merchant_folder import MerchantFolder
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from schemas.topics import COMMAND_SYSTEMS, group_of
from sinks.ledger import engine as ledger_engine
from sinks.ledger import holds
from sinks.ledger.holds import Backlog, Hold
from sinks.ledger.pauses import EVERY_MERCHANT, EVERY_SYSTEM
from sinks.ledger.tables import paused

__all__ = ["Desk", "Hold", "Standing", "opened", "standing", "with_ledger"]
_KIND = "paused_by_a_person"
_SINKS = {group_of(f"sink {system}"): system for system in COMMAND_SYSTEMS}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A pause, whoever made it, and what waits for it in the ledger."""

    system: str
    merchant: str
    by: str
    why: str
    since_ms: int
    commands: int
    oldest_ms: int | None


class Desk:
    """Pauses and resumes, on an open ledger."""

    def __init__(self, settings: ProcessSettings, engine: Engine, codec: Codec, folder: MerchantFolder) -> None:
        self._settings = settings
        self._engine = engine
        self._codec = codec
        self._folder = folder

    def scope(
        self, system: str | None, merchant: str | None, *, why: str, by: str, at_ms: int, known: bool = True
    ) -> Hold:  # fmt: skip
        """What the options name; raises CannotStart for what there is not. `known`: whether it must be there still."""
        if system is None and merchant is None:
            raise CannotStart("expected --system, --merchant or both, got neither: say what is meant")
        if system is not None and system not in COMMAND_SYSTEMS:
            raise CannotStart(f"--system: expected one of {', '.join(COMMAND_SYSTEMS)}, got {system!r}")
        if known and merchant is not None:
            self._check(system, merchant)
        return Hold(system=system or EVERY_SYSTEM, merchant=merchant or EVERY_MERCHANT, why=why, by=by, since_ms=at_ms)

    def _check(self, system: str | None, merchant: str) -> None:
        """A merchant has a file, sound or not, or had one: then the ledger has commands of it."""
        files = self._folder.merchants.keys() | self._folder.troubles.keys()
        if merchant not in files and not self._run(lambda connection: holds.known(connection, [merchant])):
            there = ", ".join(sorted(files)) or "none"
            raise CannotStart(f"--merchant: expected one with a file or with commands ({there}), got {merchant!r}")
        sound = self._folder.merchants.get(merchant)
        used = sound.systems.model_dump(exclude_none=True).keys() if sound is not None else ()
        if sound is not None and system is not None and system not in {each.replace("_", "-") for each in used}:
            raise CannotStart(f"--system: expected a system of {merchant} ({', '.join(sorted(used))}), got {system!r}")

    def hold(self, wanted: Hold) -> Hold:
        """The hold as it stands now."""
        stands: Hold = self._run(lambda connection: holds.hold(connection, wanted))
        detail = f"{stands.what} is paused by {stands.by}: {stands.why}"
        self._tell(
            exceptions.raised(
                _KIND, exception_id=_exception_id(stands), merchant=stands.merchant, detail=detail,
                at_ms=stands.since_ms, system=None if stands.system == EVERY_SYSTEM else stands.system,
            )
        )  # fmt: skip
        return stands

    def resume(self, wanted: Hold) -> Hold | None:
        """The hold that is ended, None when there was none: then its exception is cleared all the same."""
        ended: Hold | None = self._run(
            lambda connection: holds.resume(connection, system=wanted.system, merchant=wanted.merchant)
        )
        why = f"resumed by {wanted.by}" + (f": {wanted.why}" if wanted.why else "")
        self._tell(
            ExceptionCleared(
                exception_id=_exception_id(wanted), type=_KIND, merchant=wanted.merchant,
                cleared_at_ms=wanted.since_ms, why=why,
            )
        )  # fmt: skip
        return ended

    def current(self) -> list[Hold]:
        """All holds."""
        found: list[Hold] = self._run(holds.current)
        return found

    def _run(self, operation: Any) -> Any:
        with self._engine.begin() as connection:
            return operation(connection)

    def _tell(self, record: ExceptionRaised | ExceptionCleared) -> None:
        what = "the exception (the ledger has the rest, so run the same command again)"
        tell(self._settings.kafka, self._codec, record, what)


@contextmanager
def opened(settings: ProcessSettings) -> Iterator[Desk]:
    """The desk, while the ledger is open; raises CannotStart."""
    folder = MerchantFolder(settings.merchants)
    for _ in range(2):  # a file counts once it has been seen twice alike
        folder.look()
    with ledger_engine.opened(settings.ledger_url) as engine:
        yield Desk(settings, engine, codec_from(settings.registry_url), folder)


def way_out(hold: Hold) -> str:
    """The command that ends it."""
    system = "" if hold.system == EVERY_SYSTEM else f" --system {hold.system}"
    return f"returnflow sink resume{system}" + (
        "" if hold.merchant == EVERY_MERCHANT else f" --merchant {hold.merchant}"
    )


def ways_out(current: list[Hold]) -> str:
    """What may be resumed, in words."""
    named = ", ".join(f"`{way_out(each)}`" for each in current)
    return f"What is paused ends with {named}." if named else "Nothing is paused by a person."


def _exception_id(hold: Hold) -> str:
    subject = f"hold {hold.system}"
    return ids.exception_id(merchant=hold.merchant, kind=_KIND, order_id="", rma_id="", subject=subject)


def standing(ledger_url: str) -> list[Standing]:
    """Everything that is paused, by people and by the sinks."""
    return _look(ledger_url)[0]


def _look(ledger_url: str) -> tuple[list[Standing], list[Backlog]]:
    """Pauses, and what is parked. Looking makes no ledger where none is."""
    address = make_url(ledger_url)
    if address.get_backend_name() == "sqlite" and address.database and not Path(address.database).exists():
        raise CannotStart(f"expected the ledger at {ledger_url}, found none; check RETURNFLOW_LEDGER_URL")
    with ledger_engine.opened(ledger_url) as engine, engine.begin() as connection:
        parked = holds.backlog(connection)
        return _standing(connection, parked), parked


def _standing(connection: Connection, parked: Sequence[Backlog]) -> list[Standing]:
    by_sinks = [
        Hold(system=row.system, merchant=row.merchant, by="returnflow", why=f"{row.code}: {row.detail}",
             since_ms=row.since_ms)
        for row in connection.execute(select(paused).order_by(paused.c.since_ms))
    ]  # fmt: skip
    found = []
    for each in [*holds.current(connection), *by_sinks]:
        mine = [one for one in parked if each.covers(one.system, one.merchant)]
        same = {name: getattr(each, name) for name in Hold.__struct_fields__}
        oldest = min((one.oldest_ms for one in mine), default=None)
        found.append(Standing(commands=sum(one.commands for one in mine), oldest_ms=oldest, **same))
    return found


def with_ledger(found: list[Lag], ledger_url: str) -> list[Lag]:
    """The lag with what the sinks have put aside: records that wait in the ledger, and whose system is paused."""
    if not any(each.group in _SINKS for each in found):
        return found
    standing, parked = _look(ledger_url)
    return [_beside(each, standing, parked) for each in found]


def _beside(each: Lag, standing: list[Standing], parked: list[Backlog]) -> Lag:
    system = _SINKS.get(each.group)
    if system is None:
        return each
    here = [one for one in parked if (one.system, one.topic, one.partition) == (system, each.topic, each.partition)]
    paused = sorted({one.merchant for one in standing if one.system in (EVERY_SYSTEM, system)})
    return msgspec.structs.replace(each, parked=sum(one.commands for one in here), paused=tuple(paused))
