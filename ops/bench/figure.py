"""What a bench hands back, and how it is printed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

Kafka = Callable[[], str]  # starts or finds the broker when first asked; gives its bootstrap address


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the result. `target` is for the reader: a bench never fails on a slow machine."""

    name: str
    value: str
    target: str = ""


class Bench(NamedTuple):
    """`run(kafka)` measures; `about` is the line that `--help` shows."""

    about: str
    run: Callable[[Kafka], Sequence[Figure]]
