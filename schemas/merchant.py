"""A merchant is configuration: the validated model of one `merchants/*.toml` file.

Secrets are references (`env:NAME`, `file:/path`), never values. What is not mapped here is an exception for a person,
never a default.
"""

import functools
import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from schemas import merchant_checks as checks
from schemas.addresses import leaves_plainly
from schemas.exceptions import Team
from schemas.facts import Disposition
from schemas.labels import plain, stable
from schemas.merchant_fields import DEFAULT_HOURS, Currency, Hours, Name, Owner, SecretRef, Stage, Url, Zone
from schemas.merchant_model import Model, Section, SpecificModel, System
from schemas.merchant_problems import problems
from schemas.stock import StockStatus
from schemas.working_hours import HOUR_MS, WorkingHours, reached_ms


class MerchantFileError(ValueError):
    """A merchant file that cannot be used: file, key, what came and what is allowed, one problem a line."""


class Reached(Section):
    """Where a system is, and where it reaches us."""

    base_url: Url
    webhook_url: Url | None = None  # our gateway as the system reaches it; None: its webhooks are not managed by us
    plain_http: bool = False  # http:// may lead to another machine: anyone on the way reads tokens and orders

    @model_validator(mode="after")
    def _encrypted(self) -> "Reached":
        for key in () if self.plain_http else ("base_url", "webhook_url"):
            url = getattr(self, key)
            if url is not None and leaves_plainly(url):
                raise ValueError(
                    f"{key}: expected https://, got {url}, which anyone on the way reads; plain_http = true allows it"
                )
        return self


class ReturnGo(Reached):
    """How to reach ReturnGO for this merchant."""

    shop: str
    api_key: SecretRef
    webhook_token: SecretRef  # the unguessable part of our webhook address
    # Whose calls of the day they are: ReturnGO grants them to an owner, who may have several stores. Files with one
    # owner share them; "" is the owner of `api_key`. A name for people and metrics, never the key itself.
    budget_owner: Owner = ""
    # A day is a UTC day, which is our reading: ReturnGO does not say when its day begins.
    daily_calls: int = Field(default=2000, ge=100)  # of the owner; more for those who bought more
    money_reserve: int = Field(default=300, ge=0)  # calls of the day kept for the money path
    poll_seconds: int = Field(default=900, ge=1)  # each costs a call of the day
    overlap_seconds: int = Field(default=120, ge=0)
    coalesce_seconds: float = Field(default=5.0, ge=0)

    @model_validator(mode="after")
    def _pages_have_calls(self) -> "ReturnGo":
        if self.money_reserve >= self.daily_calls:
            raise ValueError(
                f"money_reserve: expected less than daily_calls, {self.daily_calls}, got {self.money_reserve}: the "
                "lists of changes would never be read"
            )
        return self


class Shopify(Reached):
    """How to reach the Shopify shop; `base_url` is https://<shop>.myshopify.com."""

    shop: str
    api_version: Literal["2026-04", "2026-07"] = "2026-04"
    access_token: SecretRef
    webhook_secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=2)  # new first, old during rotation
    gift_card_secret: SecretRef  # derives gift card codes, so a resend cannot issue twice
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

    source: Literal["returngo", "warehouse", System]  # a system: it names the store of a sale
    code: str
    disposition: Literal[Disposition, "any"] = "any"
    system: System | None = None  # None: whichever system keeps the stock of the line
    location_id: Annotated[str, Field(min_length=1)]
    active: bool = True
    zone: Literal["stock", "quarantine"] = "stock"  # nothing in quarantine is for sale


Label = Annotated[str, Field(min_length=1, max_length=200)]


