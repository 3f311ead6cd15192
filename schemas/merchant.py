"""A merchant is configuration: the validated model of one `merchants/*.toml` file.

Secrets are references (`env:NAME`, `file:/path`), never values. What is not mapped here is an exception for a person,
never a default.
"""

import tomllib
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from schemas.exceptions import TYPES, Team
from schemas.facts import Disposition
from schemas.merchant_fields import DEFAULT_HOURS, Currency, Hours, Name, SecretRef, Url, Zone
from schemas.stock import StockStatus


class MerchantFileError(ValueError):
    """A merchant file that cannot be used: file, key, what came and what is allowed, one problem a line."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReturnGo(_Model):
    """How to reach ReturnGO for this merchant."""

    base_url: Url
    shop: str
    api_key: SecretRef
    webhook_token: SecretRef  # the unguessable part of our webhook address
    webhook_url: Url | None = None  # our gateway as ReturnGO reaches it; None: webhooks are not registered by us
    daily_calls: int = Field(default=2000, ge=100)
    money_reserve: int = Field(default=300, ge=0)  # calls of the day kept for the money path
    poll_seconds: int = Field(default=300, ge=1)
    overlap_seconds: int = Field(default=120, ge=0)
    coalesce_seconds: float = Field(default=5.0, ge=0)


class Shopify(_Model):
    """How to reach the Shopify shop."""

    base_url: Url  # https://<shop>.myshopify.com
    shop: str
    api_version: Literal["2026-04", "2026-07"] = "2026-04"
    access_token: SecretRef
    webhook_secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=2)  # new first, old during rotation
    gift_card_secret: SecretRef  # derives gift card codes, so a resend cannot issue twice
    webhook_url: Url | None = None  # our gateway as Shopify reaches it; None: subscriptions are not managed by us
    poll_seconds: int = Field(default=300, ge=1)
    overlap_seconds: int = Field(default=120, ge=0)
    coalesce_seconds: float = Field(default=1.0, ge=0)


class Warehouse(_Model):
    """The signed door for inspection and receipt events."""

    webhook_secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=2)


class Carrier(_Model):
    """The signed door for tracking events."""

    webhook_secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=2)


class Systems(_Model):
    returngo: ReturnGo | None = None
    shopify: Shopify | None = None
    warehouse: Warehouse | None = None
    carrier: Carrier | None = None


class Restocking(_Model):
    """When and by whom stock is put back."""

    actor: Literal["returnflow", "returngo", "pos"] = "returnflow"
    batch_seconds: float = Field(default=0.0, ge=0, le=10)  # restocks of so long go out together; 0: each at once
    damaged_to_stock: bool = True  # book damaged goods into the damaged state; False: into no stock at all


class Refunding(_Model):
    """When and by whom money is paid back."""

    actor: Literal["returnflow", "returngo", "pos"] = "returnflow"
    after: Literal["inspected", "restocked"] = "inspected"
    needs_transaction: bool = False  # wait until ReturnGO asks for the refund
    damaged_is_refunded: bool = True
    shipping: Literal["never", "full_return"] = "never"  # full_return: original shipping when everything comes back
    tolerance_minor: int = Field(default=0, ge=0)
    tenders: tuple[str, ...] = ("gift_card", "*")  # repaid in this order, "*" = any other
    store_credit: Literal["store_credit", "gift_card"] = "store_credit"


class Inspecting(_Model):
    """Whose inspection counts."""

    source: Literal["returngo", "warehouse", "either"] = "returngo"
    policy_days: int | None = Field(default=None, ge=1)  # window after the order, None: ReturnGO decides


class Bundles(_Model):
    returned: Literal["components", "bundle"] = "components"


class Model(_Model):
    """The operating model: what triggers what."""

    stock: Literal["shopify"] = "shopify"
    money: Literal["shopify"] = "shopify"
    inspecting: Inspecting = Inspecting()
    restocking: Restocking = Restocking()
    refunding: Refunding = Refunding()
    bundles: Bundles = Bundles()


class Location(_Model):
    """One place, as a source names it, and where its goods go. `code` "" = the source names none."""

    source: Literal["returngo", "warehouse", "shopify"]
    code: str
    disposition: Disposition | Literal["any"] = "any"
    system: Literal["shopify"] = "shopify"
    location_id: str
    active: bool = True


class Tags(_Model):
    """Tags that follow the return's life on the order; each stage replaces the one before."""

    in_transit: str = "return-in-transit"
    received: str = "return-received"
    inspected: str = "return-inspected"
    completed: str = "return-completed"
    attention: str = "return-attention"


class Merchant(_Model):
    """Everything that is decided per merchant."""

    merchant: Name
    time_zone: Zone
    currency: Currency
    systems: Systems
    model: Model = Model()
    locations: tuple[Location, ...] = ()
    dispositions: dict[Disposition, StockStatus] = {"sellable": "available", "damaged": "damaged"}
    hours: Hours = DEFAULT_HOURS
    command_seconds: float = Field(default=900, gt=0)  # a command without result is emitted again after this
    owners: dict[str, Team] = {}
    tags: Tags = Tags()

    @model_validator(mode="after")
    def _consistent(self) -> "Merchant":
        for kind in self.owners:
            if kind not in TYPES:
                raise ValueError(f"owners.{kind}: expected an exception type, one of {', '.join(sorted(TYPES))}")
        places = [(p.source, p.code, p.disposition) for p in self.locations]
        for place in places:
            if places.count(place) > 1:
                raise ValueError(
                    f"locations: {place} is mapped twice; expected one place per source, code, disposition"
                )
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def load(path: Path) -> Merchant:
    """One merchant file; raises MerchantFileError with every problem it has."""
    try:
        return Merchant.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise MerchantFileError(f"{path}: cannot be read ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise MerchantFileError(f"{path}: is not valid TOML: {error}") from error
    except ValidationError as error:
        raise MerchantFileError("\n".join(_problems(path, error))) from error


def load_all(folder: Path) -> dict[str, Merchant]:
    """Every `*.toml` of a folder by merchant name; raises MerchantFileError, also for none or two of one name."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise MerchantFileError(f"{folder}: expected at least one merchant file *.toml, found none")
    found: dict[str, Merchant] = {}
    for file in files:
        merchant = load(file)
        if merchant.merchant in found:
            raise MerchantFileError(f"{file}: merchant {merchant.merchant!r} is already in another file of {folder}")
        found[merchant.merchant] = merchant
    return found


def _problems(path: Path, error: ValidationError) -> list[str]:
    return [f"{path}: {_key(each)}: {_what(each)}" for each in error.errors(include_url=False)]


def _key(problem: ErrorDetails) -> str:
    return ".".join(str(part) for part in problem["loc"] if part != "[key]") or "file"


def _what(problem: ErrorDetails) -> str:
    """An unknown key may be a secret in the wrong place, so its value stays out as well."""
    match problem:
        case {"type": "extra_forbidden"}:
            return "there is no such key; expected one of those in schemas/merchant.py"
        case {"type": "secret"} | {"input": dict() | list() | BaseModel()}:
            return problem["msg"]
        case _:
            return f"{problem['msg']}, got {problem['input']!r}"
