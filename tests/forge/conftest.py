"""A stand-in forge for each test, the environment of a run of CI, and no waits between attempts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from stand_in import SHA, TOKEN, StandIn

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))  # for report_cases

_CI = ("GITHUB_", "GITLAB_", "CI_", "RECONCILER")


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Give the stand-in; the working directory is a fresh folder, the environment that of a pull request's run."""
    for name in list(os.environ):
        if name.startswith(_CI):
            monkeypatch.delenv(name)
    event = {"pull_request": {"number": 5, "head": {"sha": SHA, "repo": {"full_name": "acme/ads"}}}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    server = StandIn()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name, value in {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": "acme/ads",
        "GITHUB_API_URL": f"{server.url}/api/v3",
        "GITHUB_GRAPHQL_URL": f"{server.url}/api/graphql",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "77",
        "GITHUB_SHA": "f" * 40,
        "GITHUB_WORKSPACE": str(work),
        "GITLAB_TOKEN": TOKEN,
        "CI_API_V4_URL": f"{server.url}/gitlab/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "5",
    }.items():
        monkeypatch.setenv(name, value)
    stamina.set_testing(True, attempts=10, cap=True)
    yield server
    stamina.set_testing(False)
    server.close()
    assert server.wrong == []
