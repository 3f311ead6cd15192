"""A stateful stand-in for ReturnGO and Shopify, for the demo, the tests and training.

It imports nothing of the product, so that its books are an independent judge of what really happened.
"""

import os
import sys


def main(host: str, port: int) -> int:
    """Run the sandbox until it is told to stop; returns the exit status (2: it cannot listen there)."""
    from ops.sandbox.server import serve  # here, so that the command line starts fast
    from ops.sandbox.settings import Settings

    try:
        return serve(host, port, Settings(run=os.environ.get("RETURNFLOW_RUN", "")))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        sys.stderr.write(f"sandbox: cannot listen on {host}:{port}: {reason}; choose another port or host\n")
        return 2
