"""
A check run with marks on lines: 50 in one request, the rest added by further ones.

An update adds its marks to those that are there, so one whose outcome is unknown must not simply be sent again: the
check run says how many it has, and the next request begins there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from reconciler.errors import NotSent, PlatformError, Unclear
from reconciler.forge.client import number_of, text_of
from reconciler.forge.github import GitHub
from reconciler.model.annotation import Annotation, Level
from reconciler.platforms.retrying import retry_context

BATCH = 50
MOST = 500
_SUMMARY, _TITLE, _MESSAGE = 60_000, 255, 16_000
_LEVELS = {Level.ERROR: "failure", Level.WARNING: "warning", Level.NOTICE: "notice"}


@dataclass(frozen=True)
class Check:
    """
    What the check run says. `run` names this run of CI; `file` is where a mark without a place of its own stands.

    `folder` is the project's folder within the repository.
    """

    name: str
    sha: str
    conclusion: str
    title: str
    summary: str
    annotations: Sequence[Annotation] = ()
    run: str = ""
    details_url: str = ""
    folder: str = ""
    file: str = "reconciler.yaml"


async def post_check(github: GitHub, check: Check) -> str:
    """
    Make the check run, with every mark once; gives its address.

    Raises Refused when the token may not (a workflow needs `checks: write`).
    """
    marks = [_mark(item, check) for item in check.annotations[:MOST]]
    async for attempt in retry_context(on=(Unclear, NotSent), attempts=4, timeout=None, wait_initial=1.0):
        with attempt:
            found = await _found(github, check)
            run = found or await github.client.once("POST", f"{github.repo}/check-runs", _body(check, marks[:BATCH]))
            path = f"{github.repo}/check-runs/{number_of(run, 'id')}"
            there = _there(await github.client.get(path) if found else run, len(marks))
            while there < len(marks):
                output = {**_output(check), "annotations": marks[there : there + BATCH]}
                await github.client.once("PATCH", path, {"output": output})
                there += BATCH
            return text_of(run, "html_url")
    raise AssertionError("the last attempt returns or raises")


def _there(run: Any, wanted: int) -> int:
    output = run.get("output") if isinstance(run, dict) else None
    count = output.get("annotations_count") if isinstance(output, dict) else None
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    return min(BATCH, wanted)


async def _found(github: GitHub, check: Check) -> dict[str, Any] | None:
    """Give the check run of this very content and run, where an earlier attempt has made it."""
    path = f"{github.repo}/commits/{check.sha}/check-runs"
    answer = await github.client.get(path, {"check_name": check.name, "per_page": 100})
    runs = answer.get("check_runs") if isinstance(answer, dict) else None
    mine = [item for item in runs or () if text_of(item, "external_id") == _identity(check)]
    return mine[0] if mine else None


def _body(check: Check, marks: list[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": check.name,
        "head_sha": check.sha,
        "status": "completed",
        "conclusion": check.conclusion,
        "external_id": _identity(check),
        "output": {**_output(check), "annotations": marks},
    }
    if check.details_url:
        body["details_url"] = check.details_url
    return body


def _output(check: Check) -> dict[str, Any]:
    return {"title": check.title[:_TITLE], "summary": check.summary[:_SUMMARY]}


def _identity(check: Check) -> str:
    marks = "\0".join(f"{item.level}{item.location}{item.title}{item.message}" for item in check.annotations)
    content = "\0".join((check.run, check.conclusion, check.title, check.summary, marks))
    return sha256(content.encode(errors="replace")).hexdigest()[:32]


def _mark(item: Annotation, check: Check) -> dict[str, Any]:
    place = item.location
    file = place.file if place and place.file else check.file
    line = max(place.line, 1) if place and place.file else 1
    return {
        "path": (PurePosixPath(check.folder) / file).as_posix(),
        "start_line": line,
        "end_line": line,
        "annotation_level": _LEVELS[item.level],
        "title": item.title[:_TITLE],
        "message": item.message[:_MESSAGE] or item.title[:_TITLE],
    }


def refusal(error: PlatformError) -> str:
    """Give the sentence for a check run that the token may not make."""
    return f"no check run: the token may not make one (a workflow needs `checks: write`); going on: {error}"
