"""
Routes under `/_emulator`: the hands of a test on the world, from outside the process.

They move the clock, play a person at the platform's own pages, and tell which requests were served.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.emulator.world import World

PREFIX = "/_emulator"
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Hands(Protocol):
    """What a platform module offers to a person at its own pages."""

    def edit(self, world: World, remote_id: str, changes: dict[str, Any]) -> None:
        """Set raw fields; raises KeyError for an unknown id, ValueError for nonsense."""
        ...

    def remove(self, world: World, remote_id: str) -> None:
        """Take the thing away; raises KeyError for an unknown id."""
        ...


def routes(world: World, platforms: Mapping[str, Hands], served: deque[dict[str, Any]]) -> list[Route]:
    """Give the control routes, paths without the prefix; `served` is the list of requests, oldest first."""

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            body = await _body(request)
            try:
                _move(world, body)
            except (ValueError, OverflowError) as error:
                return _refused(400, str(error))
        return JSONResponse({"now": world.now().isoformat(), "offsetSeconds": world.data["clockOffset"]})

    async def person(request: Request) -> Response:
        body = await _body(request)
        platform, remote_id = body.get("platform"), body.get("id")
        if platform not in platforms or not isinstance(remote_id, str | int) or isinstance(remote_id, bool):
            return _refused(400, f"'platform' (one of {', '.join(platforms)}) and 'id' are needed")
        hands = platforms[str(platform)]
        try:
            if request.url.path.endswith("/remove"):
                hands.remove(world, str(remote_id))
            else:
                changes = body.get("changes")
                if not isinstance(changes, dict):
                    return _refused(400, "'changes' has to be an object")
                hands.edit(world, str(remote_id), changes)
        except KeyError:
            return _refused(404, f"{platform} has nothing with the id {remote_id}")
        except ValueError as error:
            return _refused(400, str(error))
        return Response(status_code=204)

    async def requests(_: Request) -> Response:
        return JSONResponse(list(served))

    async def reset(_: Request) -> Response:
        served.clear()
        return Response(status_code=204)

    async def table(request: Request) -> Response:
        platform, name = request.path_params["platform"], request.path_params["table"]
        rows = world.data["tables"].get(platform, {}).get(name)
        return _refused(404, f"no table {platform}/{name}") if rows is None else JSONResponse(rows)

    return [
        Route("/clock", clock, methods=["GET", "POST"]),
        Route("/edit", person, methods=["POST"]),
        Route("/remove", person, methods=["POST"]),
        Route("/requests", requests, methods=["GET"]),
        Route("/requests/reset", reset, methods=["POST"]),
        Route("/tables/{platform}/{table}", table, methods=["GET"]),
    ]


def parse_instant(text: object) -> datetime:
    """Give the instant of an ISO 8601 text with an offset, in UTC; raises ValueError otherwise."""
    if not isinstance(text, str):
        raise ValueError(f"a time in ISO 8601 is expected, found {text!r}")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time in ISO 8601") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; end it with Z or +00:00")
    return instant.astimezone(UTC)


def _move(world: World, body: Mapping[str, Any]) -> None:
    if set(body) == {"to"}:
        world.move_to(parse_instant(body["to"]))
        return
    seconds = body.get("advance")
    if set(body) != {"advance"} or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError('the clock takes {"to": ISO time} or {"advance": seconds}')
    world.now() + timedelta(seconds=seconds)  # raises OverflowError before the clock is spoilt
    world.advance(timedelta(seconds=seconds))


async def _body(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.body())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status)
