"""Tokens for Kafka: fetched once for all clients of a process, renewed while they count, and never told."""

import json
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from confluent_kafka import KafkaError

from ops.cli.settings import settings
from schemas import brokers, kafka, tokens
from schemas.brokers import Unreachable, reason
from schemas.endpoints import kafka_answers
from schemas.kafka import Cluster, aiokafka, librdkafka
from schemas.startup import CannotStart
from schemas.tokens import NoToken, Token, Tokens
from streams.shell.credentials import connection
from tests.integration.tokens import IdentityProvider, identity_provider

SECRET = "correct-horse-battery"
LOGIN = {
    "kafka_bootstrap": "127.0.0.1:1", "kafka_security_protocol": "sasl_ssl", "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_sasl_username": "me", "kafka_sasl_password": "env:K_SECRET",
}  # fmt: skip


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SECRET", SECRET)


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider(lambda _: SECRET, 300) as found:
        yield found


def told(url: str, **more: str) -> Cluster:
    return settings({**LOGIN, "kafka_oauth_token_url": url, **more}).kafka


def answering(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> None:
    monkeypatch.setattr(httpx.Client, "post", lambda *_, **__: answer)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_token_serves_every_library(provider: IdentityProvider) -> None:
    cluster = told(provider.url)
    first, second, third = librdkafka(cluster), aiokafka(cluster), connection(cluster)["broker_credentials"]
    assert first["sasl.mechanism"] == second["sasl_mechanism"] == third.mechanism.value == "OAUTHBEARER"
    assert third.protocol.value == "SASL_SSL"
    assert isinstance(third.ssl_context, ssl.SSLContext)
    assert second["sasl_oauth_token_provider"] is third.oauth_cb is kafka.tokens_of(cluster)
    assert not [name for name in {*first, *second} if "password" in name or "plain" in name]
    token, expires_at = first["oauth_cb"]("")
    assert first["oauth_cb"]("")[0] == token == provider.given[0][1]
    assert len(provider.given) == 1
    assert 290 < expires_at - time.time() <= 300


async def test_aiokafka_gets_the_same(provider: IdentityProvider) -> None:
    cluster = told(provider.url)
    token, _ = librdkafka(cluster)["oauth_cb"]("")
    assert await aiokafka(cluster)["sasl_oauth_token_provider"].token() == token


def test_the_next_token_is_asked_for_before_the_last_one_expires() -> None:
    clock, given = Clock(), iter("abc")
    source = Tokens(lambda: Token(next(given), 100.0), clock)
    assert source.due_in_seconds == 0.0
    source.renew()
    assert source.due_in_seconds == pytest.approx(70.0)
    clock.now += 80.0
    assert source.due_in_seconds == 0.0
    assert source._held is not None
    assert source._held[0].value == "a"
    source.renew()
    assert source.due_in_seconds == pytest.approx(70.0)


def test_a_token_counts_until_it_expires_whatever_becomes_of_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tokens, "_keep", lambda _: None)
    clock, answers = Clock(), [Token("a", 100.0)]

    def fetch() -> Token:
        if not answers:
            raise NoToken("the endpoint is away")
        return answers.pop()

    source = Tokens(fetch, clock)
    assert source.current() == ("a", 100.0)
    with pytest.raises(NoToken, match="is away"):
        source.renew()
    clock.now += 99.0
    assert source.current() == ("a", 1.0)
    clock.now += 2.0
    with pytest.raises(NoToken, match="has expired"):
        source.current()
    answers.append(Token("b", 100.0))
    source.renew()
    assert source.current() == ("b", 100.0)


def test_a_source_without_a_first_token_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tokens, "_keep", lambda _: None)
    answers: list[Any] = [NoToken("not yet"), Token("a", 9.0)]

    def fetch() -> Token:
        found = answers.pop(0)
        if isinstance(found, NoToken):
            raise found
        assert isinstance(found, Token)
        return found

    source = Tokens(fetch, Clock())
    with pytest.raises(NoToken, match="not yet"):
        source.current()
    assert source.current() == ("a", 9.0)


