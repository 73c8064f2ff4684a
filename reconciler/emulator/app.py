"""
The shared server of the three platforms: one ASGI app that keeps the rules common to all.

A request goes: its whole body is read, faults are looked up, and then, holding `world.lock`, the clock is applied
(`tick`), the platform's handler runs, and the world is saved, all before the first byte of the answer leaves. So an
answer that a client saw is on disk, and two requests never interleave. Handlers of a platform must not wait for
anything outside; plain functions are called in place, without a thread.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import json
import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send

from reconciler.emulator import control
from reconciler.emulator.faults import Effect, Faults
from reconciler.emulator.seed import PLATFORMS
from reconciler.emulator.world import World

PREFIXES = {name: module.PREFIX for name, module in PLATFORMS.items()}
_LOG = logging.getLogger(__name__)
_SAVE_CHECK_S = 1.0
_DRIPS = 16
_NEVER_STALE = ("credentials", "sessions", "users", "clients", "refreshTokens")


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Emulator(Starlette):
    """The app; `served` lists the requests since the start, oldest first."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self.served: deque[dict[str, Any]] = deque(maxlen=100_000)
        self._before: dict[str, Any] | None = None
        self._checked_at = 0.0
        mounts = [Mount(module.PREFIX, routes=_direct(module.routes(world))) for module in PLATFORMS.values()]
        hands = Mount(control.PREFIX, routes=control.routes(world, PLATFORMS, self.served))
        super().__init__(routes=[*mounts, hands])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        body = await _read(receive)
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        query, method, platform = scope["query_string"].decode("latin-1"), scope["method"], _platform(path)
        if platform is None:
            await _send(send, await self._serve(scope, body, Effect()))
            return
        effect = self.faults.take(platform, method, path, query) or Effect()
        if effect.delay_s:
            await asyncio.sleep(effect.delay_s)
        answer: _Answer | None = None
        skip = effect.drop == "before" or (effect.status is not None and not effect.commit)
        if not skip:
            answer = await self._serve(scope, body, effect)
        self._by_hand(platform, effect)
        answer = _altered(answer, effect)
        entry = {"platform": platform, "method": method, "path": path, "query": query}
        self.served.append({**entry, "body": _json(body), "status": None if answer is None else answer.status})
        await _deliver(send, answer, effect)

    def _by_hand(self, platform: str, effect: Effect) -> None:
        """Do what a person does at the platform's own pages meanwhile; what is not there is left alone."""
        with self.world.lock:
            for hand in effect.hands:
                try:
                    if hand.changes is None:
                        PLATFORMS[platform].remove(self.world, hand.remote_id)
                    else:
                        PLATFORMS[platform].edit(self.world, hand.remote_id, dict(hand.changes))
                except (KeyError, ValueError) as error:
                    _LOG.warning("faults: %s: %s", hand.remote_id, error)

    async def _serve(self, scope: Scope, body: bytes, effect: Effect) -> _Answer:
        """Run the platform's handler under the lock and save what it did; what a handler raises becomes a 500."""
        stale = effect.stale and scope["method"] == "GET"
        with self.world.lock, self._off(effect):
            try:
                for module in PLATFORMS.values():
                    module.tick(self.world)
            except Exception:
                return _broken(scope)
            writes = scope["method"] not in ("GET", "HEAD")
            before = copy.deepcopy(self.world.data["tables"]) if writes and self.faults.want_history else None
            current = self.world.data["tables"]
            if stale and self._before is not None:
                self.world.data["tables"] = _aged(self._before, current)
            try:
                answer = await self._run(scope, body)
            finally:
                if stale:
                    self.world.data["tables"] = current
            if before is not None and before != current:
                self._before = before
            self._save(writes)
            return answer

    @contextmanager
    def _off(self, effect: Effect) -> Iterator[None]:
        """Let the clock, the one that signatures are judged by too, and the length of jobs be off for a moment."""
        self.world.skew_s, self.world.job_s = effect.clock_s, effect.job_s
        try:
            yield
        finally:
            self.world.skew_s, self.world.job_s = 0.0, None

    async def _run(self, scope: Scope, body: bytes) -> _Answer:
        collected = _Collector()
        try:
            await super().__call__(scope, _replay(body), collected)
        except Exception:
            return _broken(scope)
        return collected.answer()

    def _save(self, writes: bool) -> None:
        """Save after a write; after a read only now and then, as what the clock did can be worked out again."""
        now = time.monotonic()
        if writes or now - self._checked_at >= _SAVE_CHECK_S:
            self._checked_at = now
            self.world.save()


