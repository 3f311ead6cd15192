"""Exceptions as a reader of their topic knows them."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from streams.domain.output import Output
from streams.domain.state import Case
from tests.unit.domain.oracles import causes, of
from tests.unit.domain.told_run import Told


class Inbox:
    """The open ones by id, and how often each was raised, open or not."""

    def __init__(self) -> None:
        self.open: dict[str, ExceptionRaised] = {}
        self.repeats: dict[str, int] = {}

    def fork(self) -> Inbox:
        new = Inbox()
        new.open, new.repeats = dict(self.open), dict(self.repeats)
        return new

    def hear(self, made: Iterable[Output]) -> None:
        """EXC-4: opened once, each repetition counted and with something new to say, cleared only while open."""
        for output in made:
            record = output.record
            if isinstance(record, ExceptionRaised):
                known, count = self.open.get(record.exception_id), self.repeats.get(record.exception_id, 0)
                assert record.repeats == count + 1, "a repetition that was not counted"
                assert known is None or (known.type, known.since_ms) == (record.type, record.since_ms)
                self.open[record.exception_id], self.repeats[record.exception_id] = record, record.repeats
            elif isinstance(record, ExceptionCleared):
                raised = self.open.pop(record.exception_id, None)
                assert raised is not None, "cleared, but never raised"
                assert raised.type == record.type

    def agrees(self, case: Case | None) -> None:
        """What was told is what the row holds."""
        held = {} if case is None else case.notices
        assert {i: (r.type, r.rma_id) for i, r in self.open.items()} == {
            i: (n.type, n.rma_id) for i, n in held.items() if n.open
        }
        assert self.repeats == {i: n.repeats for i, n in held.items()}

    def caused(self, told: Told) -> None:
        """Every open one has its cause in the facts, and every cause there is open."""
        found = causes(told)
        raised = {of(record) for record in self.open.values()}
        assert raised <= found.may, f"raised without a cause: {sorted(raised - found.may)}"
        assert found.must <= raised, f"a cause that was not raised: {sorted(found.must - raised)}"
        for wrongs in found.some:
            assert raised & wrongs, f"none of these was raised: {sorted(wrongs)}"
