"""A sandbox as a process of its own, as `up --sandbox` has it beside its data directory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops import data_directory
from ops.data_directory import Running
from ops.up import Addresses


@contextmanager
def sandbox(data: Path) -> Iterator[Addresses]:
    """Where it listens; `data` tells commands of it."""
    command = [sys.executable, "-m", "ops.sandbox", "127.0.0.1", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().rpartition(" ")[2].strip()
        addresses = Addresses(sandbox_port=int(address.rpartition(":")[2]))
        data.mkdir(parents=True, exist_ok=True)
        running = Running(
            pid=os.getpid(), kafka="127.0.0.1:9092", gateway=addresses.gateway_url, sandbox=address,
            merchants=str(data / "merchants"),
        )  # fmt: skip
        data_directory.tell(data, running)
        yield addresses
        process.terminate()
