"""A process that logs in every way that there is; run by test_logs. One line of its log has a secret in no form."""

import asyncio
import gc
import logging
import sys
import threading
import warnings

import structlog

from ops import logs
from schemas.settings import ProcessSettings

SECRET = "hunter2"
logs.configure(ProcessSettings(), "toy")
log = structlog.get_logger()


def bad() -> None:
    raise ValueError(SECRET)


async def forgotten() -> None:
    async def task() -> None:
        raise KeyError(SECRET)

    asyncio.create_task(task())  # noqa: RUF006
    await asyncio.sleep(0.01)
    gc.collect()


class Falling:
    def __del__(self) -> None:
        raise RuntimeError(SECRET)


log.warning("ours", rma_id="R7", order_id="1001")
for number in range(5):
    log.warning("waits", seconds=number / 7)
    logging.getLogger("aiokafka").error("Unable connect to node %s after %d ms", 1, number)
for library in ("faust.app", "mode.loop", "httpx", "alembic.runtime.migration", "sqlalchemy.engine", "uvicorn.error"):
    logging.getLogger(library).warning("two\nlines of %s", library)
logging.getLogger("library").error("%d", "a wrong call")
logging.getLogger("library").error("caught", exc_info=ValueError(SECRET))
warnings.warn("a\nwarning", DeprecationWarning, stacklevel=1)
thread = threading.Thread(target=bad)
thread.start()
thread.join()
asyncio.run(forgotten())
Falling()
try:
    bad()
except ValueError:
    log.exception("ours_caught")
if "--full" not in sys.argv:
    raise RuntimeError(SECRET) from OSError(28, "No space left on device")
