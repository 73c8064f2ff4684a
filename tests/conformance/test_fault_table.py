"""
Every row of the fault table through the real command line: it ends as documented, in one or two runs, nothing is made
twice, nothing is lost, nothing hangs.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from fault_table import ERROR, RERUN, SAME, Row, rows
from kinds import LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab, Ran
from recorded import note

from reconciler.emulator.faults import Effect, Faults
from reconciler.platforms.http import HttpClient

CASES = {case.platform: case for case in (LINKEDIN, X_ADS, SALESFORCE)}
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}
DESTROY = ("--allow-empty", "--allow-destroy")
MATCHES: dict[str, dict[str, dict[str, str]]] = {
    "linkedin": {
        "search": {"method": "GET", "path": "adExperiments$", "query": "q=search"},
        "read": {"method": "GET", "path": "adExperiments$", "query": "ids="},
        "create": {"method": "POST", "path": "adExperiments$", "query": "^$"},
        "update": {"method": "POST", "path": "adExperiments/"},
        "action": {"method": "POST", "path": "adExperiments/"},
        "delete": {"method": "DELETE", "path": "adExperiments/"},
    },
    "x-ads": {
        "search": {"method": "GET", "path": "ab_tests$"},
        "read": {"method": "GET", "path": "ab_tests$"},
        "create": {"method": "POST", "path": "ab_tests$"},
        "update": {"method": "PUT", "path": "ab_tests/"},
        "delete": {"method": "DELETE", "path": "ab_tests/"},
    },
    "salesforce": {
        "search": {"method": "GET", "path": "abn-experiments/"},
        "read": {"method": "GET", "path": "abn-experiments/"},
        "create": {"method": "POST", "path": "abn-experiments/?$"},
        "update": {"method": "PATCH", "path": "abn-experiments/", "query": "^$"},
        "action": {"method": "PATCH", "path": "abn-experiments/", "query": "action="},
        "delete": {"method": "DELETE", "path": "abn-experiments/"},
    },
}
ACTIONS: dict[str, dict[str, Any]] = {"linkedin": {"userIntendedState": "CANCELED"}, "salesforce": {"state": "Started"}}


class BehindWrite(Faults):
    """Hits the first reads that follow a write which took effect."""

    def __init__(self, platform: str, effect: Effect, times: int) -> None:
        super().__init__(Faults.parse([{"do": {"stale": True}}]).rules)
        self.platform, self.effect, self.left, self.wrote = platform, effect, times, False

    def take(self, platform: str, method: str, path: str, query: str) -> Effect | None:
        if platform != self.platform or "validateExperimentSetup" in query or "oauth" in path:
            return None
        self.wrote |= method != "GET"
        if method == "GET" and self.wrote and self.left:
            self.left -= 1
            return self.effect
        return None


def filled(value: Any) -> Any:
    """Give an effect with its times filled in: they are as of now."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith("@epoch+"):
        return str(int(time.time()) + int(value.removeprefix("@epoch+")))
    if isinstance(value, str) and value.startswith("@date+"):
        moment = datetime.fromtimestamp(time.time() + int(value.removeprefix("@date+")), UTC)
        return format_datetime(moment, usegmt=True)
    return value


def prepare(lab: Lab, case: Case, operation: str) -> tuple[str, ...]:
    """Bring the project to where the operation is what comes next; gives the words after `apply`."""
    lab.manifest(case.kind, case.spec)
    if operation in ("search", "create"):
        return ()
    lab.apply()
    lab.pass_time(minutes=2)
    if operation == "delete":
        lab.unwrite(case.kind)
        return DESTROY
    if operation == "action":
        if case is LINKEDIN:
            lab.pass_time(days=8)
        lab.manifest(case.kind, {**case.spec, **ACTIONS[case.platform]})
        return ()
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    return ()


def wrong(lab: Lab, row: Row) -> None:
    """Let the platform do wrong from now on."""
    if row.fault.behind_write:
        (rule,) = Faults.parse([{"do": row.fault.effect(row.platform)}]).rules
        lab.server.app.faults = BehindWrite(row.platform, rule.effect, row.fault.behind_write)
        return
    match = {"platform": row.platform, **({} if row.fault.everywhere else MATCHES[row.platform][row.operation])}
    times = 1000 if row.fault.lasting else row.fault.times
    lab.faults({"match": match, "times": times, "do": filled(row.fault.effect(row.platform))})


def hits(lab: Lab, row: Row) -> int:
    """Tell how many requests the fault has hit."""
    faults = lab.server.app.faults
    if isinstance(faults, BehindWrite):
        return row.fault.behind_write - faults.left
    return sum(faults._seen.values())


