"""A scripted peer: drives a flow against answers that a test wrote down, without a network."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx
import msgspec

from sinks.contract import Change, ReadFlow

T = TypeVar("T")
Json = dict[str, Any]
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Talk(msgspec.Struct):
    """What was asked and answered, in order."""

    requests: list[httpx.Request]
    responses: list[httpx.Response]

    def names(self) -> list[str]:
        """GraphQL operation, or method and path."""
        return [_name(request) for request in self.requests]

    def variables(self, name: str) -> Json:
        """Variables of the last request of an operation."""
        found = [json.loads(r.content) for r in self.requests if _name(r) == name]
        variables: Json = found[-1]["variables"]
        return variables


def drive(flow: ReadFlow[T | Change], answers: Sequence[Answer]) -> tuple[T, Talk]:
    """As `drive_through`; fails when the flow leaves a change to others."""
    result, talk = drive_through(flow, answers)
    assert not isinstance(result, Change)
    return result, talk


def drive_through(flow: ReadFlow[T], answers: Sequence[Answer]) -> tuple[T, Talk]:
    """The flow's result and the talk; fails when the flow asks for more or less than there are answers."""
    talk = Talk([], [])
    left = list(answers)
    try:
        request = next(flow)
        while True:
            talk.requests.append(request)
            assert left, f"no answer is left for {_name(request)}"
            answer = left.pop(0)
            if isinstance(answer, Exception):
                request = flow.throw(answer)
                continue
            response = answer if isinstance(answer, httpx.Response) else answer(request)
            talk.responses.append(response)
            request = flow.send(response)
    except StopIteration as end:
        assert not left, f"{len(left)} answers were not asked for, after {talk.names()}"
        result: T = end.value
        return result, talk


def _name(request: httpx.Request) -> str:
    if request.url.path.endswith("/graphql.json"):
        return str(json.loads(request.content)["operationName"])
    return f"{request.method} {request.url.path}"
