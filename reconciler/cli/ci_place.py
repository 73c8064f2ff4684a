"""Where a comment or an issue goes, as the environment of the CI says: repository, number, commit, token, address."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.errors import UsageProblem

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True)
class Place:
    """
    One forge as a run of CI sees it. `number` is the pull or merge request, None where the run has none.

    `run_url` leads to the run, `run` names it, `commit` is the head of the pull request where there is one. `fork` says
    that the pull request comes from another repository, so that its token may only read.
    """

    forge: str
    api: str
    repository: str
    token: str = field(repr=False)
    variable: str
    number: int | None = None
    commit: str = ""
    run_url: str = ""
    run: str = ""
    graphql: str = ""
    fork: bool = False


def place_of(forge: str, environ: Mapping[str, str] = os.environ, number: int | None = None) -> Place:
    """Give the place; raises UsageProblem, naming the variable, for what is missing."""
    return _github(environ, number) if forge == "github" else _gitlab(environ, number)


def _github(environ: Mapping[str, str], number: int | None) -> Place:
    from reconciler.forge.github import API

    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    asked = _inner(event, "pull_request")
    repository = _needed(environ, "GITHUB_REPOSITORY", "OWNER/NAME of the repository")
    run = environ.get("GITHUB_RUN_ID", "")
    server = environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    head = _inner(asked, "head")
    origin = _inner(head, "repo").get("full_name")
    return Place(
        forge="github",
        api=environ.get("GITHUB_API_URL") or API,
        repository=repository,
        token=_needed(environ, "GITHUB_TOKEN", "in a workflow: env: {GITHUB_TOKEN: ${{ github.token }}}"),
        variable="GITHUB_TOKEN",
        number=number or _number_of(event),
        commit=_commit(head.get("sha")) or _commit(environ.get("GITHUB_SHA")),
        run_url=f"{server}/{repository}/actions/runs/{run}" if run.isdecimal() else "",
        run=f"{run}.{environ.get('GITHUB_RUN_ATTEMPT', '1')}",
        graphql=environ.get("GITHUB_GRAPHQL_URL", ""),
        fork=isinstance(origin, str) and origin.casefold() != repository.casefold(),
    )


def _gitlab(environ: Mapping[str, str], number: int | None) -> Place:
    from reconciler.forge.gitlab import API

    if not environ.get("GITLAB_TOKEN"):
        job = " CI_JOB_TOKEN is set, and cannot write comments or issues." if environ.get("CI_JOB_TOKEN") else ""
        raise UsageProblem(
            f"GITLAB_TOKEN is not set.{job} Make a project or group access token with the scope api and the role "
            "Reporter or higher, and give it to the job as the masked variable GITLAB_TOKEN"
        )
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "")
    project = _needed(environ, "CI_PROJECT_ID", "the number or the path of the project")
    return Place(
        forge="gitlab",
        api=environ.get("CI_API_V4_URL") or API,
        repository=project,
        token=environ["GITLAB_TOKEN"],
        variable="GITLAB_TOKEN",
        number=number or _merge_request(environ),
        commit=_commit(environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")) or _commit(environ.get("CI_COMMIT_SHA")),
        run_url=environ.get("CI_JOB_URL", ""),
        run=environ.get("CI_JOB_ID", ""),
        fork=bool(source) and source != project,
    )


def _needed(environ: Mapping[str, str], name: str, what: str) -> str:
    text = environ.get(name, "").strip()
    if not text:
        raise UsageProblem(f"{name} is not set: {what}")
    return text


def _event(name: str) -> dict[str, Any]:
    """Give the event that set a workflow off; empty where there is none."""
    if not name:
        return {}
    try:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageProblem(f"GITHUB_EVENT_PATH: {name} cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}


def _inner(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def _number_of(event: Mapping[str, Any]) -> int | None:
    """Give the number of the pull request: of pull_request events, of comments on one, of workflows after one."""
    asked = _inner(event, "pull_request").get("number")
    issue = _inner(event, "issue")
    if asked is None and "pull_request" in issue:
        asked = issue.get("number")
    if asked is None:
        after = _inner(event, "workflow_run").get("pull_requests")
        if isinstance(after, list) and len(after) == 1 and isinstance(after[0], dict):
            asked = after[0].get("number")
    return asked if isinstance(asked, int) and not isinstance(asked, bool) and asked > 0 else None


def _merge_request(environ: Mapping[str, str]) -> int | None:
    """Give the merge request: of its own pipeline, or the one open merge request of a branch's pipeline."""
    iid = environ.get("CI_MERGE_REQUEST_IID", "")
    if not iid:
        opened = [text for text in environ.get("CI_OPEN_MERGE_REQUESTS", "").split(",") if text]
        iid = opened[0].rpartition("!")[2] if len(opened) == 1 else ""
    return int(iid) if iid.isdecimal() and int(iid) > 0 else None


def _commit(text: object) -> str:
    return text if isinstance(text, str) and _COMMIT.fullmatch(text) else ""
