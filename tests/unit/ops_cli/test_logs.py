"""What a process logs, and how loud: run as processes, since logging is set up once for each."""

import subprocess
import sys

import orjson
import pytest

SCRIPT = """
import logging
from aiokafka import errors
from ops import logs
from schemas.settings import ProcessSettings

logs.configure(ProcessSettings(log_format="json"), "sink-toy")
logging.getLogger("{logger}").error("Request failed: %s", errors.{error}("group"))
"""


def level_of(logger: str, error: str) -> str:
    """How the one line of such an error is marked."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(logger=logger, error=error)], capture_output=True, check=True
    )
    line = orjson.loads(done.stderr)
    assert "Request failed" in line["event"]
    assert line["process"] == "sink-toy"
    return str(line["level"])


@pytest.mark.parametrize("error", ["GroupCoordinatorNotAvailableError", "RebalanceInProgressError"])
def test_what_every_start_and_rebalance_brings_is_no_error(error: str) -> None:
    assert level_of("aiokafka.consumer.group_coordinator", error) == "warning"


@pytest.mark.parametrize(
    ("logger", "error"),
    [
        ("aiokafka.consumer.group_coordinator", "KafkaConnectionError"),
        ("aiokafka.consumer.group_coordinator", "GroupAuthorizationFailedError"),
        ("elsewhere", "RebalanceInProgressError"),
    ],
)
def test_everything_else_stays_one(logger: str, error: str) -> None:
    assert level_of(logger, error) == "error"
