"""
GitHub, and GitHub Enterprise Server: comments and issues over REST 2022-11-28; who we are and folding over GraphQL.

Who the token belongs to cannot be read over REST by the token of a workflow (`GET /user` answers 403), but GraphQL's
`viewer` names it (marocchino/sticky-pull-request-comment#332).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from reconciler.errors import BadAnswer, Refused, UsageProblem
from reconciler.forge.client import PAGE, Access, ForgeClient, number_of, text_of
from reconciler.forge.marker import is_marked
from reconciler.forge.sticky import Posted
from reconciler.platforms.response import Response

API = "https://api.github.com"
VERSION = "2022-11-28"
SECONDARY_WAIT_S = 60
"""GitHub, "Rate limits for the REST API": without Retry-After and a reset, wait at least one minute."""
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_VIEWER = "query { viewer { login } }"
_MINIMIZE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) "
    "{ minimizedComment { isMinimized } } }"
)


class GitHub:
    """One repository and, for comments, one pull request of it (`number`). Makes no call before it is asked to."""

    def __init__(
        self,
        access: Access,
        repository: str,
        number: int | None = None,
        *,
        graphql: str = "",
        labels: Sequence[str] = (),
    ) -> None:
        if not _REPOSITORY.fullmatch(repository) or repository.split("/")[1] in (".", ".."):
            raise UsageProblem(f"{repository!r} is not a repository as OWNER/NAME")
        self.client = ForgeClient(
            "github",
            access,
            authorization=f"Bearer {access.token}",
            headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION},
            understood=as_limit,
        )
        self.repo = f"/repos/{repository}"
        self._number = number
        self._labels = list(labels)
        self._graphql = self._graphql_path(graphql)
        self._login = ""

    async def close(self) -> None:
        """Give back the sockets."""
        await self.client.close()

    # --- comments ------------------------------------------------------------------------------------------------

    async def own_comments(self, marker: str) -> list[Posted]:
        """Give our comments of the pull request that begin with the marker, oldest first."""
        return await self._own(f"{self.repo}/issues/{self._number}/comments", marker)

    async def create_comment(self, body: str) -> Posted:
        """Post a comment, once."""
        return _comment(await self.client.once("POST", f"{self.repo}/issues/{self._number}/comments", {"body": body}))

    async def update_comment(self, posted: Posted, body: str) -> Posted:
        """Give a comment another text."""
        path = f"{self.repo}/issues/comments/{posted.id}"
        return _comment(await self.client.again("PATCH", path, {"body": body}))

    async def hide_comment(self, posted: Posted) -> str:
        """Minimize a comment as outdated; a sentence where the token may not."""
        try:
            await self._query(_MINIMIZE, {"id": posted.node})
        except Refused as error:
            return f"{posted.url or 'an older comment'} could not be minimized: {error}"
        return ""

    # --- issues --------------------------------------------------------------------------------------------------

    async def own_issues(self, marker: str) -> list[Posted]:
        """Give our open issues that begin with the marker, oldest first; pull requests are listed too, and left out."""
        login = await self.login()
        query: dict[str, str | int] = {"state": "open", "sort": "created", "direction": "asc", "per_page": PAGE}
        found: list[Posted] = []
        async for page in self.client.linked_pages(f"{self.repo}/issues", query):
            found += [
                _issue(item)
                for item in page
                if "pull_request" not in item and _by(item, login) and is_marked(text_of(item, "body"), marker)
            ]
        return found

    async def create_issue(self, title: str, body: str) -> Posted:
        """Open an issue, once."""
        wanted: dict[str, Any] = {"title": title, "body": body}
        if self._labels:
            wanted["labels"] = self._labels
        return _issue(await self.client.once("POST", f"{self.repo}/issues", wanted))

    async def update_issue(self, posted: Posted, title: str, body: str) -> Posted:
        """Give an issue another title and text."""
        path = f"{self.repo}/issues/{posted.id}"
        return _issue(await self.client.again("PATCH", path, {"title": title, "body": body}))

    async def say_once(self, posted: Posted, marker: str, body: str) -> None:
        """Comment on an issue, unless a comment of ours with the marker is there."""
        path = f"{self.repo}/issues/{posted.id}/comments"
        if not await self._own(path, marker):
            await self.client.once("POST", path, {"body": body})

    async def close_issue(self, posted: Posted) -> None:
        """Close an issue as completed."""
        path = f"{self.repo}/issues/{posted.id}"
        await self.client.again("PATCH", path, {"state": "closed", "state_reason": "completed"})

    # --- who we are ----------------------------------------------------------------------------------------------

    async def login(self) -> str:
        """Give the name under which the token writes; raises Refused when it does not tell."""
        if not self._login:
            data = await self._query(_VIEWER, {})
            self._login = text_of(data.get("viewer"), "login")
            if not self._login:
                raise BadAnswer("github: GraphQL does not say whose token this is, so no comment can be known as ours")
        return self._login

    async def _own(self, path: str, marker: str) -> list[Posted]:
        login = await self.login()
        found: list[Posted] = []
        async for page in self.client.linked_pages(path, {"per_page": PAGE}):
            found += [_comment(item) for item in page if _by(item, login) and is_marked(text_of(item, "body"), marker)]
        return sorted(found, key=lambda item: item.id)

    async def _query(self, query: str, variables: dict[str, str]) -> dict[str, Any]:
        answer = await self.client.at(self._graphql, {"query": query, "variables": variables})
        if isinstance(answer, dict) and not answer.get("errors") and isinstance(answer.get("data"), dict):
            data: dict[str, Any] = answer["data"]
            return data
        errors = answer.get("errors") if isinstance(answer, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else {}
        words = text_of(first, "message") or "no data"
        raise Refused(f'github: GraphQL: "{words[:200]}"', connection="github", code=text_of(first, "type"))

    def _graphql_path(self, given: str) -> str:
        """Give GraphQL's path: `/graphql`, or `/api/graphql` beside the `/api/v3` of an Enterprise Server."""
        if given:
            if not given.startswith(self.client.origin + "/"):
                raise UsageProblem("GITHUB_GRAPHQL_URL is on another host than GITHUB_API_URL, where no token is sent")
            return given.removeprefix(self.client.origin)
        prefix = self.client.prefix
        return f"{prefix.removesuffix('/v3')}/graphql" if prefix.endswith("/v3") else f"{prefix}/graphql"