def landed(lab: Lab, row: Row) -> None:
    """Wait until what was given up has taken effect after all: it must not make anything twice."""
    give_up_at = time.monotonic() + 10
    while row.fault.deadline_s is not None and any(one.status is None for one in lab.requests):
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def finished(lab: Lab, row: Row, case: Case) -> None:
    """Fail unless everything is as if nothing had gone wrong."""
    made = list(lab.table(row.platform, TABLES[row.platform]).values())
    live = [item for item in made if not item.get("deleted")]
    key = f"{case.kind}/a"
    if row.operation == "delete":
        assert live == [] and lab.run("state", "list", "--format", "json").must(0).json == {}
        assert len(made) <= 1
    else:
        assert len(made) == len(live) == 1, "exactly one was ever made"
        assert lab.remote_id(key) == str(live[0]["id"])
        wanted = case.by_hand if row.operation in ("read", "update") else {}
        assert {name: live[0][name] for name in wanted} == dict(wanted)
        if row.operation == "action":
            assert live[0].get("executionState", live[0].get("state")) in ("ENDED", "Started")
    lab.settled() if row.operation != "delete" else lab.plan("--allow-empty", code=0)
    assert sorted(lab.dir.glob(".reconciler/*.journal")) == [], "nothing is left half done"


ROWS = [pytest.param(row, id=row.id) for row in rows()]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("row", [param for param, row in zip(ROWS, rows(), strict=True) if row.command == "apply"])
def test_it_ends_as_documented(lab: Lab, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[row.platform]
    if row.fault.everywhere and row.end == SAME:
        wrong(lab, row)
    words = ("apply", "--auto-approve", *prepare(lab, case, row.operation))
    if row.fault.deadline_s is not None:
        monkeypatch.setitem(HttpClient.__init__.__kwdefaults__, "deadline_s", row.fault.deadline_s)
    lab.forget_requests()
    wrong(lab, row)
    first = lab.run(*words)
    landed(lab, row)
    shown = f"{first.out}\n{first.err}"
    assert "Traceback" not in shown
    assert hits(lab, row) >= 1, "the fault was met"
    assert first.code == (0 if row.end == SAME else 1), shown
    if row.end != SAME:
        assert row.fault.says in " ".join(shown.split()), shown
    if row.end == ERROR:
        taken = [one for one in lab.writes if one.status is not None and one.status < 300]
        assert taken == [], "no change went through"
        lab.faults()
    if row.end in (ERROR, RERUN):
        assert hits(lab, row) <= row.fault.times or row.fault.lasting
        lab.run(*words).must(0)
    finished(lab, row, case)
    noted(row)


def noted(row: Row) -> None:
    """Keep that the row came out as documented."""
    place = {"platform": row.platform, "command": row.command, "operation": row.operation}
    note("faults", {"fault": row.fault.name, **place, "end": row.end})


def read(lab: Lab, row: Row) -> tuple[Ran, bool]:
    """Run a command that only reads; gives how it ended, and whether it showed the whole truth."""
    ran = lab.run(row.command, "--format", "json")
    if ran.code not in (0, 2):
        return ran, False
    if row.command == "drift":
        return ran, ran.code == 2 and [found["kind"] for found in ran.json["drift"]] == ["edited"]
    action = "create" if row.operation == "search" else "update"
    return ran, ran.json["complete"] and [change["action"] for change in ran.json["changes"]] == [action]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("row", [param for param, row in zip(ROWS, rows(), strict=True) if row.command != "apply"])
def test_reading_ends_as_documented(lab: Lab, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan and drift show the truth or say that they cannot: never half of it as if it were all; nothing is sent."""
    case = CASES[row.platform]
    if row.fault.everywhere and row.end == SAME:
        wrong(lab, row)
    prepare(lab, case, row.operation)
    if row.command == "drift":
        lab.by_hand(row.platform, lab.remote_id(f"{case.kind}/a"), description="by hand")
    if row.fault.deadline_s is not None:
        monkeypatch.setitem(HttpClient.__init__.__kwdefaults__, "deadline_s", row.fault.deadline_s)
    lab.forget_requests()
    wrong(lab, row)
    first, whole = read(lab, row)
    shown = f"{first.out}\n{first.err}"
    assert "Traceback" not in shown
    assert hits(lab, row) >= 1, "the fault was met"
    assert whole == (row.end == SAME), shown
    if row.end != SAME:
        assert first.code == 1 and row.fault.says in " ".join(shown.split()), shown
        assert row.command == "drift" or (first.json["complete"] is False and first.json["changes"] == [])
    if row.end == ERROR:
        lab.faults()
    assert read(lab, row)[1] or row.fault.lasting
    assert lab.writes == []
    landed(lab, row)
    noted(row)
