"""`decide_case`: learn → judge → act. The whole decision about one order and its returns."""

from msgspec.structs import replace

from schemas.exceptions import Evidence
from schemas.facts import DeadlineReached
from schemas.merchant import Merchant
from schemas.numbers import beyond
from streams.domain import absurd, act, erased, marks, notices, output, parcels, story, tags
from streams.domain.decided import Decision
from streams.domain.judge import Picture, judge, survey
from streams.domain.learn import Fact, learn, time_of
from streams.domain.output import Output
from streams.domain.state import Case


def decide_case(
    state: Case | None, fact: Fact, rules: Merchant, evidence: Evidence | None = None
) -> tuple[Case | None, list[Output]]:
    """The case after a fact and what follows from it; None: the case is over and forgotten.

    A fact that is known already changes nothing (the same object comes back) and re-emits what is still open.
    Raises nothing for facts that contradict each other: they become exceptions. One with a number beyond all sense is
    set aside as a whole, with an exception: nothing may move on the believable half of it.
    """
    if (problem := beyond(fact)) is not None:
        return state, [absurd.refused(fact, problem, time_of(fact), evidence)]
    if state is not None and state.erased_ms is not None:
        return state, erased.late(state, fact, evidence)
    if state is None and isinstance(fact, DeadlineReached):
        return None, []  # time alone makes no case: this one is over and forgotten, or is still to be built anew
    before = None if state is None else state.learnt
    learnt = learn(before, fact)
    known = learnt is before
    if state is not None and not known and (answered := act.answered(state, learnt, fact)) is not None:
        answered = tags.heard(answered, fact)
        if not tags.astray(answered, rules):
            return act.timed(answered, rules), []  # nobody judges by the marks that were left
    case = Case(None, learnt) if state is None else state if known else replace(state, learnt=learnt)
    case = case if known else tags.heard(case, fact)
    outputs = [] if known else [output.step(s) for s in story.learned(fact, before, case, evidence)]
    case, picture, made = _decide(case, rules)
    case = act.judged(case, picture)
    if act.expired(case):
        return None, outputs + notices.forgotten(case, evidence)
    case, emitted = act.settle(case, picture.seating.own)
    outputs += emitted
    learned, decided = len(outputs) - len(emitted), list(story.decided(made, case, evidence))
    outputs += [output.step(s) for s in decided]
    case, repeated = act.again(case, fact, rules, known=known)
    outputs += repeated
    case, noticed = notices.notice(case, picture.causes, rules, evidence)
    outputs += noticed
    if before is None or learnt.rmas is not before.rmas or learnt.order is not before.order:
        case, parcel = parcels.announced(case, picture.by_rma, fact)
        outputs += parcel
    waiting, steps = story.waiting(picture.standings, fact, case, rules, evidence)
    if steps or len(waiting) != len(case.waiting):
        case = replace(case, waiting=waiting)
        outputs += [output.step(s) for s in steps]
    if case.judged_by != rules.digest:
        told = story.judged_anew(case, rules.digest, fact, [*decided, *steps], evidence)
        outputs[learned:learned] = [output.step(s) for s in told]
        case = replace(case, judged_by=rules.digest)
    return act.timed(case, rules), outputs


def _decide(case: Case, rules: Merchant) -> tuple[Case, Picture, list[Decision]]:
    """Decides until nothing more follows: a decision changes where units stand."""
    made: list[Decision] = []
    while (seen := survey(case.learnt, case.decided, rules)).wanted:
        case, new = act.add(case, seen.wanted)
        if not new:
            break
        made += new
    picture = judge(seen, case.decided, rules)
    case = marks.marked(case, picture, rules)
    case, tagged = tags.tagged(case, picture, rules)
    case, _ = act.add(case, tagged)
    return case, picture, made
