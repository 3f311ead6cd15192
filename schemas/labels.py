"""Short texts of facts that a person may have typed: only a merchant's own words enter as they are. Pure.

Reasons, carriers and tags come from lists that a merchant keeps, but nothing keeps a customer, a till or a warehouse
from writing something else there. What the merchant file does not name enters as a stable id: it can be counted and
told apart, and once the file names its text, rules find it. It cannot be read.
"""

import hashlib
import re
from collections.abc import Collection, Iterable

OTHER = "other-"
_STABLE = re.compile(rf"{OTHER}[0-9a-f]{{12}}")
_CHANNELS = frozenset({
    "web", "pos", "iphone", "android", "shopify_draft_order", "subscription_contract", "checkout_one",
    "subscription_contract_checkout_one", "buy_button", "amazon", "ebay", "facebook", "instagram", "google",
    "tiktok", "exchange",
})  # fmt: skip
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]*(?: [A-Za-z0-9./_-]+)*")
_LONGEST_NUMBER = 64
_LONGEST_LETTERS = 2  # a run of more letters beside a blank is a word: numbers are written in groups of a few
# A portal offers these, or lets a customer write what they like.
_CARRIERS = frozenset({
    "amazon", "aramex", "australia post", "bluedart", "bpost", "bring", "canada post", "chronopost", "colissimo",
    "correos", "courierguy", "ctt", "dachser", "dao", "dhl", "dhl express", "dpd", "dtdc", "evri", "fastway", "fedex",
    "geodis", "gls", "hermes", "inpost", "la poste", "lasership", "mondial relay", "nz post", "ontrac", "parcelforce",
    "poczta polska", "post", "posten", "posti", "postnl", "postnord", "pudo", "purolator", "royal mail", "sendle",
    "seur", "sf express", "skynet", "startrack", "swiss post", "the courier guy", "tnt", "toll", "ups", "usps",
    "whistl", "yodel", "yunexpress", "zeleris",
})  # fmt: skip


def plain(text: str) -> str:
    """As labels are compared: whatever the case, and however it is spaced."""
    return " ".join(text.split()).casefold()


def stable(text: str) -> str:
    """What stands for a text that nobody may read."""
    return OTHER + hashlib.sha256(plain(text).encode()).hexdigest()[:12]


def kept(text: str | None, known: Collection[str]) -> str | None:
    """The text where the merchant knows it (`known`, as `plain` gives them), else its stable id."""
    if text is None or plain(text) in known or _STABLE.fullmatch(text):
        return text
    return stable(text)


def same(label: str, said: str) -> bool:
    """Whether a fact's text is this label, or stands for it."""
    return said == label or (said.startswith(OTHER) and said == stable(label))


def among(label: str, said: Iterable[str]) -> bool:
    """Whether the label is one of a fact's texts."""
    return any(same(label, each) for each in said)


def channel(text: str | None, known: Collection[str]) -> str | None:
    """A way of selling that the shop's platform or the merchant names, or the number of an app; else its stable id."""
    return text if text is None or text.isdigit() or plain(text) in _CHANNELS else kept(text, known)


def carrier(text: str | None, known: Collection[str]) -> str | None:
    """A carrier that is known to us or to the merchant, else the stable id of what was written."""
    return text if text is not None and plain(text) in _CARRIERS else kept(text, known)


def number(text: str | None) -> str | None:
    """A parcel's number as it is; what was written in its place is its stable id, the same at every door."""
    if text is None:
        return None
    fits = len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) and any(each.isdigit() for each in text)
    words = [run for part in text.split() for run in re.findall("[A-Za-z]+", part)] if " " in text else []
    return text if fits and all(len(each) <= _LONGEST_LETTERS for each in words) else stable(text)
