"""A case as it is stored: msgpack of arrays, without what the rest of it says already.

Ids of decisions are long, so an open decision is told by its place among all of them; they are only ever added at the
end. Rows are stored as arrays: a new field goes to the end, and tables are built anew where it has no sound default.
"""

import msgspec

from streams.domain.decided import Decision
from streams.domain.learnt import Learnt, Stamp
from streams.domain.state import Case, Notice, Sent, Waiting


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`due_ms` comes first, so that it can be read without the rest. `open`: by place in `decided`; None: emitted once,
    when it was decided."""

    due_ms: int | None
    learnt: Learnt
    decided: tuple[Decision, ...]
    open: dict[int, Sent | None]
    notices: dict[str, Notice]
    waiting: dict[str, Waiting]
    tag: str
    attention: bool
    announced: dict[str, str]
    limit_ms: int | None
    walked: bool
    tags_told: Stamp | None = None
    judged_by: str = ""
    erased_ms: int | None = None


class Due(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first field of a row."""

    due_ms: int | None


class Glance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A row of which only the end is decoded."""

    due_ms: int | None
    learnt: msgspec.Raw
    decided: msgspec.Raw
    open: msgspec.Raw
    notices: dict[str, Notice]
    waiting: msgspec.Raw
    tag: str
    attention: bool
    announced: msgspec.Raw
    limit_ms: int | None
    walked: bool
    tags_told: msgspec.Raw = msgspec.Raw(b"")
    judged_by: str = ""
    erased_ms: int | None = None


_ROWS = msgspec.msgpack.Decoder(Row)
_DUES = msgspec.msgpack.Decoder(Due)
_GLANCES = msgspec.msgpack.Decoder(Glance)
_ENCODE = msgspec.msgpack.Encoder().encode


def load(stored: bytes) -> Case:
    """Raises msgspec.DecodeError or ValidationError for what is no row."""
    row = _ROWS.decode(stored)
    open_ = {}
    for place, sent in row.open.items():
        decision = row.decided[place]
        open_[decision.decision_id] = sent or Sent(decision.decided_at_ms)
    return Case(
        row.due_ms, row.learnt, {d.decision_id: d for d in row.decided}, open_, row.notices, row.waiting, row.tag,
        row.attention, row.announced, row.limit_ms, row.walked, row.tags_told, row.judged_by,
        row.erased_ms,
    )  # fmt: skip


def dump(case: Case) -> bytes:
    """The very same bytes for the same case."""
    open_: dict[int, Sent | None] = {}
    if case.open:
        for place, (decision_id, decision) in enumerate(case.decided.items()):
            sent = case.open.get(decision_id)
            if sent is not None:
                open_[place] = None if sent.at_ms == decision.decided_at_ms and not sent.repeats else sent
    return _ENCODE(Row(
        case.due_ms, case.learnt, tuple(case.decided.values()), open_, case.notices, case.waiting, case.tag,
        case.attention, case.announced, case.limit_ms, case.walked, case.tags_told, case.judged_by,
        case.erased_ms,
    ))  # fmt: skip


def due(stored: bytes) -> int | None:
    """When the case wants to be looked at again."""
    return _DUES.decode(stored).due_ms


def stale(stored: bytes, digest: str) -> bool:
    """Whether something of the case is open, and it was judged by another configuration than this one."""
    seen = _GLANCES.decode(stored)
    return seen.judged_by != digest and not (seen.walked and not any(notice.open for notice in seen.notices.values()))
