"""What LinkedIn's successful answers say: batches, pages, the dry run, a create. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from reconciler.errors import BadAnswer
from reconciler.model.resource import Found, Gone, Live, Reading, Unknown
from reconciler.platforms.linkedin import facts, refusals, wire
from reconciler.platforms.response import Response
from reconciler.platforms.session import PreflightFinding


def mapping(body: Any, name: str) -> Mapping[str, Any] | None:
    """Give an object inside an answer, None where there is none."""
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, Mapping) else None


def reading_of(remote_id: str, results: Mapping[str, Any], errors: Mapping[str, Any]) -> Reading:
    """Read one id's share of a batch answer; only not found (404) says gone, silence says nothing."""
    if remote_id in results:
        try:
            return Found(wire.from_wire(results[remote_id]))
        except BadAnswer as error:
            return Unknown(str(error))
    if remote_id not in errors:
        return Unknown("LinkedIn's batch answer leaves it out")
    found = refusals.problem(errors[remote_id])
    status = errors[remote_id].get("status") if isinstance(errors[remote_id], Mapping) else None
    if found.code == refusals.NOT_FOUND or status == 404:
        return Gone(f"LinkedIn answers {found.code or 'not found'} (404)")
    return Unknown(f"LinkedIn answers {found}" + (f" (status {status})" if status is not None else ""))


def next_token(body: Mapping[str, Any]) -> str:
    """Give the cursor of the next page, empty where the answer gives none."""
    metadata = body.get("metadata")
    token = metadata.get("nextPageToken") if isinstance(metadata, Mapping) else None
    return token if isinstance(token, str) else ""


def goes_on(body: Mapping[str, Any], got: int, reached: int) -> bool:
    """Tell whether a further page is to be expected: by `total` where it is shown, else when this page was full."""
    paging = body.get("paging")
    paging = paging if isinstance(paging, Mapping) else {}
    total, count = paging.get("total"), paging.get("count")
    if isinstance(total, int):
        return reached < total
    return got >= (count if isinstance(count, int) and 0 < count < facts.PAGE_SIZE else facts.PAGE_SIZE)


def finding_of(entry: Mapping[str, Any]) -> PreflightFinding:
    """Read one item of the dry run."""
    found = refusals.problem(entry)
    message = found.message + (f" ({', '.join(found.paths)})" if found.paths else "")
    return PreflightFinding(found.code, message, refusals.is_error(found.code, entry.get("level")), found.entity)


def created(response: Response) -> Live | None:
    """Give the created experiment where the answer shows it whole."""
    try:
        body = response.json()
        return wire.from_wire(body) if isinstance(body, Mapping) else None
    except BadAnswer:
        return None


def created_id(response: Response) -> str:
    """Give the id of a created resource: body, else `X-RestLi-Id`, else the end of `Location`; empty without any."""
    try:
        body = response.json()
        named = str(body.get("id", "")) if isinstance(body, Mapping) else ""
    except BadAnswer:
        named = ""
    header = unquote(response.headers.get("x-restli-id", "") or response.headers.get("x-linkedin-id", ""))
    location = unquote(response.headers.get("location", "").rstrip("/").rpartition("/")[2])
    return next((text for text in (named, header, location) if re.fullmatch(r"\d+", text)), "")
