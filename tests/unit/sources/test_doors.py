"""Who is let in: the proofs of each sender, and that nothing else is one."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from streams.sources.doors import Doors, Secrets, check_standard_secret, shopify_signature

SECRET = base64.b64encode(b"warehouse").decode()
DOORS = Doors(
    {"shop-a": Secrets(returngo_token=b"token", shopify=(b"new", b"old"), warehouse=(SECRET,)), "shop-b": Secrets()}
)


@pytest.mark.req("OPS-10")
def test_each_current_secret_opens() -> None:
    for secret in (b"new", b"old"):
        assert DOORS.shopify("shop-a", b"{}", {"x-shopify-hmac-sha256": shopify_signature(secret, b"{}").decode()})


@pytest.mark.req("OPS-10")
@given(st.text(max_size=60))
def test_nothing_guessed_opens(guess: str) -> None:
    for merchant in ("shop-a", "shop-b", "nobody"):
        assert not DOORS.shopify(merchant, b"{}", {"x-shopify-hmac-sha256": guess})
        assert guess == "token" or not DOORS.returngo(merchant, guess)
        headers = {"webhook-id": guess, "webhook-timestamp": guess, "webhook-signature": f"v1,{guess}"}
        assert not DOORS.warehouse(merchant, guess.encode(), headers)
        assert not DOORS.carrier(merchant, guess.encode(), headers)


@pytest.mark.req("OPS-10")
def test_a_merchant_without_a_door_has_no_way_in() -> None:
    empty_token = shopify_signature(b"no merchant has this secret", b"{}").decode()
    assert not DOORS.returngo("shop-b", "")
    assert not DOORS.returngo("shop-b", "no merchant has this secret")
    assert not DOORS.shopify("shop-b", b"{}", {"x-shopify-hmac-sha256": empty_token})


def test_a_signature_in_a_form_of_its_own_is_refused() -> None:
    now = datetime.now(UTC)
    headers = {"webhook-id": "1", "webhook-timestamp": str(int(now.timestamp()))}
    good = Webhook(SECRET).sign("1", now, "{}")
    assert DOORS.warehouse("shop-a", b"{}", {**headers, "webhook-signature": f"v2,x {good}"})
    for bad in ("", "v1", "v1,a,b", "v1,!!", "x"):
        assert not DOORS.warehouse("shop-a", b"{}", {**headers, "webhook-signature": bad})


@pytest.mark.parametrize("secret", ["", "whsec_", "a"])
def test_a_secret_of_another_form_is_told_at_the_start(secret: str) -> None:
    with pytest.raises(ValueError, match="Standard Webhooks secret"):
        check_standard_secret(secret)
