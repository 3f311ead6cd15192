"""Deliveries of merchants for whom there is no usable file, or none with this system. Touches SQL and Kafka.

A file may be gone by mistake, so nothing of it may drain: what a delivery asks to read waits in the ledger, without the
delivery itself, and is read when the file is back. People are told once per merchant.
"""

from collections.abc import Collection

from streams.sources.again import Again
from streams.sources.troubles import Troubles
from streams.sources.work import Routed

_SUBJECT = "merchant"


class Strangers:
    """Of one system."""

    def __init__(self, system: str, again: Again, troubles: Troubles) -> None:
        self._system = system
        self._again = again
        self._troubles = troubles

    async def held(self, merchant: str, routed: Routed) -> Routed:
        """The same without anything to do now."""
        if not routed.wanted and not routed.notes:
            return routed
        detail = (
            f"expected a usable merchant file for {merchant} with a section [systems.{self._system}] and its secrets, "
            "found none. What comes for it waits; mend or put back the file, or close the subscriptions."
        )
        await self._troubles.raised("misconfigured", merchant, _SUBJECT, detail)
        notes = dict(routed.notes)
        for each in routed.wanted:
            notes |= self._again.at_once(each.resource)
        return Routed(result="held", merchant=merchant, notes=notes, complaint=routed.complaint)

    async def known(self, merchants: Collection[str]) -> None:
        """These have a file: what was raised about them is over."""
        for merchant in list(merchants):  # files may change meanwhile
            await self._troubles.gone(merchant, [_SUBJECT], "its file is there again; what waited is being read")
