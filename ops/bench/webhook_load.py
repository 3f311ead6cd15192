"""Sends signed webhooks to a gateway and prints how long each took. A process of its own, so it slows nothing it times.

`python -m ops.bench.webhook_load PORT SECRET CONNECTIONS SECONDS RATE` (RATE 0: as fast as answers come).
"""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time

MERCHANT = "bench-shop"


def request(number: int, secret: str) -> bytes:
    """A complete HTTP request of an order update of usual size, unlike any other."""
    lines = [{"id": number * 100 + i, "sku": f"BENCH-{i}", "quantity": 1, "price": "19.90"} for i in range(12)]
    body = json.dumps({"id": number, "name": f"#{number}", "line_items": lines, "tags": ""}).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    head = (
        f"POST /shopify/{MERCHANT} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"X-Shopify-Topic: orders/updated\r\nX-Shopify-Webhook-Id: bench-{number}\r\n"
        f"X-Shopify-Hmac-Sha256: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _client(port: int, requests: list[bytes], every_seconds: float, until: float, took: list[float]) -> int:
    """One connection; latencies count from when a request was due, so a slow answer is not hidden by waiting for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    refused, due = 0, time.perf_counter()
    for each in requests:
        if every_seconds:
            due += every_seconds
            await asyncio.sleep(max(due - time.perf_counter(), 0))
        else:
            due = time.perf_counter()
        if due > until:
            break
        writer.write(each)
        head = await reader.readuntil(b"\r\n\r\n")
        refused += not head.startswith(b"HTTP/1.1 202")
        took.append(time.perf_counter() - due)
    writer.close()
    return refused


async def load(port: int, secret: str, connections: int, seconds: float, rate: float) -> dict[str, float]:
    """Requests per second, p50 and p99 in milliseconds, and how many were not answered 202."""
    each = int(seconds * (rate or 4000) / connections) + 1
    work = [[request(c * each + i + 1, secret) for i in range(each)] for c in range(connections)]
    took: list[float] = []
    started = time.perf_counter()
    every = connections / rate if rate else 0.0
    clients = (_client(port, requests, every, started + seconds, took) for requests in work)
    refused = sum(await asyncio.gather(*clients))
    spent = time.perf_counter() - started
    took.sort()
    return {
        "per_second": len(took) / spent,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
        "refused": refused,
    }


if __name__ == "__main__":
    port, secret, connections, seconds, rate = sys.argv[1:]
    figures = asyncio.run(load(int(port), secret, int(connections), float(seconds), float(rate)))
    print(json.dumps(figures))
