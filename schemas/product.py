"""What this program calls itself to those whom it asks."""

import functools
import importlib.metadata

NAME = "returnflow"


@functools.cache
def version() -> str:
    """The version that is installed."""
    return importlib.metadata.version(NAME)


# Of every request: who runs the other side can tell whose it is, and since which version.
HEADERS = {"User-Agent": f"{NAME}/{version()}"}
