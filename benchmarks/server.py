"""
A stand-in for the three platforms that is fast enough not to be what is measured.

It answers in the shapes of the platforms' pages for the experiments of `experiments.py`, and takes the changes that an
apply sends. It checks nothing (the emulator does); it counts. `GET /_stats` gives what was asked since `POST /_reset`:
requests, bytes, and with `?log=1` each request, so that a bare client can ask for the same again.

    python benchmarks/server.py --port 8900 --count 10000 --latency-ms 0
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from experiments import LINKEDIN, PER_ACCOUNT, SALESFORCE, X_ADS, Experiment, account_of, number_of, wire

IDS = re.compile(r"ids=List\(([0-9,]+)\)")
_X_ACCOUNT = re.compile(r"/x-ads/12/accounts/([^/]+)/ab_tests(?:/([^/]+))?")
_SF = re.compile(r"/salesforce/services/data/v[0-9.]+/personalization/abn-experiments/([^/]*)")


class Answers:
    """What the platforms hold and how they answer."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.changed: dict[int, dict[str, Any]] = {}
        self.reset()
        self.x_accounts = {account_of(X_ADS, index): index for index in range(count // 10 * 4 // PER_ACCOUNT + 1)}
        self.one = lru_cache(maxsize=2 * count + 1)(self._one)

    def reset(self) -> None:
        """Begin to count anew."""
        self.requests = self.received = self.sent = 0
        self.log: list[tuple[str, str, str]] = []

    def _one(self, number: int) -> bytes:
        return json.dumps(wire(Experiment(number), self.changed.get(number)), separators=(",", ":")).encode()

    def change(self, number: int, fields: dict[str, Any]) -> None:
        """Lay fields over an experiment."""
        self.changed[number] = {**self.changed.get(number, {}), **fields}
        self.one.cache_clear()

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Give status and body for one request."""
        parts = urlsplit(target)
        path = parts.path
        if path == "/_stats":
            stats: dict[str, Any] = {"requests": self.requests, "received": self.received, "sent": self.sent}
            if "log" in parts.query:
                stats["log"] = self.log
            return 200, json.dumps(stats).encode()
        if path == "/_reset":
            self.reset()
            return 200, b"{}"
        self.requests += 1
        self.received += len(body)
        self.log.append((method, target, body.decode()))
        if path.startswith("/linkedin/"):
            return self._linkedin(method, path, unquote(parts.query), body)
        if path.startswith("/x-ads/"):
            return self._x_ads(method, path, parts.query, body)
        return self._salesforce(method, path, body)

    def _linkedin(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        if "action=validateExperimentSetup" in query:
            return 200, b'{"value":{"errors":[],"warnings":[]}}'
        ids = IDS.search(query)
        if ids is not None:
            listed = [(one, number_of(LINKEDIN, one)) for one in ids.group(1).split(",")]
            found = b",".join(b'"%s":%s' % (one.encode(), self.one(number)) for one, number in listed)
            return 200, b'{"results":{%s},"errors":{}}' % found
        if "q=search" in query:
            return 200, b'{"elements":[],"paging":{"start":0,"count":100,"total":0,"links":[]}}'
        number = number_of(LINKEDIN, path.rsplit("/", 1)[-1])
        if method == "GET":
            return 200, self.one(number)
        self.change(number, json.loads(body)["patch"]["$set"])
        return 204, b""

    def _x_ads(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        match = _X_ACCOUNT.fullmatch(path)
        assert match is not None, path
        account, remote_id = match.groups()
        if method == "PUT":
            number = number_of(X_ADS, remote_id)
            self.change(number, json.loads(body))
            return 200, b'{"request":{"params":{}},"data":%s}' % self.one(number)
        asked = parse_qs(query)
        if "ab_test_ids" in asked:
            numbers = [number_of(X_ADS, one) for one in asked["ab_test_ids"][0].split(",")]
            cursor = b"null"
        else:
            first = self.x_accounts[account] * PER_ACCOUNT
            start = int(asked.get("cursor", ["0"])[0])
            size = int(asked.get("count", ["200"])[0])
            ranks = range(first + start, first + min(PER_ACCOUNT, start + size))
            numbers = [number for rank in ranks if (number := rank // 4 * 10 + 5 + rank % 4) < self.count]
            cursor = b'"%d"' % (start + size) if start + size < PER_ACCOUNT else b"null"
        data = b",".join(self.one(number) for number in numbers)
        return 200, b'{"request":{"params":{"account_id":"%s"}},"data":[%s],"next_cursor":%s}' % (
            account.encode(),
            data,
            cursor,
        )

    def _salesforce(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if path == "/salesforce/services/oauth2/token":
            return 200, b'{"access_token":"00Dbenchmark","scope":"api","token_type":"Bearer"}'
        match = _SF.fullmatch(path)
        assert match is not None, path
        number = number_of(SALESFORCE, match.group(1))
        if method == "PATCH" and body:
            self.change(number, json.loads(body))
        return 200, self.one(number)


class _Protocol(asyncio.Protocol):
    def __init__(self, answers: Answers, latency_s: float) -> None:
        self.answers = answers
        self.latency_s = latency_s
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while (end := self.pending.find(b"\r\n\r\n")) >= 0:
            head = self.pending[:end]
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(self.pending) < end + 4 + length:
                return
            body = self.pending[end + 4 : end + 4 + length]
            self.pending = self.pending[end + 4 + length :]
            method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
            self._answer(method.decode(), target.decode(), body)

    def _answer(self, method: str, target: str, body: bytes) -> None:
        try:
            status, content = self.answers.answer(method, target, body)
        except (AssertionError, KeyError, IndexError, ValueError) as error:
            status, content = 400, json.dumps({"message": repr(error), "target": target}).encode()
        kind = b"" if status == 204 else b"Content-Type: application/json\r\n"
        answer = b"HTTP/1.1 %d OK\r\n%sContent-Length: %d\r\n\r\n" % (status, kind, len(content)) + content
        self.answers.sent += len(answer)
        if self.latency_s and not target.startswith("/_"):
            asyncio.get_running_loop().call_later(self.latency_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


async def serve(port: int, count: int, latency_ms: float) -> None:
    """Answer on loopback until the process is told to stop; says the port when it is ready."""
    answers = Answers(count)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: _Protocol(answers, latency_ms / 1000), "127.0.0.1", port, backlog=512)
    for index in range(count):
        answers.one(index)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--count", type=int, default=1_000)
    options.add_argument("--latency-ms", type=float, default=0.0)
    given = options.parse_args()
    asyncio.run(serve(given.port, given.count, given.latency_ms))
