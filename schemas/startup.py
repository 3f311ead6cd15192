"""The one way a process says that it cannot start: a plain message for a person, exit status 2, no traceback."""


class CannotStart(Exception):
    """What was expected, what was found, where, and what to do about it."""
