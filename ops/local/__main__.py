"""`python -m ops.local`: a Kafka in the foreground, for a developer's desk, or for a supervisor with `--become`."""

import os
import signal
import sys
import time
from pathlib import Path

import click

from ops.local.failures import LocalServiceError
from ops.local.kafka import BROKER_PID, LocalKafka
from ops.local.pid_file import held

LOOK_SECONDS = 0.5


@click.command()
@click.option("--port", default=9092, show_default=True, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Keep the data here; else it is temporary.")
@click.option("--become", is_flag=True, help="Prepare the data, then become the broker: one process less to watch.")
def main(port: int, data_dir: Path | None, become: bool) -> None:
    """Run a real Apache Kafka on this machine, without Docker and without an installed Java."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if become:
            _become(port, data_dir)
        with LocalKafka.start(port, data_dir) as kafka:
            click.echo(f"Kafka serves {kafka.bootstrap} (process {kafka.pid}). Ctrl-C stops it.")
            while kafka.exit_status is None:
                time.sleep(LOOK_SECONDS)
            click.echo(f"Kafka ended by itself with status {kafka.exit_status}.", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Kafka has stopped.")
    except LocalServiceError as problem:
        click.echo(str(problem), err=True)
        sys.exit(2)


def _become(port: int, data_dir: Path | None) -> None:
    """Does not return: a broker that ends, by whatever, is the end of this process."""
    if not port or data_dir is None:
        raise click.UsageError("--become needs a --port and a --data-dir: what is restarted must be found again")
    command = LocalKafka.command(port, data_dir)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with held(data_dir / BROKER_PID) as lock:
        lock.write(str(os.getpid()))
        lock.flush()
        os.set_inheritable(lock.fileno(), True)
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606  # no shell is what we want


if __name__ == "__main__":
    main()
