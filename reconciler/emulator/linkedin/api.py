"""
The HTTP side of the emulated LinkedIn: headers, paths, queries, and which operation a request means.

Everything is read from the raw path and the raw query, as a client that lets a library encode the structural
characters of Rest.li must fail here as it would fail there.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.emulator.linkedin import campaigns, experiments, restli
from reconciler.emulator.linkedin.auth import Caller, caller, grant_token
from reconciler.emulator.linkedin.problems import Refused, bad_parameter, gateway
from reconciler.emulator.linkedin.seeds import complete
from reconciler.emulator.world import World

PREFIX = "/linkedin"
OLDEST_VERSION = "202602"
NEWEST_VERSION = "202611"
QUERY_LIMIT = 4096
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_FINDER = {"q", "search", "sort", "start", "count"}

Done: TypeAlias = tuple[int, Any, dict[str, str]]


@dataclass(frozen=True)
class Call:
    """One request whose headers are in order: path segments after `/rest`, raw query texts by name, parsed body."""

    world: World
    who: Caller
    method: str
    segments: tuple[str, ...]
    query: dict[str, str]
    restli_method: str | None
    content_type: str
    raw_body: bytes

    def demand(self, restli_method: str, *parameters: str, must_say: bool = False) -> None:
        """Raise Refused (400) for a query parameter not in the list, or an X-RestLi-Method that names another one."""
        for name in self.query:
            if name not in parameters and name != "fields":
                raise bad_parameter(name)
        said = self.restli_method
        if said is None and must_say:
            raise gateway(400, f"Header X-RestLi-Method: {restli_method} is required")
        if said is not None and said.lower() != restli_method:
            raise gateway(400, f"X-RestLi-Method {said} does not fit the request, which is {restli_method}")

    def body(self) -> dict[str, Any]:
        """Give the JSON object in the body; raises Refused (415 for another type, 400 for broken JSON)."""
        if self.content_type.partition(";")[0].strip().lower() != "application/json":
            raise gateway(415, "Content-Type has to be application/json")
        try:
            value = json.loads(self.raw_body, object_pairs_hook=_unique, parse_constant=_no_constant)
        except ValueError as error:
            raise gateway(400, f"The body is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise gateway(400, "The body has to be a JSON object")
        return value

    def key(self, position: int, name: str = "id") -> int:
        """Give a path key as a long; raises Refused (400)."""
        try:
            return restli.as_long(restli.decode(self.segments[position]))
        except restli.Malformed:
            raise bad_parameter(name) from None

    def ids(self) -> list[int]:
        """Give the ids of a batch get, each once; raises Refused (400)."""
        try:
            values = restli.as_list(restli.parse_value(self.query["ids"]))
            return list(dict.fromkeys(restli.as_long(value) for value in values))
        except restli.Malformed:
            raise bad_parameter("ids") from None


def routes(world: World) -> list[Route]:
    """
    Give the one route of the platform; what it means is decided from the raw path.

    Completes hand-written rows first; raises ValueError for one that cannot be completed.
    """
    complete(world)

    async def serve(request: Request) -> Response:
        raw_body = await request.body()
        try:
            status, body, headers = _answer(world, request, raw_body)
        except Refused as refusal:
            status, body, headers = refusal.status, refusal.body, {"X-RestLi-Error-Response": "true"}
        headers = {"X-RestLi-Protocol-Version": "2.0.0", "x-li-uuid": uuid.uuid4().hex, **headers}
        if body is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(body, status_code=status, headers=headers)

    return [Route("/{path:path}", serve, methods=METHODS)]


def _answer(world: World, request: Request, raw_body: bytes) -> Done:
    path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    path = path.partition("?")[0].removeprefix(PREFIX)
    headers = request.headers
    content_type = headers.get("content-type", "")
    if path == "/oauth/v2/accessToken":
        if request.method != "POST":
            raise gateway(405, "Method not allowed")
        return 200, grant_token(world, content_type, raw_body), {"Cache-Control": "no-store"}
    if not path.startswith("/rest/"):
        raise gateway(404, f"No virtual resource found for {path}", "RESOURCE_NOT_FOUND")
    who = caller(world, headers.get("authorization"))
    _check_versions(headers.get("linkedin-version"), headers.get("x-restli-protocol-version"))
    raw_query = request.scope["query_string"].decode("latin-1")
    if len(raw_query) > QUERY_LIMIT:
        raise gateway(414, "The query string is longer than 4 KB; tunnel it or ask for less")
    try:
        query = restli.parse_query(raw_query)
    except restli.Malformed as error:
        raise bad_parameter(str(error)) from None
    segments = tuple(path.removeprefix("/rest/").removesuffix("/").split("/"))
    said = headers.get("x-restli-method")
    call = Call(world, who, request.method, segments, query, said, content_type, raw_body)
    done = _operation(call)(call)
    return _projected(done, query.get("fields"))


def _check_versions(version: str | None, protocol: str | None) -> None:
    if version is None:
        raise gateway(
            400,
            "A version must be present. Please specify a version by adding the LinkedIn-Version header.",
            "VERSION_MISSING",
        )
    match = re.fullmatch(r"(20[0-9]{2}(?:0[1-9]|1[0-2]))(?:\.[0-9]{2})?", version)
    if not match:
        raise gateway(400, f"Invalid version {version}; YYYYMM is expected", "VERSION_INVALID")
    if not OLDEST_VERSION <= match.group(1) <= NEWEST_VERSION:
        raise gateway(426, f"Requested version {match.group(1)}01 is not active", "NONEXISTENT_VERSION")
    if protocol != "2.0.0":
        raise gateway(400, "Header X-RestLi-Protocol-Version: 2.0.0 is required", "ILLEGAL_ARGUMENT")


def _operation(call: Call) -> Callable[[Call], Done]:
    """Give what a request means; raises Refused (404, 405 or 400)."""
    match (call.segments, call.method):
        case (("adExperiments",), "GET"):
            return _batch_get if "ids" in call.query else _find
        case (("adExperiments",), "POST"):
            return _validate if "action" in call.query else _create
        case (("adExperiments", _), "GET"):
            return _get
        case (("adExperiments", _), "POST"):
            return _update
        case (("adExperiments", _), "DELETE"):
            return _delete
        case (("adExperimentResults",), "GET"):
            return _find_results
        case (("adExperimentResults", _), "GET"):
            return _get_result
        case (("adAccounts", _), "GET"):
            return _get_account
        case (("adAccounts", _, "adCampaigns" | "adCampaignGroups"), "GET"):
            return _list_entities
        case (("adAccounts", _, "adCampaigns" | "adCampaignGroups", _), "GET"):
            return _get_entity
    if call.segments[0] in ("adExperiments", "adExperimentResults", "adAccounts"):
        raise gateway(405, f"{call.method} is not offered on /{'/'.join(call.segments)}", "METHOD_NOT_ALLOWED")
    raise gateway(404, f"No virtual resource found for /{call.segments[0]}", "RESOURCE_NOT_FOUND")


def _create(call: Call) -> Done:
    call.demand("create")
    body = experiments.create(call.world, call.who, call.body())
    where = {"X-RestLi-Id": str(body["id"]), "Location": f"{PREFIX}/rest/adExperiments/{body['id']}"}
    return 201, body, where


def _validate(call: Call) -> Done:
    call.demand("action", "action")
    if call.query["action"] != "validateExperimentSetup":
        raise bad_parameter("action")
    return 200, experiments.validate(call.world, call.who, call.body()), {}


def _get(call: Call) -> Done:
    call.demand("get")
    return 200, experiments.get(call.world, call.who, call.key(1)), {}


def _batch_get(call: Call) -> Done:
    call.demand("batch_get", "ids")
    return 200, experiments.batch_get(call.world, call.who, call.ids()), {}


def _find(call: Call) -> Done:
    call.demand("finder", *_FINDER)
    if call.query.get("q") != "search":
        raise bad_parameter("q")
    return 200, experiments.find(call.world, call.who, call.query), {}


def _update(call: Call) -> Done:
    call.demand("partial_update", must_say=True)
    experiments.update(call.world, call.who, call.key(1), call.body())
    return 204, None, {}


def _delete(call: Call) -> Done:
    call.demand("delete")
    experiments.delete(call.world, call.who, call.key(1))
    return 204, None, {}


def _get_result(call: Call) -> Done:
    call.demand("get")
    return 200, experiments.get_result(call.world, call.who, call.key(1)), {}


def _find_results(call: Call) -> Done:
    """Answer each spelling of the page: `q=searchByCriteria` with a bare array as sampled, `q=search` as a finder."""
    call.demand("finder", "q", "criteria")
    found = experiments.find_results(call.world, call.who, call.query)
    if call.query.get("q") == "searchByCriteria":
        return 200, found, {}
    if call.query.get("q") == "search":
        paging = {"start": 0, "count": 10, "total": len(found), "links": []}
        return 200, {"elements": found, "paging": paging}, {}
    raise bad_parameter("q")


def _get_account(call: Call) -> Done:
    call.demand("get")
    return 200, campaigns.get_account(call.world, call.who, call.key(1, "adAccountId")), {}


def _get_entity(call: Call) -> Done:
    call.demand("get")
    account = call.key(1, "adAccountId")
    return 200, campaigns.get_one(call.world, call.who, account, call.segments[2], call.key(3)), {}


def _list_entities(call: Call) -> Done:
    account, resource = call.key(1, "adAccountId"), call.segments[2]
    if "ids" in call.query:
        call.demand("batch_get", "ids")
        return 200, campaigns.batch_get(call.world, call.who, account, resource, call.ids()), {}
    call.demand("finder", "q", "search", "pageSize", "pageToken")
    if call.query.get("q") != "search":
        raise bad_parameter("q")
    return 200, campaigns.find(call.world, call.who, account, resource, call.query), {}


def _projected(done: Done, raw: str | None) -> Done:
    """Keep only the top-level fields that `fields=a,b` names, in entities, elements and results of a batch."""
    if raw is None:
        return done
    if not re.fullmatch(r"[A-Za-z]+(,[A-Za-z]+)*", raw):
        raise bad_parameter("fields")
    status, body, headers = done
    names = set(raw.split(","))

    def keep(entity: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entity.items() if key in names}

    if isinstance(body, list):
        return status, [keep(entity) for entity in body], headers
    if isinstance(body, dict) and "elements" in body:
        return status, body | {"elements": [keep(entity) for entity in body["elements"]]}, headers
    if isinstance(body, dict) and "results" in body:
        return status, body | {"results": {key: keep(one) for key, one in body["results"].items()}}, headers
    return status, keep(body) if isinstance(body, dict) and "value" not in body else body, headers


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
