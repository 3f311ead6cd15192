"""Every list that a document reads says whether it was whole: pages, or one more than is enough. Nothing is cut off
unseen."""

from collections.abc import Iterator
from importlib import resources

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLNonNull,
    IntValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_list_type,
    parse,
    visit,
)

from ops.sandbox.shopify.schema import build_sandbox_schema
from sinks.systems.shopify import documents, pages

SCHEMA = build_sandbox_schema()
STEMS = sorted(
    entry.name.removesuffix(".graphql")
    for entry in resources.files("sinks.systems.shopify").joinpath("graphql").iterdir()
    if entry.name.endswith(".graphql")
)
# Plain lists that Shopify cuts off by `first`: where the code asks for one more than it takes for all (pages.py).
TRUNCATED = {
    ("order", "transactions"): pages.FEW_TRANSACTIONS + 1,
    ("refund_look", "transactions"): pages.FEW_TRANSACTIONS + 1,
    ("order", "refunds"): pages.FEW_REFUNDS + 1,
    ("refund_look", "refunds"): pages.FEW_REFUNDS + 1,
    ("order_transactions", "transactions"): pages.MOST_TRANSACTIONS,
    ("order_refunds", "refunds"): pages.MOST_REFUNDS,
}
# Connections of which a document reads one page: `hasNextPage` is asked, and another document follows, or it waits.
FOLLOWED_ELSEWHERE = {
    ("refund_create", "transactions"), ("item", "productVariantComponents"), ("item", "inventoryLevels"),
    ("item", "variants"), ("order_returns", "reverseFulfillmentOrders"), ("order_returns", "lineItems"),
    ("return_orders", "lineItems"),
}  # fmt: skip


class Lists(Visitor):
    """Collects connections, and plain lists that are asked for by number."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.connections: list[FieldNode] = []
        self.plain: list[FieldNode] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        kind = self._info.get_type()
        assert kind is not None, f"{node.name.value} is in no schema"
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if get_named_type(kind).name.endswith("Connection"):
            self.connections.append(node)
        elif is_list_type(bare) and arguments(node) & {"first", "last"}:
            self.plain.append(node)


def lists(stem: str) -> Lists:
    document: DocumentNode = parse(documents.load(stem).text)
    info = TypeInfo(SCHEMA)
    found = Lists(info)
    visit(document, TypeInfoVisitor(info, found))
    return found


def arguments(node: FieldNode) -> set[str]:
    return {each.name.value for each in node.arguments or ()}


def below(node: FieldNode) -> Iterator[FieldNode]:
    selections = node.selection_set.selections if node.selection_set else ()
    return (each for each in selections if isinstance(each, FieldNode))


@pytest.mark.req("ELG-2", "MON-6")
@pytest.mark.parametrize("stem", STEMS)
def test_a_connection_says_whether_it_goes_on_and_is_followed(stem: str) -> None:
    for node in lists(stem).connections:
        name = node.name.value
        told = {each.name.value for page in below(node) if page.name.value == "pageInfo" for each in below(page)}
        assert "hasNextPage" in told, f"{stem}: {name} may be cut off unseen"
        if (stem, name) not in FOLLOWED_ELSEWHERE:
            assert "endCursor" in told, f"{stem}: {name} cannot be followed"
            assert "after" in arguments(node), f"{stem}: {name} is read for one page"


@pytest.mark.req("ELG-2", "MON-6")
@pytest.mark.parametrize("stem", STEMS)
def test_a_plain_list_asks_for_one_more_than_is_taken_for_all(stem: str) -> None:
    for node in lists(stem).plain:
        first = next(each.value for each in node.arguments or () if each.name.value == "first")
        assert isinstance(first, IntValueNode)
        assert int(first.value) == TRUNCATED[stem, node.name.value]


def test_what_is_listed_here_is_in_a_document() -> None:
    read = {(stem, node.name.value) for stem in STEMS for node in (*lists(stem).connections, *lists(stem).plain)}
    assert {*TRUNCATED, *FOLLOWED_ELSEWHERE} <= read


@pytest.mark.parametrize("stem", STEMS)
def test_no_document_costs_more_than_one_query_may(stem: str) -> None:
    assert documents.load(stem).cost <= 1_000
