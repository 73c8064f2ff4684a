"""
What LinkedIn means when it says no: every shape of its error answers, read into one error with the platform's words.

One failure, several failures (`MULTIPLE_VALIDATIONS_FAILED`), one id of a batch, the gateway's own, a retired version,
a bad parameter: they share `code`, `message` and `status`, of which any may be missing. Codes are an open list, and
`errorDetailType` contradicts itself on LinkedIn's page, so nothing is decided by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import BadAnswer, NotFound, PlatformError, Refused, Unauthorized
from reconciler.platforms.linkedin import facts
from reconciler.platforms.response import Response

NOT_FOUND = "EXPERIMENT_NOT_FOUND"
NOT_DELETABLE = "DELETION_NOT_ALLOWED"
ROLES = (
    "the scope rw_ads and one of the roles ACCOUNT_BILLING_ADMIN, ACCOUNT_MANAGER, CAMPAIGN_MANAGER in the ad account"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure as LinkedIn names it; `paths` are fields as people write them, `entity` is `campaign urn:…`."""

    code: str = ""
    message: str = ""
    paths: tuple[str, ...] = ()
    entity: str = ""

    def __str__(self) -> str:
        words = ": ".join(part for part in (self.code, self.message) if part) or "no reason given"
        about = [*self.paths, *([self.entity] if self.entity else [])]
        return f"{words} ({', '.join(about)})" if about else words


def refusal(response: Response, api_version: str = "") -> PlatformError:
    """Give the error that an answer outside 2xx means: NotFound, Unauthorized or Refused, with the platform's words."""
    body = _object(response)
    top = problem(body)
    found = tuple(problems(body))
    words = "; ".join(str(item) for item in found) if body else response.excerpt or "no reason given"
    if response.status == 426:
        return response.error(
            Refused,
            f"LinkedIn does not serve API version {api_version or 'of this connection'} any more; set a newer one as "
            f"connections.{response.connection}.api_version ({words})",
            code=top.code or "NONEXISTENT_VERSION",
        )
    if response.method == "DELETE" and response.status in (400, 405):
        return response.error(Refused, f"only a PENDING experiment can be deleted: {words}", code=NOT_DELETABLE)
    if is_not_found(response, body):
        return response.error(NotFound, words, code=NOT_FOUND)
    if response.status == 403:
        return response.error(Unauthorized, f"{words}; it needs {ROLES}", code=top.code or "FORBIDDEN")
    return response.error(Refused, words, code=top.code)


def is_not_found(response: Response, body: Mapping[str, Any] | None = None) -> bool:
    """
    Tell whether LinkedIn says that the experiment does not exist.

    A 404 alone is no proof (a wrong base URL gives one too): the code counts, or a Rest.li error without one.
    """
    if response.status != 404:
        return False
    code = problem(_object(response) if body is None else body).code
    return code == NOT_FOUND or (not code and response.headers.get("x-restli-error-response", "").lower() == "true")


def problem(item: Any) -> Problem:
    """Read one failure, wherever it stands: `code`, `message`, and what `detail` or `errorDetails` adds."""
    if not isinstance(item, Mapping):
        return Problem()
    detail = item.get("detail")
    if not isinstance(detail, Mapping):
        detail = item.get("errorDetails")
    detail = detail if isinstance(detail, Mapping) else {}
    code = _text(item.get("code"))
    if not code and isinstance(item.get("serviceErrorCode"), int):
        code = str(item["serviceErrorCode"])
    return Problem(code, _text(item.get("message")), tuple(_paths(detail)), entity(detail.get("associatedEntity")))


def problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Give the failures of an answer: each detail of several, or the one."""
    details = body.get("errorDetails")
    listed = details.get("details") if isinstance(details, Mapping) else None
    if isinstance(listed, list) and listed:
        yield from (problem(item) for item in listed)
    else:
        yield problem(body)


def entity(value: Any) -> str:
    """
    Give what a problem is about as `campaign urn:…` or `account urn:…`; empty when nothing is named.

    LinkedIn's schema says a plain URN, its sample a record of one key: both are read.
    """
    if isinstance(value, Mapping):
        value = next((item for item in value.values() if isinstance(item, str)), "")
    if not isinstance(value, str):
        return ""
    for word, prefix in (("campaign", facts.CAMPAIGN_PREFIX), ("account", facts.ACCOUNT_PREFIX)):
        if value.startswith(prefix):
            return f"{word} {value}"
    return value


def is_error(code: str, level: Any) -> bool:
    """Tell whether an item of the dry run blocks: by its level (`WARN` and `WARNING` are one), else by its code."""
    if level == "ERROR":
        return True
    if level in ("WARN", "WARNING"):
        return False
    return code in facts.VALIDATION_ERRORS or (level is None and code not in facts.VALIDATION_WARNINGS)


def _paths(detail: Mapping[str, Any]) -> Iterator[str]:
    errors = detail.get("pathErrors")
    for error in errors if isinstance(errors, list) else ():
        given = error.get("input") if isinstance(error, Mapping) else None
        where = given.get("inputPath") if isinstance(given, Mapping) else None
        path = where.get("fieldPath") if isinstance(where, Mapping) else None
        if not isinstance(path, str) or not isinstance(given, Mapping):
            continue
        value = given.get("value")
        shown = next(iter(value.values()), None) if isinstance(value, Mapping) else None
        yield _dotted(path) + (f" = {shown}" if shown is not None else "")


def _dotted(pointer: str) -> str:
    """`/cells/0/trafficWeight` is `cells[0].trafficWeight`."""
    return re.sub(r"/(\d+)(?=/|$)", r"[\1]", pointer).strip("/").replace("/", ".")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(response: Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except BadAnswer:
        return {}
    return body if isinstance(body, Mapping) else {}
