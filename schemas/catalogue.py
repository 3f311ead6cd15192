"""Every record that crosses a process boundary, with its Avro file and its fixed schema id."""

import functools
import importlib.resources
import json
from typing import Any

import msgspec

from schemas import commands, configuration, exceptions, facts, journal, stock

Record = (
    facts.Delivery
    | facts.ReturnEvent
    | facts.OrderSnapshot
    | facts.ObservedEffect
    | facts.DeadlineReached
    | facts.OrderErased
    | stock.StockItem
    | stock.StockLevel
    | stock.RestockIntent
    | stock.RestockVerdict
    | commands.Restock
    | commands.Refund
    | commands.StoreCredit
    | commands.Exchange
    | commands.Annotate
    | commands.Journal
    | commands.CommandResult
    | exceptions.ExceptionRaised
    | exceptions.ExceptionCleared
    | journal.CaseStep
    | journal.ExpectedReturn
    | configuration.ConfigurationChanged
)

# An id never changes and is never used again: records on Kafka carry it. A new version of a record gets the next free
# id of its ten; the high base keeps clear of ids that a shared registry hands out by itself.
SCHEMA_IDS: dict[type[msgspec.Struct], int] = {
    facts.Delivery: 7_340_010,
    facts.ReturnEvent: 7_340_024,
    facts.OrderSnapshot: 7_340_036,
    facts.ObservedEffect: 7_340_045,
    facts.DeadlineReached: 7_340_050,
    stock.StockItem: 7_340_063,
    stock.StockLevel: 7_340_071,
    stock.RestockIntent: 7_340_083,
    stock.RestockVerdict: 7_340_090,
    commands.Restock: 7_340_101,
    commands.Refund: 7_340_112,
    commands.StoreCredit: 7_340_121,
    commands.Exchange: 7_340_131,
    commands.Annotate: 7_340_140,
    commands.Journal: 7_340_151,
    commands.CommandResult: 7_340_163,
    exceptions.ExceptionRaised: 7_340_171,
    exceptions.ExceptionCleared: 7_340_181,
    journal.CaseStep: 7_340_193,
    journal.ExpectedReturn: 7_340_200,
    configuration.ConfigurationChanged: 7_340_210,
    facts.OrderErased: 7_340_220,
}


@functools.cache
def avro_file(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The checked-in Avro schema of a record type."""
    path = importlib.resources.files("schemas") / "avro" / f"{record.__name__}.avsc"
    schema: dict[str, Any] = json.loads(path.read_text())
    return schema
