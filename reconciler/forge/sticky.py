"""
One comment, and one issue, kept as they should be: found again, updated, never doubled.

Both begin with a search, and both are whole again after any interruption: when it is not known whether something was
posted, the next attempt searches first. That is why they are repeated as a whole and their posts never are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.errors import NotFound, NotSent, PlatformError, Unclear
from reconciler.forge.marker import outdated, same
from reconciler.platforms.retrying import retry_context

ATTEMPTS = 4


@dataclass(frozen=True)
class Posted:
    """A comment or an issue of ours as it stands; `node` is a second id that some calls take, `url` for people."""

    id: int
    body: str
    url: str = ""
    node: str = ""
    title: str = ""


@dataclass(frozen=True)
class Kept:
    """What was done: `did` is created, updated, unchanged, closed or none; `notes` are sentences to say."""

    did: str
    url: str = ""
    notes: tuple[str, ...] = ()


class Comments(Protocol):
    """The comments of one pull request or merge request."""

    async def own_comments(self, marker: str) -> Sequence[Posted]:
        """Give our comments that begin with the marker, oldest first; never somebody else's."""
        ...

    async def create_comment(self, body: str) -> Posted: ...

    async def update_comment(self, posted: Posted, body: str) -> Posted: ...

    async def hide_comment(self, posted: Posted) -> str:
        """Fold a comment away; gives a sentence where the forge does not let it, else nothing."""
        ...


class Issues(Protocol):
    """The issues of one repository."""

    async def own_issues(self, marker: str) -> Sequence[Posted]:
        """Give our open issues that begin with the marker, oldest first; never somebody else's."""
        ...

    async def create_issue(self, title: str, body: str) -> Posted: ...

    async def update_issue(self, posted: Posted, title: str, body: str) -> Posted: ...

    async def say_once(self, posted: Posted, marker: str, body: str) -> None:
        """Comment on an issue, unless a comment of ours with the marker is there already."""
        ...

    async def close_issue(self, posted: Posted) -> None: ...


async def keep_comment(comments: Comments, marker: str, body: str, *, create: bool = True) -> Kept:
    """
    Make one comment say `body`: the newest of ours with the marker, or a new one. Older ones are folded away.

    Without `create` a comment that is not there is not made. Raises what the last of four attempts raised.
    """
    return await _again(lambda: _keep_comment(comments, marker, body, create))


async def _keep_comment(comments: Comments, marker: str, body: str, create: bool) -> Kept:
    found = list(await comments.own_comments(marker))
    notes: list[str] = []
    kept: Posted | None = None
    did = "created"
    if found:
        try:
            kept, did = found[-1], "unchanged"
            if not same(kept.body, body):
                kept, did = await comments.update_comment(kept, body), "updated"
        except NotFound:  # somebody removed it in between
            kept, did = None, "created"
    if kept is None:
        if not create:
            return Kept("none")
        kept = await comments.create_comment(body)
    for older in found[:-1]:
        if note := await comments.hide_comment(older):
            notes.append(note)
        await comments.update_comment(older, outdated(older.body, marker))
    if older_count := len(found) - 1 if found else 0:
        notes.append(f"{older_count} older comment{'' if older_count == 1 else 's'} folded away")
    return Kept(did, kept.url, tuple(notes))


async def keep_issue(
    issues: Issues, marker: str, *, title: str, body: str, closing: str, open_: bool, close: bool
) -> Kept:
    """
    Make one open issue say `body` when `open_`, or close ours with the words `closing` when `close`.

    With neither (nothing was found, and not everything could be read), an issue that is open is brought up to date and
    none is made. Of several the oldest is kept, the others are closed. Raises what the last of four attempts raised.
    """
    return await _again(lambda: _keep_issue(issues, marker, title, body, closing, open_, close))


async def _keep_issue(
    issues: Issues, marker: str, title: str, body: str, closing: str, open_: bool, close: bool
) -> Kept:
    found = list(await issues.own_issues(marker))
    done = marker.replace(" -->", " closed -->")
    if close:
        for issue in found:
            await issues.say_once(issue, done, f"{done}\n{closing}")
            await issues.close_issue(issue)
        return Kept("closed", found[0].url) if found else Kept("none")
    notes = []
    for double in found[1:]:
        await issues.say_once(double, done, f"{done}\nThe same is told in an older issue, {found[0].url}.")
        await issues.close_issue(double)
        notes.append(f"closed {double.url}, which told the same as {found[0].url}")
    if not found:
        if not open_:
            return Kept("none")
        return Kept("created", (await issues.create_issue(title, body)).url)
    issue = found[0]
    if same(issue.body, body) and issue.title == title:
        return Kept("unchanged", issue.url, tuple(notes))
    return Kept("updated", (await issues.update_issue(issue, title, body)).url, tuple(notes))


async def _again(keep: Callable[[], Awaitable[Kept]]) -> Kept:
    """Look and post anew where it is not clear what became of a post: what is there already is found then."""
    async for attempt in retry_context(on=_unclear, attempts=ATTEMPTS, timeout=None, wait_initial=1.0):
        with attempt:
            return await keep()
    raise AssertionError("the last attempt returns or raises")


def _unclear(error: Exception) -> bool:
    """Tell what the whole is repeated for: a post whose outcome is unknown, or that did not leave this machine."""
    return isinstance(error, (Unclear, NotSent)) or (
        isinstance(error, PlatformError) and error.status is not None and error.status >= 500
    )
