"""Whole conversations, byte for byte. RETURNFLOW_GOLDEN=write rewrites the files; the difference is for review."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from sinks.systems import SYSTEMS
from sinks.systems.shopify.credit import gift_card_code
from tests.unit.systems.conversations import CONVERSATIONS, Conversation
from tests.unit.systems.givens import API_KEY, CARD_SECRET, COMMAND_ID, MERCHANT, SECRETS, TOKEN
from tests.unit.systems.peer import drive

FOLDER = Path(__file__).parents[2] / "golden"
CODE = gift_card_code(CARD_SECRET, COMMAND_ID)
HEADERS = {"content-type", "x-shopify-api-version", "retry-after", "date"}


def recorded(conversation: Conversation) -> str:
    system = SYSTEMS[conversation.system]
    connection = system.connect(MERCHANT, SECRETS.__getitem__)
    flow = system.flow(conversation.command, connection, MERCHANT, conversation.attempt)
    outcome, talk = drive(flow, conversation.answers)
    exchanges = [
        {"request": _request(request), "response": _response(response)}
        for request, response in zip(talk.requests, talk.responses, strict=True)
    ]
    named = {"is": type(outcome).__name__, **msgspec.to_builtins(outcome)}
    whole = {"system": conversation.system, "exchanges": exchanges, "outcome": named}
    return json.dumps(whole, indent=1, ensure_ascii=False).replace(CODE, "<gift card code>") + "\n"


def _request(request: httpx.Request) -> dict[str, Any]:
    headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
    body = json.loads(request.content) if request.content else None
    return {"method": request.method, "url": str(request.url), "headers": headers, "body": body}


def _response(response: httpx.Response) -> dict[str, Any]:
    headers = {name: value for name, value in response.headers.items() if name in HEADERS}
    body = json.loads(response.content) if response.content else None
    return {"status": response.status_code, "headers": headers, "body": body}


@pytest.fixture(scope="module", autouse=True)
def _written() -> None:
    if os.environ.get("RETURNFLOW_GOLDEN") != "write":
        return
    for path in FOLDER.glob("*/*.json"):
        path.unlink()
    for conversation in CONVERSATIONS:
        path = FOLDER / conversation.system / f"{conversation.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(recorded(conversation), encoding="utf-8")


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: f"{c.system}-{c.name}")
def test_conversations_are_as_recorded(conversation: Conversation) -> None:
    path = FOLDER / conversation.system / f"{conversation.name}.json"
    now = recorded(conversation)
    assert path.read_text(encoding="utf-8") == now, f"{path.name} differs: see it, then `make golden`"


def test_no_file_is_left_over() -> None:
    expected = {f"{c.system}/{c.name}.json" for c in CONVERSATIONS}
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json")} == expected


@pytest.mark.req("OPS-10")
def test_no_secret_and_no_gift_card_code_is_in_a_file() -> None:
    for path in FOLDER.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        for secret in (TOKEN, API_KEY, CARD_SECRET, CODE):
            assert secret not in text, path.name
