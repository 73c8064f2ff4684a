"""
The paths of the platform, and the order in which a request is looked at.

Signature, then route and version, method, account, permission, query, body. The headers of the rate limits and of the
API version are on every answer, refusals included.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.emulator.world import World
from reconciler.emulator.x_ads import ab_tests, query, rates, reads, rows
from reconciler.emulator.x_ads.auth import Gate
from reconciler.emulator.x_ads.calls import Answer, Call
from reconciler.emulator.x_ads.refusals import Refusal, refusal

PREFIX = "/x-ads"
VERSIONS = ("11", "12")
WRITERS = frozenset({"ACCOUNT_ADMIN", "AD_MANAGER"})
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]

Handler: TypeAlias = Callable[[Call], Answer]

_TABLE: tuple[tuple[str, rates.Limit, Mapping[str, Handler]], ...] = (
    ("/accounts", rates.GLOBAL_READS, {"GET": reads.accounts}),
    ("/accounts/{account_id}", rates.ACCOUNT_READS, {"GET": reads.account}),
    ("/accounts/{account_id}/authenticated_user_access", rates.ACCOUNT_READS, {"GET": reads.user_access}),
    ("/accounts/{account_id}/campaigns", rates.ENTITY_READS, {"GET": reads.campaigns}),
    ("/accounts/{account_id}/line_items", rates.ENTITY_READS, {"GET": reads.line_items}),
    ("/accounts/{account_id}/ab_tests", rates.ACCOUNT_READS, {"GET": ab_tests.read, "POST": ab_tests.create}),
    (
        "/accounts/{account_id}/ab_tests/{ab_test_id}",
        rates.ACCOUNT_READS,
        {"PUT": ab_tests.update, "DELETE": ab_tests.delete},
    ),
)


def routes(world: World, real_time: Callable[[], float] = time.time) -> list[Route]:
    """
    Give the routes of the platform, without its prefix, on the tables of `world`.

    `real_time` gives Unix seconds for timestamps, nonces and rate windows, which do not follow the world's clock.
    """
    gate = Gate(lambda: rows.table(world, "credentials"), lambda: real_time() + world.skew_s)
    counted = rates.Rates(real_time)
    found = [
        Route("/{version}" + path, _Endpoint(world, gate, counted, path, limit, handlers).serve, methods=_METHODS)
        for path, limit, handlers in _TABLE
    ]
    nowhere = _Endpoint(world, gate, counted, "", rates.ACCOUNT_READS, {})
    return [*found, Route("/{rest:path}", nowhere.serve, methods=_METHODS)]


class _Endpoint:
    """One path: authenticates, dispatches by method, and writes envelopes and headers."""

    def __init__(
        self,
        world: World,
        gate: Gate,
        counted: rates.Rates,
        path: str,
        limit: rates.Limit,
        handlers: Mapping[str, Handler],
    ) -> None:
        self._world = world
        self._gate = gate
        self._counted = counted
        self._path = path
        self._limit = limit
        self._handlers = handlers

    async def serve(self, request: Request) -> Response:
        """Answer one request; never raises a `Refusal`."""
        body = await request.body()
        user = "nobody"
        path = {key: value for key, value in request.path_params.items() if key.endswith("_id")}
        try:
            caller = self._gate.admit(request, body)
            user = caller.user_id
            answer = self._handler(request)(self._call(request, body, caller, path))
        except Refusal as refused:
            params = {key: path[key] for key in ("account_id",) if key in path}
            errors = [problem.shown() for problem in refused.problems]
            return self._response(request, user, refused.status, {"errors": errors, "request": {"params": params}})
        content = {"request": {"params": {**path, **answer.params}}, "data": answer.data, **answer.beside}
        return self._response(request, user, answer.status, content)

    def _handler(self, request: Request) -> Handler:
        if not self._handlers or request.path_params["version"] not in VERSIONS:
            raise refusal(404, "ROUTE_NOT_FOUND", f"The path {request.url.path} is not served")
        handler = self._handlers.get(request.method)
        if handler is None:
            raise refusal(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed on this path")
        return handler

    def _call(self, request: Request, body: bytes, caller: Any, path: Mapping[str, str]) -> Call:
        account_id = path.get("account_id", "")
        reading = request.method == "GET"
        if account_id:
            row = rows.table(self._world, "accounts").get(account_id)
            permissions = caller.permissions.get(account_id)
            if row is None or row.get("deleted") or not permissions:
                message = f'Account "{account_id}" was not found'
                raise refusal(403, "ACCOUNT_NOT_FOUND", message, parameter="account_id", value=account_id)
            if not reading and not WRITERS.intersection(permissions):
                raise refusal(403, "ACTION_NOT_ALLOWED", "The user's role on this account does not allow changes")
        values = query.decoded(request.scope["query_string"].decode("latin-1"))
        if not reading:
            query.Query(values, frozenset()).findings.settle()
        return Call(self._world, caller, account_id, path, values, request.headers.get("content-type"), body)

    def _response(self, request: Request, user: str, status: int, content: dict[str, Any]) -> Response:
        reading = request.method in ("GET", "HEAD")
        kind, limit = (self._path, self._limit) if reading else ("writes", rates.WRITES)
        headers = {**self._counted.headers(user, kind, limit), "x-current-api-version": VERSIONS[-1]}
        # A lone surrogate out of a JSON escape goes back as the escape it came from.
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return Response(text, status, headers, media_type="application/json")
