"""What Salesforce's answers mean: errors in its own words, query pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.errors import BadAnswer, LimitReached, NotFound, PlatformError, Refused, Unauthorized
from reconciler.model.budget import Quota
from reconciler.platforms.response import Response

LIMIT_CODE: Final = "REQUEST_LIMIT_EXCEEDED"  # doc D27 D31
_DATA = "/services/data/"
_USAGE = re.compile(r"\bapi-usage=([0-9]{1,12})/([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Complaint:
    """The first error of an answer: the platform's code, and all its sentences with the fields they are about."""

    code: str
    words: str


def complaint(response: Response) -> Complaint:
    """
    Read an error body: a list of `{errorCode, message, fields}` (doc D26 D27), or an OAuth error object.

    Edge servers answer with HTML or nothing: then the words are the beginning of the body.
    """
    try:
        body = response.json()
    except BadAnswer:
        return Complaint("", response.excerpt or "no explanation was given")
    errors = [item for item in (body if isinstance(body, list) else [body]) if isinstance(item, Mapping)]
    sentences = [sentence for item in errors if (sentence := _sentence(item))]
    code = next((_code(item) for item in errors if _code(item)), "")
    return Complaint(code, "; ".join(sentences) or response.excerpt or "no explanation was given")


def _code(item: Mapping[str, Any]) -> str:
    return str(item.get("errorCode") or item.get("error") or "")


def _sentence(item: Mapping[str, Any]) -> str:
    message = item.get("message") or item.get("error_description") or ""
    fields = item.get("fields")
    about = f" (fields: {', '.join(map(str, fields))})" if isinstance(fields, list) and fields else ""
    return ": ".join(part for part in (_code(item), str(message)) if part) + about


def refusal(response: Response) -> PlatformError:
    """Give the error that an answer other than 2xx stands for."""
    told = complaint(response)
    kind: type[PlatformError]
    if told.code == LIMIT_CODE or response.status == 429:
        kind = LimitReached
    elif response.status in (401, 403):
        kind = Unauthorized
    elif response.status == 404:
        kind = NotFound
    elif response.status >= 500 or response.status == 408:
        kind = PlatformError  # of a read, which was repeated already; a write of that status is Unclear before
    else:
        kind = Refused
    return response.error(kind, told.words, code=told.code)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query: record ids, records, and the path and query of the next page ("" when it is the last)."""

    ids: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    next_path: str = ""
    next_query: str = ""


def query_page(response: Response) -> Page:
    """Read a query's answer (doc D35); raises BadAnswer for another shape, or a next page outside the API."""
    body = response.json()
    records = body.get("records") if isinstance(body, Mapping) else None
    if not isinstance(records, list) or not all(isinstance(row, Mapping) for row in records):
        raise response.bad_answer("a query result with records was expected")
    ids = tuple(row["Id"] for row in records if isinstance(row.get("Id"), str))
    if len(ids) != len(records):
        raise response.bad_answer("a record without Id in a query result")
    following = body.get("nextRecordsUrl")
    if not following or body.get("done") is True:
        return Page(ids, records)
    parts = urlsplit(str(following))
    start = parts.path.find(_DATA)
    if start < 0:
        raise response.bad_answer("the address of the next page is not one of the API")
    return Page(ids, records, parts.path[start:], parts.query)


def quota_told(connection: str, headers: Mapping[str, str], endpoint: str) -> Quota | None:
    """Give what `Sforce-Limit-Info: api-usage=10018/100000` tells of the org's requests in 24 hours; else None."""
    found = _USAGE.search(headers.get("sforce-limit-info", ""))
    if found is None or not int(found.group(2)):
        return None
    used, limit = int(found.group(1)), int(found.group(2))
    return Quota(connection, "requests of the org in 24 hours", limit, max(limit - used, 0))
