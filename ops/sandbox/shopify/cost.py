"""Query cost and the bucket it is paid from.

Shopify publishes the parts (scalars 0, objects 1, mutations 10, connections by `first`) but not how a connection grows
with `first`. The curve here is chosen so that the costs come out near those recorded on a real store. The bucket
refills in real time: a caller who waits must get what it waited for.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

MAX_QUERY_COST = 1000
MUTATION_COST = 10
PLAIN_OBJECTS = frozenset({"shopMoney", "presentmentMoney", "pageInfo", "userErrors"})


@dataclass(slots=True)
class Bucket:
    """Points of one app in one shop."""

    size: float
    restore_rate: float
    level: float
    mark: float = field(default_factory=time.monotonic)

    def take(self, points: float) -> bool:
        """Takes the points, or nothing when there are not enough."""
        self._refill()
        if points > self.level:
            return False
        self.level -= points
        return True

    def give_back(self, points: float) -> None:
        """Returns what was taken too much."""
        self._refill()
        self.level = min(self.size, self.level + points)

    def status(self) -> dict[str, object]:
        """`throttleStatus` as answers carry it."""
        self._refill()
        return {"maximumAvailable": self.size, "currentlyAvailable": int(self.level), "restoreRate": self.restore_rate}

    def _refill(self) -> None:
        now = time.monotonic()
        self.level = min(self.size, self.level + (now - self.mark) * self.restore_rate)
        self.mark = now


def requested_cost(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, object]) -> int:
    """What the bucket must hold before this runs."""
    definitions = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
    fragments = {node.name.value: node.selection_set for node in definitions}
    cost = _Cost(fragments, variables)
    if operation.operation.value == "mutation":
        fields = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
        return round(sum(MUTATION_COST + cost.of(node.selection_set) for node in fields))
    return round(cost.of(operation.selection_set))


def actual_cost(requested: int, data: object) -> int:
    """What it cost in the end: never more than requested, less where connections were not full."""
    return min(requested, max(1, _objects(data)) + (MUTATION_COST if requested >= MUTATION_COST else 0))


class _Cost:
    def __init__(self, fragments: Mapping[str, SelectionSetNode], variables: Mapping[str, object]) -> None:
        self._fragments = fragments
        self._variables = variables

    def of(self, selections: SelectionSetNode | None) -> float:
        return sum(self._node(node) for node in selections.selections) if selections else 0.0

    def _node(self, node: object) -> float:
        match node:
            case FragmentSpreadNode():
                return self.of(self._fragments.get(node.name.value))
            case InlineFragmentNode():
                return self.of(node.selection_set)
            case FieldNode() if node.selection_set:
                below = self.of(node.selection_set)
                if node.name.value in PLAIN_OBJECTS or node.name.value in ("nodes", "edges", "node"):
                    return below
                return 1 + _spread(self._first(node)) * below if below else 1 + _spread(self._first(node)) - 1
        return 0.0

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                raw = (
                    self._variables.get(value.name.value)
                    if isinstance(value, VariableNode)
                    else value.value
                    if isinstance(value, IntValueNode)
                    else None
                )
                return int(raw) if isinstance(raw, int | str) else 1
        return 1


def _spread(first: int) -> float:
    return 1.0 if first <= 1 else 2 * math.log(first + 1)


def _objects(data: object) -> int:
    match data:
        case dict():
            return sum(_objects(value) for value in data.values()) + (0 if "amount" in data else 1)
        case list():
            return sum(_objects(value) for value in data)
    return 0
