"""The lines of the runbook AgentDeadLetters that send a dead letter again do so, byte for byte."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Producer

from ops.kafka import quiet, read

BOOK = Path(__file__).parents[2] / "ops" / "runbooks" / "AgentDeadLetters.md"
KEY, VALUE = b"shop-a|5001", bytes(range(256)) + b"\n"


def test_a_dead_letter_is_sent_again_by_hand(kafka: str, new_topic: Callable[..., str], tmp_path: Path) -> None:
    assert shutil.which("kcat"), "CI must install the Debian package kcat"
    letters, source = new_topic("letters"), new_topic("source")
    producer = Producer({**quiet(kafka), "partitioner": "murmur2_random"})
    producer.produce(letters, VALUE, KEY, headers=[("source-topic", source.encode())])
    producer.produce(source, b"first", KEY)
    assert producer.flush(30) == 0
    (letter,) = read(kafka, letters)
    lines = re.findall(r"^ +(kcat .+)$", BOOK.read_text(), flags=re.MULTILINE)
    assert len(lines) == 2
    words = {
        "HOST:PORT": kafka, "cases-dead-letters": letters, "PARTITION": str(letter.partition),
        "OFFSET": str(letter.offset), "SOURCE": source, "KEY": f"'{KEY.decode()}'",
    }  # fmt: skip
    for line in lines:
        typed = re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], line)
        subprocess.run(typed, shell=True, cwd=tmp_path, check=True, timeout=60)
    first, again = read(kafka, source)
    assert (again.key, again.value, again.partition) == (KEY, VALUE, first.partition)
