"""`python -m ops.local`: a Kafka in the foreground until Ctrl-C, for a developer's desk."""

import signal
import sys
from pathlib import Path

import click

from ops.local.failures import LocalServiceError
from ops.local.kafka import LocalKafka


@click.command()
@click.option("--port", default=9092, show_default=True, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Keep the data here; else it is temporary.")
def main(port: int, data_dir: Path | None) -> None:
    """Run a real Apache Kafka on this machine, without Docker and without an installed Java."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with LocalKafka.start(port, data_dir) as kafka:
            click.echo(f"Kafka serves {kafka.bootstrap} (process {kafka.pid}). Ctrl-C stops it.")
            signal.pause()
    except KeyboardInterrupt:
        click.echo("Kafka has stopped.")
    except LocalServiceError as problem:
        click.echo(str(problem), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
