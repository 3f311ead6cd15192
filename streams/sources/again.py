"""Resources to read again later, because now it cannot be done: our code fails on them, nobody has a file for their
merchant, or the day has no calls for them. They wait in the ledger, so their records are settled and hold up nobody.
Touches SQL."""

import msgspec

from schemas.clock import ahead
from streams.sources.memory import Memory
from streams.sources.work import Resource

FIRST_MS = 30_000
LONGEST_MS = 6 * 3_600_000
LEFT_OUT_MS = 900_000
AT_ONCE = 50


class AgainNote(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that waits; its merchant is the note's."""

    kind: str
    name: str
    tries: int
    due_ms: int
    left_out: bool = False  # nothing is wrong with it: it gave way when the calls of the day grew short

    def due(self, now_ms: int) -> bool:
        """Whether its time has come; no wait is longer than it was when it began."""
        longest_ms = LEFT_OUT_MS if self.left_out else _wait_ms(self.tries - 1)
        return self.due_ms <= now_ms or ahead(self.due_ms, now_ms, longest_ms)


Notes = dict[str, str | None]


def name_of(resource: Resource) -> str:
    """Where it waits."""
    return f"again:{resource}"


class Again:
    """The list of one system."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def later(self, resource: Resource, now_ms: int) -> Notes:
        """The note that puts it off: half a minute, and twice as long with each try, up to six hours."""
        known = (await self._memory.notes(resource.merchant, [name_of(resource)])).get(name_of(resource))
        tries = msgspec.json.decode(known, type=AgainNote).tries if known else 0
        return _note(resource, tries + 1, now_ms + _wait_ms(tries))

    def left_out(self, resource: Resource, now_ms: int) -> Notes:
        """The note of one that gave way to others."""
        return _note(resource, 0, now_ms + LEFT_OUT_MS, left_out=True)

    def at_once(self, resource: Resource) -> Notes:
        """The note of one that nothing is wrong with: it is read when somebody can."""
        return _note(resource, 0, 0)

    async def due(self, merchant: str, now_ms: int, *, left_out: bool | None = None) -> list[Resource]:
        """A merchant's resources whose time has come, some at a time; `left_out`: only those, or only the others."""
        listed = await self._memory.listed(merchant, "again:", AT_ONCE)
        notes = [msgspec.json.decode(each, type=AgainNote) for each in listed.values()]
        if len(listed) == AT_ONCE:  # the next look begins behind them, or they would hold up the others
            await self._memory.touch(merchant, list(listed))
        due = [each for each in notes if each.due(now_ms) and left_out in (None, each.left_out)]
        return [msgspec.convert({"merchant": merchant, "kind": each.kind, "name": each.name}, Resource) for each in due]


def _wait_ms(tries: int) -> int:
    return min(FIRST_MS << min(max(tries, 0), 20), LONGEST_MS)


def _note(resource: Resource, tries: int, due_ms: int, *, left_out: bool = False) -> Notes:
    note = AgainNote(kind=resource.kind, name=resource.name, tries=tries, due_ms=due_ms, left_out=left_out)
    return {name_of(resource): msgspec.json.encode(note).decode()}