class ReasonRule(Section):
    """Where goods of a return reason go, in addition to what their disposition says."""

    reason: str  # the merchant's label, "*" = any other
    disposition: Literal[Disposition, "any"] = "any"
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
    labels: tuple[Label, ...] = ()  # further texts of the merchant's own lists that may stand in facts: reasons, …

    @model_validator(mode="after")
    def _consistent(self) -> "Merchant":
        problems = [
            *checks.owners(self.owners), *checks.places(self.locations), *checks.reasons(self.reasons, self.locations),
            *checks.statuses(self.dispositions, self.reasons, (self.model, *self.models)),
            *checks.models(self.model, self.models),
        ]  # fmt: skip
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @functools.cached_property
    def places(self) -> dict[tuple[str, str], tuple[Location, ...]]:
        """Locations by who names them and how; the merchant's order is kept."""
        found: dict[tuple[str, str], tuple[Location, ...]] = {}
        for each in self.locations:
            found[each.source, each.code] = (*found.get((each.source, each.code), ()), each)
        return found

    @functools.cached_property
    def known_labels(self) -> frozenset[str]:
        """Every text that the file names as the merchant's own, as schemas.labels compares them."""
        models = (self.model, *self.models)
        tags = [tag for each in models for tag in (*each.exchanges.tags, each.exchanges.mark)]
        stages = self.tags.model_dump().values()
        named = [*self.labels, *(each.reason for each in self.reasons), *tags, *stages, *self._sources.values()]
        return frozenset(plain(each) for each in named if each)

    @functools.cached_property
    def _sources(self) -> dict[str, str]:
        """Ways of selling that models name, by what stands for them in a fact that was read before they did."""
        named = [each.channel.partition("/")[2] for each in self.models if each.channel]
        return {stable(each): each for each in named if each}

    def governing(self, system: str, source: str = "", store: str = "", location: str = "") -> Model:
        """The operating model of a line: sold in `system` through `source` at `store`, come back at `location`."""
        channels = (system, f"{system}/{self._sources.get(source, source)}")
        fitting = [each for each in self.models if each.governs(channels, store, location)]
        return max(fitting, key=lambda each: each.rank, default=self.model)

    def due_ms(self, since_ms: int, stage: Stage) -> int:
        """When the time limit of a stage is reached that began at `since_ms`."""
        if self.working is None or stage not in self.working.stages:
            return since_ms + int(self.hours[stage] * HOUR_MS)
        return reached_ms(since_ms, self.hours[stage], self.working, self.time_zone)

    @functools.cached_property
    def digest(self) -> str:
        """Names the rules: the same for files that take the same effect. No secret enters it, only references do."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=6).hexdigest()

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
        content = path.read_bytes()
    except OSError as error:
        raise MerchantFileError(f"{path}: cannot be read ({error.strerror})") from error
    return parse(path, content)


def parse(path: Path, content: bytes) -> Merchant:
    """What was read from a merchant file; raises MerchantFileError with every problem it has."""
    try:
        return Merchant.model_validate(tomllib.loads(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise MerchantFileError(f"{path}: expected text in UTF-8, got another encoding (at line {line})") from error
    except tomllib.TOMLDecodeError as error:
        raise MerchantFileError(f"{path}: is not valid TOML: {error}") from error
    except ValidationError as error:
        raise MerchantFileError("\n".join(problems(path, error, Merchant))) from error


def load_all(folder: Path) -> dict[str, Merchant]:
    """Every `*.toml` of a folder by merchant name; raises MerchantFileError, also for none or two of one name."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise MerchantFileError(f"{folder}: expected at least one merchant file *.toml, found none")
    found: dict[str, Merchant] = {}
    problems: list[str] = []
    for file in files:
        try:
            merchant = load(file)
        except MerchantFileError as problem:
            problems.append(str(problem))
            continue
        if merchant.merchant in found:
            problems.append(f"{file}: merchant {merchant.merchant!r} is already in another file of {folder}")
        found[merchant.merchant] = merchant
    problems += checks.budgets({name: each.systems.returngo for name, each in found.items()}).values()
    if problems:
        raise MerchantFileError("\n".join(problems))
    return found
