"""Ports on the loopback interface: is one free, and which one may a broker have."""

import random
import socket
from collections.abc import Collection

# Below the range systems hand out for outgoing connections, so that none sits on the port while a broker restarts.
LOWEST, HIGHEST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's remains do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(*, besides: Collection[int] = ()) -> int:
    """A port that is free now; random, so that parallel runs rarely try the same one."""
    candidates = random.sample(range(LOWEST, HIGHEST), k=1000)
    return next(port for port in candidates if port not in besides and is_free(port))