def as_limit(response: Response) -> Response:
    """
    Give a 403 that is a rate limit as the 429 it means, with the wait that it asks for in `retry-after`.

    GitHub answers a primary limit with 403 or 429, `x-ratelimit-remaining: 0` and `x-ratelimit-reset`; a secondary one
    with 403 or 429, `retry-after` where it knows, else with words alone ("Rate limits for the REST API").
    """
    if response.status not in (403, 429):
        return response
    headers = dict(response.headers)
    used_up = headers.get("x-ratelimit-remaining", "").strip() == "0"
    spoken = b"rate limit" in response.body[:2_000].lower()
    if not (response.status == 429 or "retry-after" in headers or used_up or spoken):
        return response
    if "retry-after" not in headers:
        reset = headers.get("x-ratelimit-reset", "")
        wait = int(reset) - _epoch(headers.get("date", "")) if used_up and reset.isdecimal() else SECONDARY_WAIT_S
        headers["retry-after"] = str(max(int(wait), 1))
    return replace(response, status=429, headers=headers)


def _epoch(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError):
        return time.time()


def _by(item: dict[str, Any], login: str) -> bool:
    return text_of(item.get("user"), "login").casefold() == login.casefold()


def _comment(item: Any) -> Posted:
    return Posted(number_of(item, "id"), text_of(item, "body"), text_of(item, "html_url"), text_of(item, "node_id"))


def _issue(item: Any) -> Posted:
    return Posted(
        number_of(item, "number"), text_of(item, "body"), text_of(item, "html_url"), title=text_of(item, "title")
    )
