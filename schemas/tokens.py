"""The token with which every Kafka client of a process says who it is (OAUTHBEARER): fetched once for all of them from
the token endpoint of an identity provider (OAuth's client credentials), and renewed before it expires.

Asks the endpoint over HTTP, with the authorities and proxies of the usual variables, in a thread of its own.
"""

import asyncio
import functools
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import structlog
from aiokafka.abc import AbstractTokenProvider

from schemas import addresses, product, secrets
from schemas.kafka import Cluster

log = structlog.get_logger(__name__)
ANSWER_WITHIN_SECONDS = 5.0
AGAIN_SECONDS = 5.0  # between tries while the endpoint gives none
RENEWED_AFTER = 0.7  # of a token's life; librdkafka asks for the next one after 0.8
_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750
_ERROR = re.compile(r"[a-z_]{1,40}")  # the codes of RFC 6749; whatever else an answer holds is never told


class NoToken(ConnectionError):
    """No token that counts; the text says why and where, and repeats no secret. Kafka libraries take it for a
    connection that could not be made, and try again."""


class Token(msgspec.Struct, frozen=True):
    """`seconds`: how long it counts from when it was asked for."""

    value: str
    seconds: float

    def __repr__(self) -> str:
        return f"Token({self.seconds:g} s)"


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types
    """One for each cluster of a process. `current` answers at once, but for the first time."""

    def __init__(self, fetch: Callable[[], Token], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._first = threading.Lock()
        self._held: tuple[Token, float] | None = None  # and when it was asked for
        self._trouble: str | None = None

    def current(self) -> tuple[str, float]:
        """The token and for how many seconds it still counts; raises NoToken, and at first CannotStart."""
        with self._first:
            if self._held is None:
                self.renew()
                threading.Thread(target=self._keep, name="kafka-token", daemon=True).start()
        assert self._held is not None
        token, asked_at = self._held
        left = asked_at + token.seconds - self._monotonic()
        if left <= 0:
            raise NoToken(f"the token for Kafka has expired, {self._trouble or 'the next one is on its way'}")
        return token.value, left

    def renew(self) -> None:
        """Ask the endpoint; raises NoToken, and what was held is held on."""
        asked_at = self._monotonic()
        self._held, self._trouble = (self._fetch(), asked_at), None

    @property
    def due_in_seconds(self) -> float:
        """When the next one should be asked for."""
        if self._held is None:
            return 0.0
        token, asked_at = self._held
        return max(asked_at + RENEWED_AFTER * token.seconds - self._monotonic(), 0.0)

    def for_librdkafka(self, _: str) -> tuple[str, float]:
        """Its `oauth_cb`: the token and when it expires, in seconds of the wall clock."""
        value, left = self.current()
        return value, time.time() + left

    async def token(self) -> str:
        """What aiokafka asks for with every connection."""
        value, _ = await asyncio.to_thread(self.current)
        return value

    def _keep(self) -> None:
        while True:
            time.sleep(self.due_in_seconds)
            try:
                self.renew()
            except NoToken as error:
                if self._trouble is None:
                    log.warning("kafka_token_not_renewed", error=str(error))
                self._trouble = str(error)
                time.sleep(AGAIN_SECONDS)


@functools.cache
def of(cluster: Cluster) -> Tokens:
    """The one source of a process for this cluster."""
    return Tokens(functools.partial(ask, cluster))


def ask(cluster: Cluster) -> Token:
    """A new token from the endpoint; the secret is read each time, so a changed one is taken up. Raises NoToken."""
    assert cluster.token_url is not None
    assert cluster.username is not None
    assert cluster.password is not None
    form = {"grant_type": "client_credentials", **({"scope": cluster.scope} if cluster.scope else {})}
    here = addresses.is_loopback(cluster.token_url)  # reached straight, whatever proxies there are
    try:
        secret = secrets.resolve(cluster.password).get_secret_value()
        with httpx.Client(
            verify=httpx.create_ssl_context(),
            trust_env=not here,
            timeout=ANSWER_WITHIN_SECONDS,
            headers=product.HEADERS,
        ) as client:
            answer = client.post(cluster.token_url, data=form, auth=(cluster.username, secret))
    except secrets.SecretMissing as error:
        raise NoToken(f"no token for Kafka: {error}") from error
    except httpx.TransportError as error:
        raise _none(cluster, str(error) or type(error).__name__) from error
    return _token(cluster, answer)


def _token(cluster: Cluster, answer: httpx.Response) -> Token:
    try:
        body = answer.json()
    except ValueError:
        body = None
    told: dict[str, Any] = body if isinstance(body, dict) else {}
    if not answer.is_success:
        code = told.get("error")
        more = f" {code}" if isinstance(code, str) and _ERROR.fullmatch(code) else ""
        raise _none(cluster, f"HTTP {answer.status_code}{more}")
    value, seconds = told.get("access_token"), told.get("expires_in")
    if not isinstance(value, str) or _BEARER.fullmatch(value) is None:
        raise _none(cluster, "an answer without an access_token that is a bearer token")
    if isinstance(seconds, str) and seconds.isdecimal():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise _none(cluster, "an answer without expires_in, in seconds")
    return Token(value, float(seconds))


def _none(cluster: Cluster, got: str) -> NoToken:
    return NoToken(f"expected a token for Kafka from {cluster.token_url} for {cluster.username}, got: {got}")
