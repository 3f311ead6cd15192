"""The end of a process that cannot go on: one line on stderr and a non-zero exit, at once."""

import os
import sys
from typing import NoReturn

FATAL = 70


def stop(why: str) -> NoReturn:
    """Uncommitted work is redelivered to whoever starts next; going on, or stopping step by step, could commit past
    work that is lost. So nothing is flushed, committed or closed."""
    sys.stderr.write(f"agent stopped: {why}\n")
    sys.stderr.flush()
    os._exit(FATAL)
