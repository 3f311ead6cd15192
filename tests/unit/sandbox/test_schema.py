"""The schema as a whole: every field can be read, and the sandbox shares nothing with what it judges."""

import ast
from pathlib import Path

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)

import ops.sandbox
from ops.sandbox.shopify import mutate
from ops.sandbox.shopify.execute import schema
from tests.unit.sandbox.box import ADJUST, MAIN, REFUND, SHOP, Box, adjustment, change, gid
from tests.unit.sandbox.test_refunds import paying, units
from tests.unit.sandbox.test_returns import PROCESS, disposition, opened, processing
from tests.unit.sandbox.test_wallet import CARD, CREDIT, CUSTOMER
from tests.unit.sandbox.test_webhooks import SUBSCRIBE

DEPTH = 6
ARGUMENTS = {"first": "first: 5", "names": 'names: ["available", "on_hand"]'}


def selection(kind: GraphQLNamedType, depth: int, seen: frozenset[str]) -> str:
    """All fields of a type, down to a depth, each type once on a path."""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        concrete = schema().get_possible_types(kind)
        parts = [f"... on {each.name} {{ {selection(each, depth, seen)} }}" for each in concrete]
        return " ".join(["__typename", *parts])
    assert isinstance(kind, GraphQLObjectType)
    fields = [_field(name, field, depth, seen | {kind.name}) for name, field in kind.fields.items()]
    return " ".join(["__typename", *fields])


def _field(name: str, field: GraphQLField, depth: int, seen: frozenset[str]) -> str:
    needed = {each for each, argument in field.args.items() if isinstance(argument.type, GraphQLNonNull)}
    if needed - set(ARGUMENTS):
        return ""
    given = [ARGUMENTS[each] for each in field.args if each in ARGUMENTS]
    call = f"{name}({', '.join(given)})" if given else name
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType | GraphQLUnionType | GraphQLInterfaceType):
        return call
    if depth == 0 or kind.name in seen:
        return ""
    below = selection(kind, depth - 1, seen)
    return f"{call} {{ {below} }}"


async def eventful(box: Box) -> None:
    """A shop in which a bit of everything happened."""
    await box.place(
        "#2", lines=[{"bundle": "SET", "discount": "1.00", "tax_rate": "0.15"}], order_discount="3.00", shipping="5.00"
    )
    native = await opened(box, 2)
    done = disposition(native, "RESTOCKED", location=MAIN)
    await box.data(PROCESS, input=processing(box, native, 1, "199.00", done))
    await box.data(REFUND, input=paying(box, "10.00", units(box, 1), shipping={"amount": "5.00"}), key="r")
    await box.data(ADJUST, input=adjustment(change(box, "MUG")), key="a")
    await box.data(CARD, input={"initialValue": "1.00", "customerId": CUSTOMER})
    await box.data(CREDIT, id=CUSTOMER, **{"in": {"creditAmount": {"amount": "1.00", "currencyCode": "ZAR"}}})
    rma = await box.control(f"/returngo/{SHOP}/rmas", order="#1001", units=[{"sku": "TEE-M"}])
    await box.control(f"/returngo/{SHOP}/rmas/{rma['rma_id']}/exchange", sku="MUG")
    mark = {"ownerId": box.order(), "namespace": "ours", "key": "mark", "type": "json", "value": "{}"}
    document = "mutation M($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { userErrors { message } } }"
    await box.data(document, m=[mark])
    await box.data(SUBSCRIBE, topic="ORDERS_PAID", uri="http://ours")


async def test_every_field_of_every_type_can_be_read(box: Box) -> None:
    await eventful(box)
    box.app.state.world.shops[SHOP].bucket.size = box.app.state.world.shops[SHOP].bucket.level = 10_000_000
    read: set[str] = set()
    for entities in box.app.state.world.shops[SHOP].entities.values():
        entity = next(iter(entities.values()), None)
        kind = schema().type_map.get(entity.typename) if entity else None
        if (
            entity is None
            or not isinstance(kind, GraphQLObjectType)
            or "Node" not in {each.name for each in kind.interfaces}
        ):
            continue
        for name, field in kind.fields.items():
            asked = _field(name, field, 2, frozenset({kind.name}))
            if asked:
                await box.data(
                    f"query($id: ID!) {{ node(id: $id) {{ ... on {kind.name} {{ {asked} }} }} }}", id=entity.id
                )
        read.add(kind.name)
    assert len(read) > 20


async def test_every_query_can_be_asked(box: Box) -> None:
    await eventful(box)
    root = schema().query_type
    assert root is not None
    for name, field in root.fields.items():
        asked = _field(name, field, 2, frozenset())
        if asked:
            await box.data(f"{{ {asked} }}")
    returnable = (
        "query($id: ID!) { returnableFulfillments(orderId: $id, first: 5) { nodes { id fulfillment { name } } } }"
    )
    rows = (await box.data(returnable, id=box.order("#2")))["returnableFulfillments"]["nodes"]
    one = await box.data(
        "query($id: ID!) { returnableFulfillment(id: $id) { fulfillment { name } } }", id=rows[0]["id"]
    )
    assert one["returnableFulfillment"]["fulfillment"] == rows[0]["fulfillment"]
    level = await box.data(
        "query($id: ID!, $place: ID!) { location(id: $place) { inventoryLevel(inventoryItemId: $id) { isActive } } }",
        id=box.item("MUG"),
        place=gid("Location", MAIN),
    )
    assert level["location"]["inventoryLevel"] == {"isActive": True}


def test_every_mutation_of_the_schema_is_carried_out_by_something() -> None:
    root = schema().mutation_type
    assert root is not None
    assert set(root.fields) == set(mutate.ROOT)


def test_the_judge_shares_nothing_with_what_it_judges() -> None:
    folder = Path(ops.sandbox.__file__).parent
    imported = {
        name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert not {name for name in imported if name.split(".")[0] in ("schemas", "streams", "sinks")}
    assert not {name for name in imported if name.startswith("ops") and not name.startswith("ops.sandbox")}
