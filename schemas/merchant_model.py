"""Operating models: what triggers what, who executes it, in which system. One per system, combined per line.

`[model]` governs every line that nothing more specific does. Each `[[models]]` entry governs the lines that it names:
by `location` (where the goods came back, as the inspection names it), by `store` (where they were sold), by `channel`
(how they were sold: the order's system, or system/source). A location beats a store, a store beats a channel, and of
two channels the longer one counts.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.merchant_fields import Name, like

System = Literal["shopify", "lightspeed-x", "lightspeed-r", "sitoo", "linnworks", "patchworks"]
# Systems that keep damaged goods apart within a location. All others need a place of its own for them.
STATES_APART = ("shopify", "patchworks")
Channel = Annotated[
    str,
    like(rf"({'|'.join(get_args(System))})(/[^\s/]+)?", f"one of {', '.join(get_args(System))}, or one with its source "
         "such as shopify/pos"),
]  # fmt: skip
Actor = Literal["returnflow", "returngo", "pos", "payment"]
BASE = "default"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Restocking(Section):
    """When and by whom stock is put back."""

    actor: Literal["returnflow", "returngo", "pos"] = "returnflow"
    batch_seconds: float = Field(default=0.0, ge=0, le=10)  # restocks of so long go out together; 0: each at once
    damaged_to_stock: bool = True  # book damaged goods into the damaged state; False: into no stock at all
    unnamed: Literal["mapped", "store_of_sale"] = "mapped"  # no location named: the place mapped for "", or the store's
    late_changes: Literal["raise", "compensate"] = "raise"  # graded anew or cancelled after its restock was applied
    journal_check: bool = False  # raise a restock that the system's own stock journal does not show in time


class Cash(Section):
    """Payments that are repaid in coins."""

    tenders: tuple[str, ...] = ()
    smallest_minor: int = Field(default=1, ge=1)


class Refunding(Section):
    """When and by whom money is paid back."""

    actor: Actor = "returnflow"
    after: Literal["inspected", "restocked"] = "inspected"
    needs_transaction: bool = False  # wait until ReturnGO asks for the refund
    damaged_is_refunded: bool = True
    shipping: Literal["never", "full_return"] = "never"  # full_return: original shipping when everything comes back
    duties: Literal["never", "with_goods"] = "never"
    bonus_percent: dict[Literal["store_credit", "gift_card"], Annotated[int, Field(ge=0, le=50)]] = {}
    cash: Cash = Cash()
    tolerance_minor: int = Field(default=0, ge=0)
    tenders: tuple[str, ...] = ("gift_card", "*")  # repaid in this order, "*" = any other
    store_credit: Literal["store_credit", "gift_card"] = "store_credit"


class Inspecting(Section):
    """Whose inspection counts."""

    source: Literal["returngo", "warehouse", "either"] = "returngo"
    sent_first: bool = True  # only what the shop has sent comes back; False: its fulfilments tell nothing of that
    needs_receipt: bool = False  # an inspection alone moves nothing: somebody must have received the goods, too
    policy_days: int | None = Field(default=None, ge=1)  # window after the order, None: ReturnGO decides


class Bundles(Section):
    """What goes into stock: by what came back."""

    returned: Literal["components", "bundle"] = "components"  # a whole bundle
    component: Literal["component", "bundle"] = "component"  # a component; bundle: once all of its bundle are here


class Exchanges(Section):
    """How exchange orders come to be, how they are known, and what keeps them out of sales."""

    made: Literal["draft", "order"] = "draft"  # ReturnGO leaves a draft that we complete, or an order that we release
    tags: tuple[str, ...] = ()  # an order with one of these tags is an exchange
    prefix: str = ""  # so is one whose name starts like this
    mark: str = ""  # tag for zero-value exchange orders, which sales reports leave out; "": none


class Model(Section):
    """The operating model of a system. What a file does not say is as its system's row in SYSTEM_DEFAULTS says."""

    name: Name = BASE
    system: System = "shopify"
    stock: System = "shopify"  # keeps the stock of record
    money: System = "shopify"  # executes payments
    books: System | None = None  # gets a journal entry once a refund is confirmed
    books_seconds: int = Field(default=0, ge=0)  # 0: at once; else together at every full multiple of it, from 0:00 UTC
    inspecting: Inspecting = Inspecting()
    restocking: Restocking = Restocking()
    refunding: Refunding = Refunding()
    bundles: Bundles = Bundles()
    exchanges: Exchanges = Exchanges()

    @model_validator(mode="before")
    @classmethod
    def _by_system(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        system = given.get("system", "shopify")
        known = SYSTEM_DEFAULTS.get(system) if isinstance(system, str) else None
        return given if known is None else merged({"stock": system, "money": system} | known, given)

    @model_validator(mode="after")
    def _possible(self) -> "Model":
        if self.exchanges.mark and not (self.exchanges.tags or self.exchanges.prefix):
            raise ValueError(
                f"exchanges.mark: expected exchanges.tags or exchanges.prefix, too, got {self.exchanges.mark!r} alone: "
                "they tell which orders are exchanges"
            )
        return self


# Keys by section that are asked of an order before a location is known: the model of a location never governs them.
ASKED_OF_THE_ORDER = {"inspecting": {"source", "policy_days"}, "exchanges": {"tags", "prefix", "mark"}}


class SpecificModel(Model):
    """A model with what it governs: all that it names must fit."""

    name: Name
    channel: Channel | None = None
    store: Annotated[str, Field(min_length=1)] | None = None  # as the order names the place of its sale
    location: Annotated[str, Field(min_length=1)] | None = None  # as the inspection names the place

    @model_validator(mode="before")
    @classmethod
    def _order_first(cls, given: Any) -> Any:
        """A key that would govern nothing is refused."""
        for section, keys in ASKED_OF_THE_ORDER.items() if isinstance(given, dict) and given.get("location") else ():
            said = given.get(section)
            for key in sorted(keys & said.keys()) if isinstance(said, dict) else ():
                raise ValueError(
                    f"{section}.{key}: expected only in a model without location, for it is asked before the goods "
                    f"come back anywhere, got {said[key]!r}"
                )
        return given

    @model_validator(mode="after")
    def _selects(self) -> "SpecificModel":
        if self.selector == (None, None, None):
            raise ValueError("expected at least one of channel, store, location: else it would govern every line")
        return self

    @property
    def selector(self) -> tuple[str | None, str | None, str | None]:
        return (self.location, self.store, self.channel)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The greatest rank of those that fit governs; two that can fit one line never have the same."""
        channel = self.channel or ""
        return (self.location is not None, self.store is not None, bool(channel) + ("/" in channel))

    def governs(self, channels: tuple[str, str], store: str, location: str) -> bool:
        """`channels`: the order's system, and its system/source."""
        return (
            self.location in (None, location)
            and self.store in (None, store)
            and (self.channel is None or self.channel in channels)
        )


def merged(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`given` over `defaults`, tables merged key by key."""
    both = {
        key: merged(value, given[key]) if isinstance(value, dict) and isinstance(given.get(key), dict) else given[key]
        for key, value in defaults.items()
        if key in given
    }
    return defaults | given | both


_LIGHTSPEED: dict[str, Any] = {  # quality check → restock → refund, which is a new sale
    "inspecting": {"needs_receipt": True},
    "restocking": {"unnamed": "store_of_sale", "late_changes": "compensate", "journal_check": True},
    "refunding": {"after": "restocked"},
}
SYSTEM_DEFAULTS: dict[str, dict[str, Any]] = {
    "shopify": {},  # inspection → restock and refund, both posted to the original order
    "lightspeed-x": _LIGHTSPEED,
    "lightspeed-r": _LIGHTSPEED,
    "sitoo": {  # disposition → stock status; the payment system pays, Sitoo books what it paid
        "books": "sitoo",
        "restocking": {"late_changes": "compensate", "journal_check": True},
        "refunding": {"actor": "payment"},
    },
    "linnworks": {  # only "item inspected" counts; a refund confirmed in ReturnGO becomes a credit note
        "books": "linnworks",
        "restocking": {"batch_seconds": 5.0, "late_changes": "compensate", "journal_check": True},
        "refunding": {"actor": "returngo"},
        "exchanges": {"made": "order", "tags": ["returngo-exchange"], "prefix": "EXC-", "mark": "exchange-no-sale"},
    },
    "patchworks": {  # ReturnGO asks for the refund, the platform behind Patchworks pays it
        "restocking": {"batch_seconds": 5.0, "late_changes": "compensate"},
        "refunding": {"needs_transaction": True},
        "exchanges": {"made": "order"},
    },
}
