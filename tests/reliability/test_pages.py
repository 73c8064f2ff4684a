"""The pages say what the records and the tables say; what they refer to exists; their examples run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import page
import pytest
import yaml
from elsewhere import ELSEWHERE
from kinds import CASES
from laboratory import Lab
from tables import FAULTS_PAGE, faults_page

from reconciler.emulator.faults import EFFECTS, MATCHERS, Faults

TEXT = FAULTS_PAGE.read_text("utf-8")
EXAMPLE = re.compile(r"<!-- run: apply, exit code (\d) -->\n```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_page_of_reliability_is_what_the_records_say() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "write it anew: python tests/reliability/page.py write"


def test_the_page_of_faults_is_what_the_fault_table_says() -> None:
    assert faults_page(TEXT) == TEXT, "write it anew: python tests/reliability/page.py write"


def test_every_key_of_a_faults_file_is_told() -> None:
    told = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert set(told) == {*EFFECTS, "match", "after", "times", "do"}
    matchers = re.search(r"^\| `match` \|.*$", TEXT, re.MULTILINE)
    assert matchers and all(f"`{name}`" in matchers.group() for name in MATCHERS)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.what) for one in ELSEWHERE])
def test_a_fault_tried_elsewhere_has_its_test(one: Any) -> None:
    file, name = one.test.split("::")
    assert re.search(rf"^(async )?def {name}\(", (Path(page.ROOT) / "tests" / file).read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("number", range(TEXT.count("```yaml")))
def test_an_example_does_what_it_says(lab: Lab, number: int) -> None:
    """Creates and updates on all three platforms while it is in force."""
    code, text = EXAMPLE.findall(TEXT)[number]
    for case in CASES:
        lab.manifest(case.kind, case.spec)
    updates = "method: POST, path: ab_tests" not in text
    if updates:
        lab.apply()
        lab.pass_time(minutes=2)
        for case in CASES:
            more = {"state": "Started"} if case.platform == "salesforce" else case.by_hand
            lab.manifest(case.kind, {**case.spec, **more})
    faults = Faults.parse(yaml.safe_load(text))
    lab.server.app.faults = faults
    lab.apply(code=int(code))
    for index, rule in enumerate(faults.rules):
        assert faults._seen.get(index, 0) >= min(rule.times, 2), "it was met"
    lab.faults()
    lab.apply()
    lab.settled()


# --- the making of records ---------------------------------------------------------------------------------------


def test_records_are_summed_up_from_whatever_shape_a_run_left(tmp_path: Path) -> None:
    runs, records = tmp_path / "runs", tmp_path / "records"
    (runs / "kill").mkdir(parents=True)
    records.mkdir()
    (runs / "kill" / "a.json").write_text(json.dumps([{"backend": "git", "change": "create", "points": 3}]))
    (runs / "kill" / "b.jsonl").write_text('{"backend": "git", "change": "create", "points": 4}\n')
    (runs / "fuzz").mkdir()
    (runs / "fuzz" / "one.json").write_text('{"target": "loader", "executions": 1200000, "seconds": 1.5, "edges": 40}')
    (runs / "fuzz" / "two.json").write_text('{"target": "loader", "executions": 1, "seconds": 1, "edges": 30}')
    (runs / "fuzz" / "other.json").write_text('{"target": "state", "executions": 1, "seconds": 1, "edges": 7}')
    counts = [
        {"possible": 90, "tried": 8, "noticed": 7, "survived": 1, "seed": "5"},
        {"possible": 9, "tried": 2, "noticed": 1},
    ]
    lines = [
        {"module": f"m{number}", "changes in": "tables", "survived": 1, **one} for number, one in enumerate(counts)
    ]
    (runs / "mutation.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    fact = {"fault": "x", "platform": "x-ads", "command": "plan", "operation": "read", "end": "same run"}
    (runs / "faults.jsonl").write_text(2 * (json.dumps(fact) + "\n"))
    assert page.collect(runs, records) == ["faults", "kill", "mutation", "fuzz"]
    text = page.page(records)
    assert "| git | create | 7 |" in text
    assert "| loader | 1,200,001 | 2.50 | 40 |" in text
    assert "| **all** | **1,200,002** | **3.50** |  |" in text, "edges of several targets are no sum"
    assert "| m0 | tables | 90 | 8 | 7 | 1 | 87.5 % |" in text
    assert "| **all** |  | **99** | **10** | **8** | **2** | **80.0 %** |" in text
    assert re.search(r"\| X Ads \| plan \| 1 of \d+ \| 1 \| 0 \| 0 \|", text)
    assert text.count(page.NOT_RUN) == 1, "what was not run is told"


def test_a_record_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "fuzz.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"fuzz\.json: a fact is an object"):
        page.facts_of(tmp_path, "fuzz")
