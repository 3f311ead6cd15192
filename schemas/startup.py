"""How a process says that it cannot start, or that it cannot go on: a plain message for a person and an exit status
that the runbooks know, no traceback."""


class CannotStart(Exception):
    """What was expected, what was found, where, and what to do about it."""

    status = 2


class DiskFull(CannotStart):
    """A disk has no room. Nothing is lost: what was under way is done again once there is some."""

    status = 74
