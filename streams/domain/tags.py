"""Tags that follow a return's life on its order (STA-1): each stage replaces the last, one more asks for a person.

A tag can be set again (a reopened return), so its command's generation counts how often it was set before. Tags are
state: an order that shows others of ours than it should have gets a command more, for a request without an answer can
still be carried out after the ones that followed it. Only tags that bear our names are looked at, on orders that we
have tagged; after a few times the order's word stands, because somebody wants it so.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from schemas.commands import CommandResult
from schemas.exceptions import TYPES
from schemas.merchant import Merchant
from streams.domain.decided import Marking, Said
from streams.domain.judge import Picture
from streams.domain.learn import Fact
from streams.domain.marking import mark, reachable
from streams.domain.own import Own
from streams.domain.standing import Standing, scanned
from streams.domain.state import Case

MOST_RIGHTED = 3  # times that one stage's tags are put right
_STAGES = ("in_transit", "received", "inspected", "completed")
_SUBJECT = "tag:"
_RIGHTED = "tag:as "  # and the stage


def tagged(case: Case, picture: Picture, rules: Merchant) -> tuple[Case, tuple[Marking, ...]]:
    """The case with its tags brought to the state of its returns, and the marks that do so."""
    order = case.learnt.order
    if order is None or not reachable(order, rules):
        return case, ()
    made: list[Marking] = []
    rma_id, stage = _furthest_behind(picture.by_rma)
    if stage != case.tag:
        names = _stages(rules)
        add = (names[_STAGES.index(stage)],) if stage else ()
        remove = tuple([tag for tag in names if tag not in add])
        case = replace(case, tag=stage)
        made.append(_mark(case, picture.seating.own, rma_id, _SUBJECT + (stage or "none"), add, remove))
    attention = any(TYPES[cause.type].severity != "info" for cause in picture.causes.values())
    if attention != case.attention:
        tag = (rules.tags.attention,)
        add, remove = (tag, ()) if attention else ((), tag)
        subject = "attention" if attention else "no attention"
        case = replace(case, attention=attention)
        made.append(_mark(case, picture.seating.own, "", _SUBJECT + subject, add, remove))
    if not made and astray(case, rules):
        made += _righted(case, picture.seating.own, rules)
    return case, tuple(made)


def heard(case: Case, fact: Fact) -> Case:
    """The case that remembers which version of the order was known when it heard of its tags."""
    if not isinstance(fact, CommandResult) or not _is_ours(case.decided.get(fact.command_id)):
        return case
    order = case.learnt.order
    return replace(case, tags_told=None if order is None else order.stamp)


def astray(case: Case, rules: Merchant) -> bool:
    """Whether the order shows other tags of ours than it should have, and shows them since our last command."""
    order = case.learnt.order
    if order is None or (not case.tag and not case.attention and not order.tags):
        return False
    shown = _alike(order.tags) & _alike(_names(rules))
    wanted = _alike(_wanted(case, rules))
    if shown == wanted:
        return False
    answers = [case.learnt.results.get(d.decision_id) for d in case.decided.values() if _is_ours(d)]
    told = [answer for answer in answers if answer is not None]
    # None: one is under way, and what the order shows is not the end of it
    if not told or len(told) < len(answers):
        return False
    last = max(told, key=lambda each: each.at_ms)
    if last.outcome == "rejected":  # raised, and not repeated
        return False
    # The shop's clock is not ours, so what was heard after the answer counts, too; but not an older version with tags
    # too many: it was read between our two requests, of which the first one adds.
    return order.stamp.at_ms > last.at_ms or (order.stamp != case.tags_told and not wanted <= shown)


def _alike(tags: Iterable[str]) -> set[str]:
    """A shop takes tags that differ in case for the same."""
    return {tag.casefold() for tag in tags}


def _righted(case: Case, own: Own, rules: Merchant) -> list[Marking]:
    subject = _RIGHTED + (case.tag or "none")
    if own.marks.get(("", subject), 0) >= MOST_RIGHTED:
        return []
    add = _wanted(case, rules)
    remove = tuple([tag for tag in dict.fromkeys(_names(rules)) if tag not in add])
    return [_mark(case, own, "", subject, add, remove)]


def _is_ours(decision: object) -> bool:
    return isinstance(decision, Marking) and decision.subject.startswith(_SUBJECT)


def _stages(rules: Merchant) -> tuple[str, ...]:
    return rules.tags.in_transit, rules.tags.received, rules.tags.inspected, rules.tags.completed


def _names(rules: Merchant) -> tuple[str, ...]:
    return *_stages(rules), rules.tags.attention


def _wanted(case: Case, rules: Merchant) -> tuple[str, ...]:
    stage = (_stages(rules)[_STAGES.index(case.tag)],) if case.tag else ()
    return (*stage, rules.tags.attention) if case.attention else stage


def _mark(case: Case, own: Own, rma_id: str, subject: str, add: tuple[str, ...], remove: tuple[str, ...]) -> Marking:
    system = "" if case.learnt.order is None else case.learnt.order.system
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
