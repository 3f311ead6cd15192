"""Tags that follow a return's life on its order (STA-1): each stage replaces the last, one more asks for a person.

A tag can be set again (a reopened return), so its command's generation counts how often it was set before.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.exceptions import TYPES
from schemas.merchant import Merchant
from streams.domain.decided import Marking, Said
from streams.domain.judge import Picture
from streams.domain.marking import mark, reachable
from streams.domain.own import Own
from streams.domain.standing import Standing, scanned
from streams.domain.state import Case

_STAGES = ("in_transit", "received", "inspected", "completed")


def tagged(case: Case, picture: Picture, rules: Merchant) -> tuple[Case, tuple[Marking, ...]]:
    """The case with its tags brought to the state of its returns, and the marks that do so."""
    order = case.learnt.order
    if order is None or not reachable(order, rules):
        return case, ()
    made: list[Marking] = []
    rma_id, stage = _furthest_behind(picture.by_rma)
    if stage != case.tag:
        names = (rules.tags.in_transit, rules.tags.received, rules.tags.inspected, rules.tags.completed)
        add = (names[_STAGES.index(stage)],) if stage else ()
        remove = tuple([tag for tag in names if tag not in add])
        case = replace(case, tag=stage)
        made.append(_mark(case, picture.seating.own, rma_id, stage or "none", add, remove))
    attention = any(TYPES[cause.type].severity != "info" for cause in picture.causes.values())
    if attention != case.attention:
        tag = (rules.tags.attention,)
        add, remove = (tag, ()) if attention else ((), tag)
        subject = "attention" if attention else "no attention"
        case = replace(case, attention=attention)
        made.append(_mark(case, picture.seating.own, "", subject, add, remove))
    return case, tuple(made)


def _mark(case: Case, own: Own, rma_id: str, stage: str, add: tuple[str, ...], remove: tuple[str, ...]) -> Marking:
    subject, system = f"tag:{stage}", "" if case.learnt.order is None else case.learnt.order.system
    said = Said(aspect="tags", tags_add=add, tags_remove=remove)
    return mark(case, system, rma_id, subject, said, generation=own.marks.get((rma_id, subject), 0))


def _furthest_behind(by_rma: dict[str, list[Standing]]) -> tuple[str, str]:
    """(RMA, stage) of the return that is least far among those a carrier has seen; all closed: completed."""
    stages = []
    for rma_id, standings in by_rma.items():
        live = [s for s in standings if not s.seat.stopped]
        if live and (stage := _stage_of(live)):
            stages.append((_STAGES.index(stage), rma_id))
    if not stages:
        return "", ""
    position, rma_id = min(stages)
    return rma_id, _STAGES[position]


def _stage_of(standings: Sequence[Standing]) -> str:
    if all(s.closed for s in standings):
        return "completed"
    coming = [s.seat for s in standings if s.seat.unit.said.ships]
    if coming and all(s.found is not None or s.restocked == "elsewhere" for s in coming):
        return "inspected"
    if any(s.arrived is not None or s.found is not None for s in coming):
        return "received"
    return "in_transit" if any(scanned(s) for s in coming) else ""
