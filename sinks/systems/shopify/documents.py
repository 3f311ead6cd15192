"""Shopify's GraphQL documents: one file each under graphql/, read once.

The first line of a file is a comment with its requested cost by Shopify's published rule; a test recalculates it. It
is an estimate for the first request: lists cost far less than the sum of their pages, and answers say how much.
"""

import functools
import re
from importlib import resources

import msgspec

_ROOT = re.compile(r"^  (\w+)", re.MULTILINE)  # documents are written with two blanks for each level


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the operation's name; `cost` the points that the bucket must hold before it runs."""

    name: str
    text: str
    cost: int
    mutation: bool
    roots: tuple[str, ...]  # what it asks for, which an answer must have


@functools.cache
def load(stem: str) -> Document:
    """The document of graphql/<stem>.graphql; FileNotFoundError for any other."""
    source = resources.files(__package__).joinpath("graphql", f"{stem}.graphql").read_text(encoding="utf-8")
    head, _, text = source.partition("\n")
    kind, name = text.split("(", 1)[0].split("{", 1)[0].split()
    return Document(
        name=name,
        text=text,
        cost=int(head.removeprefix("# cost ")),
        mutation=kind == "mutation",
        roots=tuple(_ROOT.findall(text)),
    )


@functools.cache
def costs() -> dict[str, int]:
    """Cost by operation name."""
    folder = resources.files(__package__).joinpath("graphql")
    found = (load(entry.name.removesuffix(".graphql")) for entry in folder.iterdir() if entry.name.endswith(".graphql"))
    return {document.name: document.cost for document in found}
