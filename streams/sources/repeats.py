"""Ids that were seen lately. Pure and bounded; forgetting one only costs a read."""


class Repeats:
    """The last `most` ids."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def seen(self, name: str) -> bool:
        """Whether the id was seen before; it is from now on."""
        if name in self._ids:
            return True
        self._ids[name] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return False

    def clear(self) -> None:
        """Forget all of them."""
        self._ids.clear()
