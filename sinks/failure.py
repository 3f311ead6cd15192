"""What a worker cannot handle: it ends the process, and the work is read again. Pure."""

import asyncio
from collections.abc import Callable


class Failure:
    """Keeps the first fault and asks the worker to stop."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self.error: BaseException | None = None

    def of(self, task: "asyncio.Task[None]") -> None:
        """For `Task.add_done_callback`: a task that raised ends the worker."""
        error = None if task.cancelled() else task.exception()
        if error is not None and self.error is None:
            self.error = error
            self._stop()
