"""Where a fault of our own code arose: type and place. Never its message, which may hold personal data."""

import traceback
from collections.abc import Sequence


def where(error: BaseException, within: Sequence[str] = ()) -> str:
    """`TypeError at file.py:12`: the innermost line of a file whose path has one of these parts, or of any file."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if any(part in frame.filename for part in within)] or frames
    place = f" at {ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"
