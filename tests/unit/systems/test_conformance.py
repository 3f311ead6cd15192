"""What every system under sinks/systems must keep: one suite over the registry, so a new folder is held to it too."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import httpx
import msgspec
import pytest

from schemas.commands import kind_of
from schemas.exceptions import TYPES
from sinks.contract import EFFECT, OPERATION, Limit, NotSent, System, Unanswered
from sinks.outcomes import Misconfigured, Outcome, Rejected
from sinks.systems import SYSTEMS
from tests.unit.systems.conversations import CONVERSATIONS, Conversation
from tests.unit.systems.givens import API_KEY, CARD_SECRET, FIRST, MERCHANT, SECRETS, TOKEN, again
from tests.unit.systems.peer import Talk, drive

SECTIONS = ("Read", "Access", "Limits", "Commands", "Once", "Errors", "Reads", "Quirks", "Open points")
MOST_REQUESTS = 12  # of one attempt at one command
SYSTEM_NAMES = sorted(SYSTEMS)
every_conversation = pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: f"{c.system}-{c.name}")


def system_of(conversation: Conversation) -> System:
    return SYSTEMS[conversation.system]


def flow_outcome(conversation: Conversation, answer: httpx.Response | Exception) -> Iterator[Outcome | Exception]:
    """How the flow ends when its 1st, 2nd … request gets this answer in the place of the recorded one."""
    for position in range(len(conversation.answers)):
        answers = [*conversation.answers[:position], answer]
        system = system_of(conversation)
        connection = system.connect(MERCHANT, SECRETS.__getitem__)
        flow = system.flow(conversation.command, connection, MERCHANT, conversation.attempt)
        try:
            end: tuple[Outcome, Talk] = drive(flow, answers)
        except (NotSent, Unanswered, AssertionError) as error:
            yield error
        else:
            yield end[0]


def test_the_registry_has_every_folder_and_no_other() -> None:
    root = Path(str(resources.files("sinks.systems")))
    folders = {path.parent.name for path in root.glob("*/__init__.py")}
    assert folders == set(SYSTEMS)
    assert all(SYSTEMS[name].name == name for name in SYSTEMS)


@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_a_readme_tells_what_a_newcomer_must_know(name: str) -> None:
    text = resources.files("sinks.systems").joinpath(name, "README.md").read_text(encoding="utf-8")
    missing = [section for section in SECTIONS if f"\n## {section}\n" not in text]
    assert not missing
    assert "exactly once" not in text.lower()


@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_every_kind_that_a_system_handles_has_a_conversation(name: str) -> None:
    assert {kind_of(c.command) for c in CONVERSATIONS if c.system == name} == SYSTEMS[name].handles


@every_conversation
def test_a_conversation_is_short_names_its_requests_and_asks_before_it_writes_again(conversation: Conversation) -> None:
    system = system_of(conversation)
    connection = system.connect(MERCHANT, SECRETS.__getitem__)
    costs = {limit.name for limit in system.limits(connection)}
    flow = system.flow(conversation.command, connection, MERCHANT, conversation.attempt)
    _, talk = drive(flow, conversation.answers)
    assert len(talk.requests) <= MOST_REQUESTS
    for request in talk.requests:
        assert request.extensions[OPERATION]
        assert set(system.cost(request)) == costs
    if conversation.attempt.first_sent_ms is not None:
        assert EFFECT not in talk.requests[0].extensions


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_an_effect_that_cannot_simply_be_repeated_is_looked_for_first(name: str) -> None:
    repeatable = {"annotate-tags"}
    for conversation in CONVERSATIONS:
        if conversation.system != name or conversation.name in repeatable:
            continue
        connection = SYSTEMS[name].connect(MERCHANT, SECRETS.__getitem__)
        first = next(SYSTEMS[name].flow(conversation.command, connection, MERCHANT, again()))
        assert EFFECT not in first.extensions, conversation.name


@every_conversation
def test_a_lost_answer_never_looks_like_a_success_or_a_refusal(conversation: Conversation) -> None:
    for outcome in flow_outcome(conversation, Unanswered()):
        assert not isinstance(outcome, Rejected | Misconfigured), outcome
    for outcome in flow_outcome(conversation, NotSent("no quota")):
        assert not isinstance(outcome, Rejected | Misconfigured), outcome


@every_conversation
def test_a_fault_of_the_system_is_nobodys_data_fault(conversation: Conversation) -> None:
    for status in (500, 503):
        for outcome in flow_outcome(conversation, httpx.Response(status)):
            assert not isinstance(outcome, Rejected | Misconfigured), outcome


@every_conversation
def test_lost_credentials_pause_or_leave_it_open_and_dead_letter_nothing(conversation: Conversation) -> None:
    ends = list(flow_outcome(conversation, httpx.Response(401)))
    assert isinstance(ends[0], Misconfigured)
    assert not any(isinstance(end, Rejected) for end in ends)


@every_conversation
def test_rejections_are_known_types_and_nothing_secret_is_told(conversation: Conversation) -> None:
    system = system_of(conversation)
    connection = system.connect(MERCHANT, SECRETS.__getitem__)
    flow = system.flow(conversation.command, connection, MERCHANT, conversation.attempt)
    outcome, _ = drive(flow, conversation.answers)
    if isinstance(outcome, Rejected):
        assert outcome.code in TYPES
    told = msgspec.json.encode(outcome).decode() + repr(connection)
    for secret in (TOKEN, API_KEY, CARD_SECRET):
        assert secret not in told


@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_commands_of_another_kind_are_refused_without_a_request(name: str) -> None:
    foreign = [c.command for c in CONVERSATIONS if kind_of(c.command) not in SYSTEMS[name].handles]
    for command in foreign:
        connection = SYSTEMS[name].connect(MERCHANT, SECRETS.__getitem__)
        outcome, _ = drive(SYSTEMS[name].flow(command, connection, MERCHANT, FIRST), [])
        assert isinstance(outcome, Rejected)


@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_limits_are_named_once_and_bounded(name: str) -> None:
    limits: list[Limit] = list(SYSTEMS[name].limits(SYSTEMS[name].connect(MERCHANT, SECRETS.__getitem__)))
    assert limits
    assert len({limit.name for limit in limits}) == len(limits)
    for limit in limits:
        assert limit.capacity > limit.reserve >= 0
        assert (limit.per_second > 0) != (limit.period_seconds is not None)
