"""The case's history for people, and the parcels that warehouses may expect."""

from typing import Literal

import msgspec

from schemas.exceptions import Evidence, Team


class WaitingFor(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line is not closed: the unmet guard, who can meet it, since when, and what would."""

    guard: str
    owner: Team
    since_ms: int
    unblocked_by: str
    evidence: Evidence | None = None


class CaseStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was learned, decided or done about return lines. Append-only; equal ids are the same step."""

    step_id: str
    merchant: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    step: Literal["learned", "decided", "done", "raised", "cleared", "waiting", "closed"]
    what: str  # field term: inspected, refund, restock, …
    detail: str
    at_ms: int
    line_id: str | None = None
    sku: str | None = None
    stage: str | None = None  # of the units after this step
    command_id: str | None = None
    external_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    actor: str | None = None
    waiting_for: WaitingFor | None = None
    evidence: Evidence | None = None
    tender: str | None = None  # payment id the money came from or went to
    reason: str | None = None  # the merchant's label for why the units come back
    disposition: str | None = None  # what an inspection found
    location: str | None = None  # where it found it, as its source names the place
    quantity: int | None = None  # pieces of all its units; on a request or an inspection as many of each
    read_order: int = 0  # of the fact that was learned, see schemas/facts.py


class ExpectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a SKU in a parcel."""

    line_id: str | None
    sku: str
    quantity: int


class ExpectedReturn(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel on its way, for warehouse systems."""

    fact_id: str
    merchant: str
    order_id: str
    rma_id: str
    lines: tuple[ExpectedLine, ...]
    occurred_at_ms: int
    tracking_number: str | None = None
    carrier: str | None = None
    location: str | None = None
