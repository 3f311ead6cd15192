"""What can stop a local service from starting; the message is meant for the person at the terminal."""


class LocalServiceError(Exception):
    """A local Kafka or PostgreSQL cannot start; the text says what was expected, what came and what to do."""
