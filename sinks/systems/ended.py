"""How a conversation stops early: any step may end it with the outcome, whoever drives the flow takes it from here."""

from sinks.outcomes import Outcome


class Ended(Exception):
    """The conversation is over. Write flows return `outcome`; read flows let this through to the reader."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(repr(outcome))
        self.outcome = outcome
