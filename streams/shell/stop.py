"""The end of a process that cannot go on: one line in its log and a non-zero exit, at once."""

import logging
import os
from typing import NoReturn

FATAL = 70


def stop(why: str, status: int = FATAL) -> NoReturn:
    """Uncommitted work is redelivered to whoever starts next; going on, or stopping step by step, could commit past
    work that is lost. So nothing is flushed, committed or closed."""
    logging.getLogger(__name__).critical("agent stopped: %s", why)
    os._exit(status)