def build(world: World, faults: Faults | None = None) -> Emulator:
    """Give the app of the emulated platforms over `world`: `/linkedin`, `/x-ads`, `/salesforce`, `/_emulator`."""
    return Emulator(world, faults or Faults())


def _direct(routes: list[Route]) -> list[Route]:
    """Give the routes with plain functions made into coroutines, so that none is sent off to a thread."""
    return [
        route
        if inspect.iscoroutinefunction(route.endpoint)
        else Route(route.path, _in_place(route.endpoint), methods=route.methods, name=route.name)
        for route in routes
    ]


def _in_place(endpoint: Callable[[Request], Response]) -> Callable[[Request], Any]:
    @functools.wraps(endpoint)
    async def call(request: Request) -> Response:
        return endpoint(request)

    return call


def _aged(before: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """Give the tables as they were, but for who may ask: a copy that lags in its data knows today's tokens."""
    tables: dict[str, Any] = copy.deepcopy(before)
    for platform, found in current.items():
        tables.setdefault(platform, {}).update({name: found[name] for name in _NEVER_STALE if name in found})
    return tables


def _platform(path: str) -> str | None:
    for name, prefix in PREFIXES.items():
        if path == prefix or path.startswith(prefix + "/"):
            return name
    return None


def _broken(scope: Scope) -> _Answer:
    """Log the exception at hand and give the answer that no platform would give."""
    _LOG.exception("the emulator failed at %s %s", scope["method"], scope["path"])
    headers = ((b"content-type", b"application/json"),)
    return _Answer(500, headers, b'{"status": 500, "message": "Internal error of the emulator"}')


class _Collector:
    """An ASGI send that keeps the answer."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], tuple(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))

    def answer(self) -> _Answer:
        return _Answer(self.status, self.headers, b"".join(self.parts))


def _altered(answer: _Answer | None, effect: Effect) -> _Answer | None:
    """Give the answer as the fault wants it; None when the connection is to be closed without one."""
    if effect.drop is not None:
        return None
    extra = tuple((name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in effect.headers)
    if effect.status is not None:
        return _Answer(effect.status, extra, effect.body)
    if answer is None or not extra:
        return answer
    names = {name for name, _ in extra}
    return replace(answer, headers=(*(pair for pair in answer.headers if pair[0].lower() not in names), *extra))


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _deliver(send: Send, answer: _Answer | None, effect: Effect) -> None:
    """
    Send an answer, or break the connection: without one when it is None, after `truncate` bytes of its body otherwise.

    The server's transport is reached through the bound `send` of uvicorn; without a socket (an app called in the same
    process) a ConnectionResetError is raised for the caller to see.
    """
    if answer is not None and effect.truncate is None:
        await _send(send, answer, effect.drip_s)
        return
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if answer is not None:
        part = answer.body[: effect.truncate]
        await send({"type": "http.response.start", "status": answer.status, "headers": _sized(answer)})
        await send({"type": "http.response.body", "body": part, "more_body": transport is not None})
        if transport is not None:
            transport.close()
            await asyncio.sleep(0.01)
        return
    if transport is None:
        raise ConnectionResetError("the emulator closed the connection without an answer, as its faults ask")
    if effect.reset:  # without lingering, the system sends a reset instead of a proper end
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.close()
    await asyncio.sleep(0.01)  # lets the server notice, so that it does not try to send an answer of its own


async def _send(send: Send, answer: _Answer, drip_s: float = 0.0) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _sized(answer)})
    if drip_s:
        size = max(-(-len(answer.body) // _DRIPS), 1)
        for start in range(0, len(answer.body), size):
            await asyncio.sleep(drip_s)
            await send({"type": "http.response.body", "body": answer.body[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": answer.body})


def _sized(answer: _Answer) -> list[tuple[bytes, bytes]]:
    headers = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return headers


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
