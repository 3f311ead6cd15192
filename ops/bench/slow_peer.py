"""A system that answers every request after 50 ms, in a process of its own: `python -m ops.bench.slow_peer`.

Prints its port. `GET /figures` tells how many requests it had at once. Touches loopback only.
"""

import asyncio
import json
import time

ANSWER_SECONDS = 0.05
_BODY = b'{"id": "1"}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"


class Figures:
    """Requests at once: the most, and the mean over time between the first and the last."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.answered = 0
        self.area = 0.0
        self.first = 0.0
        self.last = 0.0

    def change(self, by: int) -> None:
        at = time.perf_counter()
        self.first = self.first or at
        self.area += self.now * (at - (self.last or at))
        self.last = at
        self.now += by
        self.most = max(self.most, self.now)
        self.answered += by < 0

    def as_json(self) -> bytes:
        seconds = max(1e-9, self.last - self.first)
        return json.dumps(
            {"most": self.most, "mean": self.area / seconds, "answered": self.answered, "seconds": seconds}
        ).encode()


async def serve(figures: Figures, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept alive."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /figures"):
                body = figures.as_json()
            else:
                figures.change(1)
                await reader.readexactly(_length(head))
                await asyncio.sleep(ANSWER_SECONDS)
                figures.change(-1)
                body = _BODY
            writer.write(_ANSWER % (len(body), body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def main() -> None:
    """Until it is killed."""
    figures = Figures()
    server = await asyncio.start_server(lambda r, w: serve(figures, r, w), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
