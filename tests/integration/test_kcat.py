"""A tool of somebody else's reads what we write: Debian's kcat against the suite's Kafka (see tests/conftest.py)."""

import shutil
import subprocess
from collections.abc import Callable

from confluent_kafka import Producer


def test_kcat_reads_a_topic(kafka: str, new_topic: Callable[..., str]) -> None:
    kcat = shutil.which("kcat")
    assert kcat, "CI must install the Debian package kcat"
    topic = new_topic("kcat")
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(3):
        producer.produce(topic, key=b"merchant|order", value=f"fact {number}".encode())
    assert producer.flush(30) == 0
    command = [kcat, "-C", "-q", "-b", kafka, "-t", topic, "-o", "beginning", "-e", "-f", "%k %s\\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [f"merchant|order fact {number}" for number in range(3)]
