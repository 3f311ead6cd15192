"""A change of a merchant's configuration as a fact: which keys, from which digest to which, and who made it.

No value is in it: the file holds them, and secrets are not even there.
"""

import msgspec

from schemas import ids
from schemas.merchant import Merchant
from schemas.merchant_values import differences
from schemas.numbers import Millis


class ConfigurationChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant is judged by other rules from now on.

    Told by the command that made the change and by the agent that took it up: the same change has the same id, and the
    one with a name in `by` says more. One that is made again after it was undone has another time."""

    fact_id: str
    merchant: str
    digest: str  # Merchant.digest of the rules that hold now
    before: str  # of those that held; "": there were none
    keys: tuple[str, ...]  # that take another effect, as `returnflow merchants show` names them
    changed_at_ms: Millis
    by: str = ""  # "": the file was changed, nobody said by whom


def changed(old: Merchant | None, new: Merchant, at_ms: int, by: str = "") -> ConfigurationChanged:
    """What is told of a change."""
    before = "" if old is None else old.digest
    return ConfigurationChanged(
        fact_id=ids.fact_id("configuration", new.merchant, before, new.digest),
        merchant=new.merchant, digest=new.digest, before=before, changed_at_ms=at_ms, by=by,
        keys=() if old is None else tuple(key for key, _, _ in differences(old, new)),
    )  # fmt: skip
