"""What X's answers mean: pages of tests, and refusals with the code, the message and what would help. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, unquote

from reconciler.errors import NotFound, PlatformError, Refused, Unauthorized
from reconciler.model.budget import Covers, Quota
from reconciler.platforms.ratelimit import limits_told
from reconciler.platforms.response import Response

ERRORS_PAGE: Final = "https://docs.x.com/x-ads-api/fundamentals/error-codes-and-responses"

UNAUTHORIZED_HINT: Final = (
    "the access token may be revoked or made before the app was approved for the Ads API, or the clock of this machine "
    "may be wrong: X refuses signatures whose time is far from its own"
)
_HINTS: Final = {
    "ACCOUNT_NOT_FOUND": "there is no such ad account, or the user of the access token has no role on it",
    "ACTION_NOT_ALLOWED": "the status of the test or the role of the user (ACCOUNT_ADMIN, AD_MANAGER) forbids it",
    "ACCOUNT_LOCKED_OUT": "the ad account is locked: its owner has to settle that with X",
    "CURRENT_USER_SUSPENDED": "the user of the access token is suspended",
    "UNAUTHORIZED_CLIENT_APPLICATION": "the app is not approved for this part of the Ads API",
    "READONLY_CLIENT_APPLICATION": "the app may only read: ask X for write access",
    "ROUTE_NOT_FOUND": "the address is unknown to X: check base_url and api_version of the connection",
    "LOCK_ACQUISITION_TIMEOUT": "another change was under way for too long; nothing was done, run again",
}
_NO_ACCESS: Final = frozenset(
    {"UNAUTHORIZED_CLIENT_APPLICATION", "READONLY_CLIENT_APPLICATION", "CURRENT_USER_SUSPENDED"}
)
_ABOUT_SOMETHING_ELSE: Final = frozenset(
    {"ROUTE_NOT_FOUND", "CAMPAIGN_NOT_FOUND", "LINE_ITEM_NOT_FOUND", "INVALID_ID_ILLEGAL_CHARACTERS"}
)
"""404 codes that do not say that the A/B test of the address is unknown."""

_ACCOUNT: Final = re.compile(r"/accounts/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: the tests as X wrote them, and the cursor of the next page, empty on the last."""

    tests: tuple[Mapping[str, Any], ...]
    next_cursor: str = ""


def query_of(values: Mapping[str, str]) -> str:
    """Give a query string with every value encoded strictly, `,` and `:` too: the signature is made over it."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in values.items())


def page_of(response: Response) -> Page:
    """Read a list answer; raises BadAnswer for another shape, and what `refusal` gives when X said no."""
    if not 200 <= response.status < 300:
        raise refusal(response)
    answer = response.json()
    data = answer.get("data") if isinstance(answer, Mapping) else None
    tests = [data] if isinstance(data, Mapping) else data
    if not isinstance(tests, list) or not all(isinstance(test, Mapping) for test in tests):
        raise response.bad_answer("`data` is not a list of A/B tests")
    cursor = answer.get("next_cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise response.bad_answer("`next_cursor` is neither text nor null")
    return Page(tuple(tests), cursor or "")


def refusal(response: Response) -> PlatformError:
    """
    Give the error that an answer without success stands for, in X's own words, with what would help where we know.

    Unauthorized for 401 and for apps or users without access; NotFound for a 404 about the A/B test of the address;
    PlatformError for 408 and 5xx; Refused for everything else. Where the body is no JSON, the status decides.
    """
    problems = _problems(response)
    codes = [str(problem["code"]) for problem in problems if problem.get("code")]
    words = "; ".join(_words(problem) for problem in problems) or f'"{response.excerpt}"'
    hints = [_HINTS[code] for code in dict.fromkeys(codes) if code in _HINTS]
    if response.status == 401:
        hints.append(UNAUTHORIZED_HINT)
    text = " - ".join([words, *hints])
    return response.error(_kind(response, codes), text, code=codes[0] if codes else "")


def _kind(response: Response, codes: Sequence[str]) -> type[PlatformError]:
    if response.status == 401 or (response.status == 403 and _NO_ACCESS & set(codes)):
        return Unauthorized
    if response.status == 404 and response.method != "POST" and not _ABOUT_SOMETHING_ELSE & set(codes):
        return NotFound
    if response.status == 408 or response.status >= 500:
        return PlatformError
    return Refused


def _problems(response: Response) -> list[Mapping[str, Any]]:
    """The entries of `errors`; none when the body is empty, HTML, or of another shape."""
    try:
        answer = response.json()
    except PlatformError:
        return []
    errors = answer.get("errors") if isinstance(answer, Mapping) else None
    return [entry for entry in errors if isinstance(entry, Mapping)] if isinstance(errors, list) else []


def _words(problem: Mapping[str, Any]) -> str:
    """`CODE: message (start_time: details)`; some errors name an `attribute` instead of a `parameter`."""
    text = ": ".join(str(problem[key]) for key in ("code", "message") if problem.get(key))
    place = problem.get("parameter") or problem.get("attribute")
    more = ": ".join(str(part) for part in (place, problem.get("details")) if part)
    return f"{text} ({more})" if more else text


def quota_told(connection: str, headers: Mapping[str, str], endpoint: str) -> Quota | None:
    """Give what an answer tells of a quota; None for writes, which are there again within a minute."""
    told = next(iter(limits_told(headers)), None)
    if told is None or endpoint == "writes" or told.limit is None or told.left is None:
        return None
    resets_at = datetime.fromtimestamp(int(min(told.reset, 253402300799)), UTC)
    account = _ACCOUNT.search(endpoint)
    what = f"reads of {endpoint.rpartition('/')[2]} in 15 minutes"
    whose = unquote(account.group(1)) if account else ""
    what = f"{what} of account {whose}" if whose else what
    return Quota(connection, what, int(told.limit), int(told.left), resets_at, Covers.READS, whose)
