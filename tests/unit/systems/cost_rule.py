"""Shopify's published cost rule, applied to a document: scalars 0, objects 1, lists by `first`, a mutation 10."""

from graphql import FieldNode, IntValueNode, OperationDefinitionNode, OperationType, SelectionSetNode, parse


def requested_cost(text: str) -> int:
    """Points that the bucket must hold before the document runs. Lists without `first` count as one element."""
    total = 0
    for definition in parse(text).definitions:
        assert isinstance(definition, OperationDefinitionNode)
        base = 10 if definition.operation is OperationType.MUTATION else 0
        total += base + _selection(definition.selection_set)
    return total


def _selection(selections: SelectionSetNode | None) -> int:
    return sum(_field(node) for node in (selections.selections if selections else ()) if isinstance(node, FieldNode))


def _field(node: FieldNode) -> int:
    if node.selection_set is None:
        return 0
    if node.name.value in {"pageInfo", "userErrors"}:
        return 0
    if node.name.value == "nodes":
        return 1 + _selection(node.selection_set)
    first = next((a.value for a in node.arguments or () if a.name.value == "first"), None)
    if not isinstance(first, IntValueNode):
        return 1 + _selection(node.selection_set)
    names = {child.name.value for child in node.selection_set.selections if isinstance(child, FieldNode)}
    each = _selection(node.selection_set) if "nodes" in names else 1 + _selection(node.selection_set)
    return int(first.value) * each
