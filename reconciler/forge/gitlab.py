"""
GitLab: notes of a merge request and issues, over REST v4.

A comment is a plain note and no thread: an open thread can keep a merge request from being merged. A note cannot be
minimized, so older ones are folded by an edit (`outdated`). The token of a job (`CI_JOB_TOKEN`) cannot write notes or
issues (GitLab, "CI/CD job token"), so a project or group access token with the scope `api` is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.errors import BadAnswer, UsageProblem
from reconciler.forge.client import PAGE, Access, ForgeClient, number_of, text_of
from reconciler.forge.marker import is_marked
from reconciler.forge.sticky import Posted

API = "https://gitlab.com/api/v4"


class GitLab:
    """One project (its number, or its path) and, for comments, one merge request of it (`number`, its iid)."""

    def __init__(self, access: Access, project: str, number: int | None = None, *, labels: Sequence[str] = ()) -> None:
        if not project.strip() or not project.isprintable():
            raise UsageProblem("CI_PROJECT_ID is not the number or the path of a project")
        self.client = ForgeClient("gitlab", access, headers={"PRIVATE-TOKEN": access.token})
        self.project = f"/projects/{quote(project, safe='')}"
        self._number = number
        self._labels = list(labels)
        self._user = 0

    async def close(self) -> None:
        """Give back the sockets."""
        await self.client.close()

    # --- comments ------------------------------------------------------------------------------------------------

    async def own_comments(self, marker: str) -> list[Posted]:
        """Give our notes of the merge request that begin with the marker, oldest first."""
        return await self._own(self._notes, marker)

    async def create_comment(self, body: str) -> Posted:
        """Post a note, once."""
        return self._note(await self.client.once("POST", self._notes, {"body": body}))

    async def update_comment(self, posted: Posted, body: str) -> Posted:
        """Give a note another text."""
        return self._note(await self.client.again("PUT", f"{self._notes}/{posted.id}", {"body": body}))

    async def hide_comment(self, posted: Posted) -> str:
        """Nothing beyond the edit that folds the note: GitLab minimizes no notes."""
        return ""

    @property
    def _notes(self) -> str:
        return f"{self.project}/merge_requests/{self._number}/notes"

    # --- issues --------------------------------------------------------------------------------------------------

    async def own_issues(self, marker: str) -> list[Posted]:
        """Give our open issues that begin with the marker, oldest first."""
        user = await self.user()
        query: dict[str, str | int] = {"state": "opened", "scope": "all", "author_id": user}
        query |= {"order_by": "created_at", "sort": "asc"}
        found: list[Posted] = []
        async for page in self.client.numbered_pages(f"{self.project}/issues", {**query, "per_page": PAGE}):
            found += [
                _issue(item) for item in page if _by(item, user) and is_marked(text_of(item, "description"), marker)
            ]
        return found

    async def create_issue(self, title: str, body: str) -> Posted:
        """Open an issue, once."""
        wanted = {"title": title, "description": body}
        if self._labels:
            wanted["labels"] = ",".join(self._labels)
        return _issue(await self.client.once("POST", f"{self.project}/issues", wanted))

    async def update_issue(self, posted: Posted, title: str, body: str) -> Posted:
        """Give an issue another title and text."""
        path = f"{self.project}/issues/{posted.id}"
        return _issue(await self.client.again("PUT", path, {"title": title, "description": body}))

    async def say_once(self, posted: Posted, marker: str, body: str) -> None:
        """Comment on an issue, unless a note of ours with the marker is there."""
        path = f"{self.project}/issues/{posted.id}/notes"
        if not await self._own(path, marker):
            await self.client.once("POST", path, {"body": body})

    async def close_issue(self, posted: Posted) -> None:
        """Close an issue."""
        await self.client.again("PUT", f"{self.project}/issues/{posted.id}", {"state_event": "close"})

    # --- who we are ----------------------------------------------------------------------------------------------

    async def user(self) -> int:
        """Give the number of the user whom the token belongs to."""
        if not self._user:
            self._user = number_of(await self.client.get("/user"), "id")
        return self._user

    async def _own(self, path: str, marker: str) -> list[Posted]:
        user = await self.user()
        query: dict[str, str | int] = {"sort": "asc", "order_by": "created_at", "per_page": PAGE}
        found: list[Posted] = []
        async for page in self.client.numbered_pages(path, query):
            found += [
                self._note(item)
                for item in page
                if item.get("system") is not True and _by(item, user) and is_marked(text_of(item, "body"), marker)
            ]
        return sorted(found, key=lambda item: item.id)

    def _note(self, item: Any) -> Posted:
        if not isinstance(item, dict):
            raise BadAnswer("gitlab: a note was expected")
        return Posted(number_of(item, "id"), text_of(item, "body"))


def _by(item: dict[str, Any], user: int) -> bool:
    author = item.get("author")
    return isinstance(author, dict) and author.get("id") == user


def _issue(item: Any) -> Posted:
    return Posted(
        number_of(item, "iid"), text_of(item, "description"), text_of(item, "web_url"), title=text_of(item, "title")
    )
