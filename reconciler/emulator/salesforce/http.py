"""
What every call of the data API goes through: session, version, method, body; and how its answer is written.

Strings of Connect answers are HTML-escaped unless `X-Chatter-Entity-Encoding: false` is sent ("Entity encoding" of the
Connect REST API guide); query and limits answers never are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reconciler.emulator.salesforce.errors import Refused, not_found, refusal
from reconciler.emulator.salesforce.sessions import Session, open_session
from reconciler.emulator.salesforce.tables import setting
from reconciler.emulator.world import World

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
VERSIONS = {"v65.0": "Winter '26", "v66.0": "Spring '26", "v67.0": "Summer '26", "v68.0": "Winter '27"}
MAX_URI_BYTES = 16_384
_LAST_RETIRED = 30
_VERSION = re.compile(r"v(\d+)\.0")
_ENTITIES = {"<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\\": "&#92;", "&": "&amp;"}
_ESCAPE = str.maketrans(_ENTITIES)


@dataclass(frozen=True)
class Call:
    """One authorised request of the data API: `version` as in the path, `target` the path's own parameter."""

    world: World
    version: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes
    session: Session

    def body(self) -> dict[str, Any]:
        """Give the JSON object of the body, empty where there is no body. Refuses any other content (400, 415)."""
        if not self.raw_body.strip():
            return {}
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"content type {kind or 'none'} is not supported")
        try:
            content = json.loads(self.raw_body, parse_constant=_no_constant)
            json.dumps(content, ensure_ascii=False).encode()  # a lone surrogate is no text
        except (ValueError, RecursionError) as error:
            raise refusal(400, "JSON_PARSER_ERROR", f"the body is not JSON: {error}") from None
        if not isinstance(content, dict):
            raise refusal(400, "JSON_PARSER_ERROR", "the body must be a JSON object")
        return content

    def answer(self, content: Any, status: int = 200) -> Response:
        """Give a Connect answer: strings escaped unless the caller asked for them as they are."""
        plain = self.headers.get("x-chatter-entity-encoding", "").strip().lower() == "false"
        return JSONResponse(content if plain else escaped(content), status)


Handler: TypeAlias = Callable[[Call], Response]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def escaped(content: Any) -> Any:
    """Give the same JSON value with every string, keys apart, HTML-escaped."""
    match content:
        case str():
            return content.translate(_ESCAPE)
        case list():
            return [escaped(item) for item in content]
        case dict():
            return {key: escaped(item) for key, item in content.items()}
    return content


def usage(world: World) -> str:
    """Give the value of `Sforce-Limit-Info`: data API requests so far and the day's allocation."""
    return f"api-usage={world.data['counters'].get('salesforce.requests', 0)}/{setting(world, 'daily_requests')}"


def check_version(version: str) -> None:
    """Refuse a version that is retired (410) or does not know this API (404)."""
    if version in VERSIONS:
        return
    form = _VERSION.fullmatch(version)
    if form and int(form[1]) <= _LAST_RETIRED:
        raise refusal(410, "UNSUPPORTED_API_VERSION", f"API version {version} is retired")
    raise not_found()


def endpoint(world: World, handlers: Mapping[str, Handler]) -> Endpoint:
    """Give the endpoint of one path of the data API: a handler for each method; HEAD goes the way of GET."""

    async def serve(request: Request) -> Response:
        raw_body = await request.body()
        try:
            response = _serve(world, request, raw_body, handlers)
        except Refused as refused:
            response = JSONResponse([problem.as_json() for problem in refused.problems], refused.status)
        response.headers["Sforce-Limit-Info"] = usage(world)
        return response

    return serve


def _serve(world: World, request: Request, raw_body: bytes, handlers: Mapping[str, Handler]) -> Response:
    uri_bytes = len(request.scope.get("raw_path") or request.url.path) + len(request.scope.get("query_string", b""))
    if uri_bytes > MAX_URI_BYTES:
        raise refusal(414, "URI_TOO_LONG", f"the URI is longer than {MAX_URI_BYTES} bytes")
    session = open_session(world, request.headers.get("authorization", ""))
    world.next_number("salesforce.requests")
    version = str(request.path_params.get("version", ""))
    check_version(version)
    if not handlers:
        raise not_found()
    method = request.method
    if method == "POST" and "_HttpMethod" in request.query_params:  # the Connect guide's override for old clients
        method = request.query_params["_HttpMethod"].upper()
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        allowed = ",".join(sorted({*handlers, "HEAD"} if "GET" in handlers else handlers))
        raise refusal(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")
    if method not in ("GET", "HEAD") and session.read_only:
        raise refusal(403, "INSUFFICIENT_ACCESS", "You do not have the rights to change this record")
    target = str(request.path_params.get("target", ""))
    return handler(Call(world, version, target, request.query_params, request.headers, raw_body, session))