def test_what_the_endpoint_is_asked(provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    answer = provider.answer

    def seen(authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        asked.append(form)
        return answer(authorization, form)

    monkeypatch.setattr(provider, "answer", seen)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # this machine is always reached straight
    tokens.ask(told(provider.url, kafka_oauth_scope="kafka.write"))
    tokens.ask(told(provider.url))
    assert asked == [
        {"grant_type": ["client_credentials"], "scope": ["kafka.write"]},
        {"grant_type": ["client_credentials"]},
    ]


def test_a_secret_that_was_changed_is_taken_up(provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = told(provider.url)
    monkeypatch.setenv("K_SECRET", "the-one-before")
    with pytest.raises(NoToken, match="HTTP 401 invalid_client"):
        tokens.ask(cluster)
    monkeypatch.setenv("K_SECRET", SECRET)
    assert tokens.ask(cluster).seconds == 300.0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401, json={"error": "invalid_client", "error_description": SECRET}), "HTTP 401 invalid_client"),
        (httpx.Response(400, json={"error": f"{SECRET} is wrong"}), "HTTP 400"),
        (httpx.Response(502, text=f"<html>{SECRET}</html>"), "HTTP 502"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), "HTTP 302"),
        (httpx.Response(200, text="no json"), "without an access_token"),
        (httpx.Response(200, json=[1]), "without an access_token"),
        (httpx.Response(200, json={"access_token": f"a\n{SECRET}", "expires_in": 9}), "without an access_token"),
        (httpx.Response(200, json={"access_token": "", "expires_in": 9}), "without an access_token"),
        (httpx.Response(200, json={"access_token": SECRET}), "without expires_in"),
        (httpx.Response(200, json={"access_token": SECRET, "expires_in": 0}), "without expires_in"),
        (httpx.Response(200, json={"access_token": SECRET, "expires_in": True}), "without expires_in"),
        (httpx.Response(200, json={"access_token": SECRET, "expires_in": "soon"}), "without expires_in"),
    ],
)
def test_an_answer_without_a_token_is_told_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response, expected: str
) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(NoToken) as refused:
        tokens.ask(told("https://id.example/token"))
    assert (
        f"from https://id.example/token for me, got: {'an answer ' * expected.startswith('without')}{expected}"
        in str(refused.value)
    )
    assert SECRET not in str(refused.value)


def test_a_life_in_words_of_digits_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, httpx.Response(200, json={"access_token": "a.b-c", "expires_in": "3600"}))
    assert tokens.ask(told("https://id.example/token")) == Token("a.b-c", 3600.0)


def test_an_endpoint_that_is_away_keeps_a_process_from_starting_and_from_being_ready() -> None:
    cluster = told("http://127.0.0.1:9/token")
    expected = "expected a token for Kafka from http://127.0.0.1:9/token for me, got: "
    with pytest.raises(Unreachable, match=expected):
        brokers.ask(cluster, 30.0)
    assert expected in str(kafka_answers(cluster)())


def test_no_token_is_in_what_is_shown() -> None:
    assert SECRET not in repr(Token(SECRET, 9.0))
    assert SECRET not in json.dumps(str(Tokens(lambda: Token(SECRET, 9.0))))


def test_a_refused_token_is_called_one() -> None:
    refused = KafkaError(KafkaError._AUTHENTICATION, "invalid_token")
    assert "refuses the user or its token" in reason(told("https://id.example/token"), refused, [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "RETURNFLOW_KAFKA_SASL_MECHANISM=OAUTHBEARER: expected RETURNFLOW_KAFKA_OAUTH_TOKEN_URL as well"),
        ({"kafka_oauth_token_url": "http://id.example/token"}, "RETURNFLOW_KAFKA_OAUTH_TOKEN_URL: expected https://"),
        ({"kafka_oauth_token_url": "id.example"}, "RETURNFLOW_KAFKA_OAUTH_TOKEN_URL: expected http"),
        ({"kafka_oauth_token_url": f"https://u:{SECRET}@id.example/token"}, "without user and password"),
        ({"kafka_oauth_token_url": "https://169.254.169.254/token"}, "link-local"),
        ({"kafka_oauth_token_url": "https://id.example/token", "kafka_sasl_mechanism": "PLAIN"},
         "RETURNFLOW_KAFKA_OAUTH_TOKEN_URL: expected RETURNFLOW_KAFKA_SASL_MECHANISM=OAUTHBEARER as well"),
        ({"kafka_oauth_scope": "kafka", "kafka_sasl_mechanism": "PLAIN"}, "RETURNFLOW_KAFKA_OAUTH_SCOPE: expected"),
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_refused(given: dict[str, str], expected: str) -> None:
    with pytest.raises(CannotStart) as refused:
        settings({**LOGIN, **given})
    assert expected in str(refused.value)
    assert SECRET not in str(refused.value)
