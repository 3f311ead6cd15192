"""The gateway's doors: whether a webhook is from whom it says. Holds the secrets of all merchants in memory.

Every refusal is the same value, and an unknown merchant costs the same comparison, so a guesser learns nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from schemas.clock import CLOCK
from schemas.merchant import Merchant

# compared against when there is nothing to compare with
_NOBODY = b"no merchant has this secret"
Headers = Mapping[str, str]
Times = Callable[[], tuple[int, ...]]  # what time it may be, epoch milliseconds: see schemas.clock
RECENT_MS = 300_000  # as Standard Webhooks has it


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant's senders prove themselves with; empty where the merchant has no such sender."""

    returngo_token: bytes = b""
    shopify: tuple[bytes, ...] = ()
    warehouse: tuple[str, ...] = ()
    carrier: tuple[str, ...] = ()


class Doors:
    """Answers one question per sender: is this delivery authentic?"""

    def __init__(self, secrets: Mapping[str, Secrets], times_ms: Times = CLOCK.either_ms) -> None:
        self._secrets = secrets
        self._times_ms = times_ms

    def returngo(self, merchant: str, token: str) -> bool:
        """ReturnGO signs nothing: the unguessable end of its address is the proof, and the body only a signal."""
        expected = self._of(merchant).returngo_token
        return hmac.compare_digest(expected or _NOBODY, token.encode()) and bool(expected)

    def shopify(self, merchant: str, body: bytes, headers: Headers) -> bool:
        """Base64 HMAC-SHA256 over the raw body with any of the current secrets (two while they rotate)."""
        given = headers.get("x-shopify-hmac-sha256", "").encode()
        secrets = self._of(merchant).shopify
        matches = [hmac.compare_digest(shopify_signature(each, body), given) for each in secrets or (_NOBODY,)]
        return any(matches) and bool(secrets)

    def warehouse(self, merchant: str, body: bytes, headers: Headers) -> bool:
        """Signed as Standard Webhooks prescribes, which also refuses what is older than five minutes."""
        return self._signed(self._of(merchant).warehouse, body, headers)

    def carrier(self, merchant: str, body: bytes, headers: Headers) -> bool:
        """As `warehouse`."""
        return self._signed(self._of(merchant).carrier, body, headers)

    def _signed(self, secrets: tuple[str, ...], body: bytes, headers: Headers) -> bool:
        """The age of a message is looked at by every time that it may be: our clock may have been set, to the right
        time or away from it, and a sender whose messages we refuse for hours gives them up."""
        tried = secrets or (base64.b64encode(_NOBODY).decode(),)
        matches = sum(_verifies(each, body, headers) for each in tried) > 0 and bool(secrets)
        return matches and bool(headers.get("webhook-id")) and _recent(headers, self._times_ms())

    def _of(self, merchant: str) -> Secrets:
        return self._secrets.get(merchant, Secrets())


def shopify_signature(secret: bytes, body: bytes) -> bytes:
    """What Shopify puts into X-Shopify-Hmac-Sha256."""
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest())


def _verifies(secret: str, body: bytes, headers: Headers) -> bool:
    """Whether one of the signatures is of this secret. The library would look at the age by its own clock alone."""
    try:
        sent = datetime.fromtimestamp(float(headers.get("webhook-timestamp", "")), UTC)
        expected = Webhook(secret).sign(headers.get("webhook-id", ""), sent, body.decode()).encode()
    except (ValueError, OverflowError, OSError):  # a header or body that is not what a time, base64 or UTF-8 want
        return False
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return sum(hmac.compare_digest(expected, each) for each in given) > 0


def _recent(headers: Headers, times_ms: tuple[int, ...]) -> bool:
    sent_ms = float(headers["webhook-timestamp"]) * 1000
    return any(abs(now_ms - sent_ms) <= RECENT_MS for now_ms in times_ms)


def check_standard_secret(secret: str) -> None:
    """Raises ValueError when a secret is not base64, as Standard Webhooks wants it."""
    try:
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise ValueError("expected a Standard Webhooks secret: base64, with or without whsec_ in front") from error


def secrets_of(
    merchant: Merchant, resolve: Callable[[str], str], before: Secrets | None = None
) -> tuple[Secrets, list[str]]:
    """The secrets a merchant file refers to, and what is wrong with those that cannot be used; `resolve` reads one and
    raises ValueError. A sender whose secret cannot be read goes on with the one of `before`, if any."""
    systems, known, problems = merchant.systems, before or Secrets(), list[str]()
    shop, warehouse, carrier = systems.shopify, systems.warehouse, systems.carrier

    def read(key: str, references: tuple[str, ...], old: tuple[str, ...], *, standard: bool = False) -> tuple[str, ...]:
        try:
            found = tuple(resolve(each) for each in references)
            for each in found if standard else ():
                check_standard_secret(each)
        except ValueError as error:
            problems.append(f"systems.{key}: {error}")
            return old
        return found

    token = (systems.returngo.webhook_token,) if systems.returngo else ()
    old_token = (known.returngo_token.decode(),) if known.returngo_token else ()
    old_shop = tuple(each.decode() for each in known.shopify)
    doors = Secrets(
        returngo_token="".join(read("returngo.webhook_token", token, old_token)).encode(),
        shopify=tuple(
            each.encode() for each in read("shopify.webhook_secrets", shop.webhook_secrets if shop else (), old_shop)
        ),
        warehouse=read(
            "warehouse.webhook_secrets", warehouse.webhook_secrets if warehouse else (), known.warehouse, standard=True
        ),
        carrier=read(
            "carrier.webhook_secrets", carrier.webhook_secrets if carrier else (), known.carrier, standard=True
        ),
    )  # fmt: skip
    return doors, problems
