"""`python -m ops.local.lock`: resolve the broker's Maven coordinates again and write the hashed lock.

Touches the network and ops/local/kafka.lock.toml. Only run to move to another Kafka version; review the difference.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.env import LockFile
from jgo.maven import MavenContext

from ops.local.jars import DOWNLOAD_TIMEOUT_SECONDS, KAFKA_LOCK, PARALLEL_DOWNLOADS

# `!`: raw, so that the dependency management of one does not move the versions of the other.
KAFKA = "org.apache.kafka:kafka_2.13:4.3.1!"
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"  # without it the broker's log goes nowhere


def main() -> None:
    """Write the lock: every runtime jar with its sha256."""
    with tempfile.TemporaryDirectory(prefix="returnflow-lock-") as repository:
        context = MavenContext(repo_cache=Path(repository), timeout=DOWNLOAD_TIMEOUT_SECONDS)
        wanted = [context.create_dependency(coordinates) for coordinates in (KAFKA, LOG_BINDING)]
        inputs, transitive = context.resolver.resolve(wanted)
        found = sorted([*inputs, *transitive], key=lambda each: (each.groupId, each.artifactId))
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            list(pool.map(lambda each: each.artifact.resolve(), found))
        LockFile.from_resolved_dependencies(found, environment_name="kafka").save(KAFKA_LOCK)
    print(f"{KAFKA_LOCK}: {len(found)} jars")


if __name__ == "__main__":
    main()
