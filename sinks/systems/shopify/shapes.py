"""The parts of Shopify's answers that write flows work with. Field names are Shopify's in snake case."""

from typing import Generic, TypeVar

import msgspec

from schemas.money import Money, parse

T = TypeVar("T")


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer; fields that are not named here are ignored."""


class Ref(Shape, frozen=True):
    """An object of which only the global id matters."""

    id: str


class Nodes(Shape, Generic[T], frozen=True):
    """A connection without its pages."""

    nodes: tuple[T, ...]


class PageInfo(Shape, frozen=True):
    """Where a connection goes on."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Paged(Shape, Generic[T], frozen=True):
    """A page of a connection."""

    nodes: tuple[T, ...]
    page_info: PageInfo = PageInfo()


class UserError(Shape, frozen=True):
    """One refusal inside a payload; several mutations give no code."""

    message: str = ""
    code: str | None = None


class Payload(Shape, frozen=True):
    """What every mutation answers; `user_errors` not empty means that it refused."""

    user_errors: tuple[UserError, ...]


class Amount(Shape, frozen=True):
    """A decimal amount of a currency."""

    amount: str
    currency_code: str

    @property
    def money(self) -> Money:
        return parse(self.amount, self.currency_code)


class Presented(Shape, frozen=True):
    """An amount as the customer was charged it."""

    presentment_money: Amount

    @property
    def money(self) -> Money:
        return self.presentment_money.money
