"""
Salesforce Personalization on loopback: `abn-experiments` of the Connect REST API, SOQL listing, the token endpoint.

Written from the platform's pages alone. Where they are silent the emulator takes the stricter reading; the module that
decides says so.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.emulator.salesforce import handlers, query
from reconciler.emulator.salesforce.experiments import complete_rows
from reconciler.emulator.salesforce.hand import edit, remove
from reconciler.emulator.salesforce.http import METHODS, VERSIONS, Handler, endpoint
from reconciler.emulator.salesforce.lifecycle import tick
from reconciler.emulator.salesforce.oauth import TOKEN_PATH, token_endpoint
from reconciler.emulator.salesforce.tables import seed
from reconciler.emulator.world import World

PREFIX = "/salesforce"

__all__ = ["PREFIX", "edit", "remove", "routes", "seed", "tick"]

_DATA = "/services/data/{version}"
_EXPERIMENTS = f"{_DATA}/personalization/abn-experiments"
_PATHS: dict[str, dict[str, Handler]] = {
    _EXPERIMENTS: {"POST": handlers.create},
    f"{_EXPERIMENTS}/": {"POST": handlers.create},
    f"{_EXPERIMENTS}/{{target}}": {"GET": handlers.read, "PATCH": handlers.update, "DELETE": handlers.delete},
    f"{_DATA}/query": {"GET": query.run_query},
    f"{_DATA}/query/": {"GET": query.run_query},
    f"{_DATA}/query/{{target}}": {"GET": query.more},
    f"{_DATA}/limits": {"GET": query.limits},
    f"{_DATA}/limits/": {"GET": query.limits},
    f"{_DATA}/{{target:path}}": {},
}


def routes(world: World) -> list[Route]:
    """Give the platform's routes over `world`, paths without the prefix; whatever else is asked for is a JSON 404."""
    complete_rows(world)
    return [
        Route(TOKEN_PATH, token_endpoint(world), methods=METHODS),
        Route("/services/data", _versions, methods=["GET"]),
        Route("/services/data/", _versions, methods=["GET"]),
        *(Route(path, endpoint(world, on), methods=METHODS) for path, on in _PATHS.items()),
        Route("/{rest:path}", _nowhere, methods=METHODS),
    ]


async def _versions(request: Request) -> Response:
    """Answer the list of API versions, which needs no session."""
    shown = [
        {"label": label, "url": f"/services/data/{version}", "version": version[1:]}
        for version, label in VERSIONS.items()
    ]
    return JSONResponse(shown)


async def _nowhere(request: Request) -> Response:
    """Answer 404 for a path outside the data API."""
    message = "The requested resource does not exist"
    return JSONResponse([{"errorCode": "NOT_FOUND", "message": message}], 404)
