"""A merchant is configuration: the validated model of one `merchants/*.toml` file.

Secrets are references (`env:NAME`, `file:/path`), never values. What is not mapped here is an exception for a person,
never a default.
"""

import functools
import tomllib
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from schemas import merchant_checks as checks
from schemas.exceptions import Team
from schemas.facts import Disposition
from schemas.merchant_fields import DEFAULT_HOURS, Currency, Hours, Name, SecretRef, Stage, Url, Zone
from schemas.merchant_model import Model, Section, SpecificModel, System
from schemas.stock import StockStatus
from schemas.working_hours import HOUR_MS, WorkingHours, reached_ms


class MerchantFileError(ValueError):
    """A merchant file that cannot be used: file, key, what came and what is allowed, one problem a line."""


class ReturnGo(Section):
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


class Shopify(Section):
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


class Warehouse(Section):
    """The signed door for inspection and receipt events."""

    webhook_secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=2)


class Carrier(Section):
    """The signed door for tracking events."""

    webhook_secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=2)


class Systems(Section):
    returngo: ReturnGo | None = None
    shopify: Shopify | None = None
    warehouse: Warehouse | None = None
    carrier: Carrier | None = None


class Location(Section):
    """One place, as a source names it, and where its goods go. `code` "" = the source names none."""

    source: Literal["returngo", "warehouse"] | System  # a system: it names the store of a sale
    code: str
    disposition: Disposition | Literal["any"] = "any"
    system: System | None = None  # None: whichever system keeps the stock of the line
    location_id: str
    active: bool = True
    zone: Literal["stock", "quarantine"] = "stock"  # nothing in quarantine is for sale


class ReasonRule(Section):
    """Where goods of a return reason go, in addition to what their disposition says."""

    reason: str  # the merchant's label, "*" = any other
    disposition: Disposition | Literal["any"] = "any"
    stock_status: StockStatus | None = None  # None: as the disposition says
    location_id: str | None = None  # None: as the location map says


class Tags(Section):
    """Tags that follow the return's life on the order; each stage replaces the one before."""

    in_transit: str = "return-in-transit"
    received: str = "return-received"
    inspected: str = "return-inspected"
    completed: str = "return-completed"
    attention: str = "return-attention"


class Merchant(Section):
    """Everything that is decided per merchant."""

    merchant: Name
    time_zone: Zone
    currency: Currency
    systems: Systems
    model: Model = Model()
    models: tuple[SpecificModel, ...] = ()  # what governs particular lines instead of `model`
    locations: tuple[Location, ...] = ()
    reasons: tuple[ReasonRule, ...] = ()  # none: reasons decide nothing; some: a reason without a rule is raised
    dispositions: dict[Disposition, StockStatus] = Field(default={"sellable": "available", "damaged": "damaged"})
    hours: Hours = DEFAULT_HOURS
    working: WorkingHours | None = None  # limits of people's stages count only these hours; None: by the clock
    command_seconds: float = Field(default=900, gt=0, le=604_800)  # a command without result is emitted again after it
    owners: dict[str, Team] = Field(default={})
    tags: Tags = Tags()

    @model_validator(mode="after")
    def _consistent(self) -> "Merchant":
        problems = [
            *checks.owners(self.owners), *checks.places(self.locations), *checks.reasons(self.reasons, self.locations),
            *checks.statuses(self.dispositions, self.reasons, (self.model, *self.models)),
            *checks.models(self.model, self.models),
        ]  # fmt: skip
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @functools.cached_property
    def places(self) -> dict[tuple[str, str], tuple[Location, ...]]:
        """Locations by who names them and how; the merchant's order is kept."""
        found: dict[tuple[str, str], tuple[Location, ...]] = {}
        for each in self.locations:
            found[each.source, each.code] = (*found.get((each.source, each.code), ()), each)
        return found

    def governing(self, system: str, source: str = "", store: str = "", location: str = "") -> Model:
        """The operating model of a line: sold in `system` through `source` at `store`, come back at `location`."""
        channels = (system, f"{system}/{source}")
        fitting = [each for each in self.models if each.governs(channels, store, location)]
        return max(fitting, key=lambda each: each.rank, default=self.model)

    def due_ms(self, since_ms: int, stage: Stage) -> int:
        """When the time limit of a stage is reached that began at `since_ms`."""
        if self.working is None or stage not in self.working.stages:
            return since_ms + int(self.hours[stage] * HOUR_MS)
        return reached_ms(since_ms, self.hours[stage], self.working, self.time_zone)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def batch_seconds(self, system: str) -> float:
        """How long restocks in that system may wait for each other: the shortest of its models' windows."""
        keeping = [each for each in (self.model, *self.models) if each.stock == system] or [self.model]
        return min(each.restocking.batch_seconds for each in keeping)


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
            return f"there is no such key; expected one of {', '.join(_keys_beside(problem['loc']))}"
        case {"type": "secret"} | {"input": dict() | list() | BaseModel()}:
            return problem["msg"].removeprefix("Value error, ")
        case _:
            return f"{problem['msg'].removeprefix('Value error, ')}, got {problem['input']!r}"


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed where an unknown one stands."""
    section: type[BaseModel] = Merchant
    for part in place[:-1]:
        if isinstance(part, str) and part in section.model_fields:
            section = _section(section.model_fields[part].annotation) or section
    return sorted(section.model_fields)


def _section(hint: object) -> type[BaseModel] | None:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for part in get_args(hint) if (found := _section(part)) is not None), None)
