"""Numbers that a record may hold, as types of its fields: what is beyond is refused when the record is read."""

from typing import Annotated

import msgspec

LATEST_MS = 253_402_300_799_000  # the end of the year 9999
LARGEST_COUNT = 1_000_000

Millis = Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]
Change = Annotated[int, msgspec.Meta(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]  # a movement, in or out
Level = Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]  # below zero when a shop oversells
Ordinal = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
