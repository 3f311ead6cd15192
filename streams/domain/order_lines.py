"""The lines of an order by what a returned unit can name of them."""

from schemas.sku import meant, spelled_so
from streams.domain.learnt import Line, Order, Unit

_BY_ITSELF = "line "
Parts = tuple[tuple[Line, int], ...]  # lines, and how many units of each


class OrderLines:
    """Made once per decision: every unit of the case asks for its lines."""

    def __init__(self, order: Order | None) -> None:
        self._by_id: dict[str, Line] = {}
        self._by_variant: dict[str, list[Line]] = {}
        self._by_sku: dict[str, list[Line]] = {}
        self._bundles: dict[tuple[str, str], list[Line]] = {}  # by SKU and sold group; "": all of them
        for line in () if order is None else order.lines:
            self._by_id.setdefault(line.line_id, line)
            if line.variant_id is not None:
                self._by_variant.setdefault(line.variant_id, []).append(line)
            if sku := meant(line.sku):
                self._by_sku.setdefault(sku, []).append(line)
            if line.bundle_quantity and (sku := meant(line.bundle_sku or "")):
                for group in {"", line.group}:
                    self._bundles.setdefault((sku, group), []).append(line)

    def parts_of(self, unit: Unit, group: str = "") -> Parts:
        """Lines of a unit: by line id, else the one line of its variant, else the components of its bundle (the sold
        one that is `group`, where there are several), else the one line with its SKU."""
        said = unit.said
        alone = group.removeprefix(_BY_ITSELF) if group.startswith(_BY_ITSELF) else ""
        named = self._by_id.get(said.line_id or "") or self._by_id.get(alone)
        if named is not None:
            return ((named, said.quantity),)
        if said.line_id is None and said.variant_id is not None:
            of_variant = self._by_variant.get(said.variant_id, ())
            if len(of_variant) == 1:
                return ((of_variant[0], said.quantity),)
        sku = meant(said.sku)
        bundle = self._bundles.get((sku, group), ()) if sku else ()
        parts = tuple((each, each.quantity * said.quantity // each.bundle_quantity) for each in bundle)
        if any(count for _, count in parts):  # else nothing was sold as this bundle
            return parts
        same = spelled_so(said.sku, self._by_sku.get(sku, []), lambda line: line.sku) if sku else []
        return ((same[0], said.quantity),) if said.line_id is None and len(same) == 1 else ()


def by_itself(line: Line) -> str:
    """As `group` of `parts_of`: the line whose SKU a bundle of the order has, too."""
    return f"{_BY_ITSELF}{line.line_id}"
