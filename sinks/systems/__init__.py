"""The systems that Returnflow can change and read. Adding one is a folder here and a line in `SYSTEMS`."""

from sinks.contract import System
from sinks.systems import returngo, shopify

SYSTEMS: dict[str, System] = {
    "shopify": shopify.SYSTEM,
    "returngo": returngo.SYSTEM,
}
