"""Everything that can be wrong outside: one clear error, exit 1, the state as it was, no traceback, nothing sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab, Ran

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
ONLINE = (("plan",), ("apply", "--auto-approve"), ("drift",))
COMMANDS = (("validate",), ("apply", "--auto-approve"))


@pytest.fixture
def settled(lab: Lab) -> Iterator[Lab]:
    """A project with one applied experiment a platform; afterwards state and platforms must be untouched."""
    for case in CASES:
        lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.forget_requests()
    before = files(lab)
    yield lab
    assert files(lab) == before, "the state is as it was"
    assert lab.writes == []


def files(lab: Lab) -> dict[str, bytes]:
    """Give what the state's folder holds, the lock file aside."""
    folder = lab.state_file.parent
    return {path.name: path.read_bytes() for path in folder.glob("state.json*") if not path.name.endswith(".lock")}


def fails(lab: Lab, words: tuple[str, ...], *parts: str) -> Ran:
    """Run a command that must exit 1 and say these words on standard error; gives how it ended."""
    ran = lab.run(*words).must(1)
    for part in parts:
        assert part in ran.err, f"{part!r} is not in:\n{ran.err}"
    assert ran.err.strip(), "an error says something"
    return ran


# --- manifests -----------------------------------------------------------------------------------------------------

GOOD = "apiVersion: reconciler/v1\nkind: SalesforceExperiment\nmetadata: {name: b}\nspec:\n"
MANIFESTS: dict[str, tuple[str | bytes, str]] = {
    "no YAML": ("a: [1, 2\nb: }", "broken.yaml:2"),
    "a tab": ("apiVersion: reconciler/v1\n\tkind: X\n", "broken.yaml:2"),
    "not UTF-8": (b"apiVersion: reconciler/v1\nkind: \xff\xfe\n", "broken.yaml"),
    "a NUL": ("apiVersion: \x00\n", "broken.yaml"),
    "a list": ("- 1\n- 2\n", "broken.yaml:1"),
    "a word": ("hello\n", "broken.yaml:1"),
    "empty": ("", "broken.yaml"),
    "only comments": ("# nothing\n---\n# here\n", "broken.yaml"),
    "no kind": ("apiVersion: reconciler/v1\nmetadata: {name: b}\nspec: {}\n", "kind"),
    "another kind": (
        "apiVersion: reconciler/v1\nkind: SalesforceExperimnt\nmetadata: {name: b}\nspec: {}\n",
        "SalesforceExperiment",
    ),
    "another version": (
        "apiVersion: reconciler/v2\nkind: XAdsABTest\nmetadata: {name: b}\nspec: {}\n",
        "reconciler/v1",
    ),
    "no spec": ("apiVersion: reconciler/v1\nkind: XAdsABTest\nmetadata: {name: b}\n", "spec"),
    "a bad name": ("apiVersion: reconciler/v1\nkind: XAdsABTest\nmetadata: {name: B_b}\nspec: {}\n", "metadata.name"),
    "duplicate keys": (GOOD + "  label: a\n  label: b\n", "broken.yaml:6"),
    "an unknown field": (GOOD + "  lable: a\n", "label"),
    "a wrong type": (GOOD + "  chanceToWinThreshold: '95'\n", "chanceToWinThreshold"),
    "an alias bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)),
        "broken.yaml",
    ),
    "very deep": ("a: " + "[" * 5000 + "]" * 5000, "broken.yaml"),
    "a tag": ("!!python/object/apply:os.system ['true']\n", "broken.yaml:1"),
    "a time without an offset": (
        "apiVersion: reconciler/v1\nkind: XAdsABTest\nmetadata: {name: b}\nspec:\n  start_time: 2027-01-01T00:00:00\n",
        "broken.yaml:5",
    ),
    "two of one key": (
        yaml.safe_dump(
            {"apiVersion": "reconciler/v1", "kind": "XAdsABTest", "metadata": {"name": "a"}, "spec": dict(X_ADS.spec)}
        ),
        "XAdsABTest/a",
    ),
    "an unknown connection": (GOOD.replace("name: b", "name: b, connection: nowhere") + "  label: x\n", "nowhere"),
}


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_malformed_manifest(settled: Lab, name: str, words: tuple[str, ...]) -> None:
    text, part = MANIFESTS[name]
    settled.write_file("experiments/broken.yaml", text)
    fails(settled, words, "broken.yaml", part)
    assert settled.requests == [], "what is wrong offline is not asked online"


def test_all_problems_of_a_run_come_out_together(settled: Lab) -> None:
    for number in range(3):
        settled.write_file(f"experiments/broken{number}.yaml", GOOD + f"  lable: {number}\n")
    fails(settled, ("plan",), *(f"experiments/broken{number}.yaml" for number in range(3)))


def test_a_very_large_manifest(settled: Lab) -> None:
    settled.write_file("experiments/broken.yaml", b"a: " + b"x" * (50 * 1024 * 1024))
    fails(settled, ("validate",), "broken.yaml")


# --- the project file ------------------------------------------------------------------------------------------------


def _changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Lab], str]:
    def make(lab: Lab) -> str:
        project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
        change(project)
        return yaml.safe_dump(project)

    return make


def _set(connection: str, **more: Any) -> Callable[[Lab], str]:
    return _changed(lambda project: project["connections"][connection].update(more))


def _text(text: str) -> Callable[[Lab], str]:
    return lambda lab: text


PROJECTS: dict[str, tuple[Callable[[Lab], str], str]] = {
    "no YAML": (_text("version: [1\n"), "reconciler.yaml"),
    "empty": (_text(""), "reconciler.yaml"),
    "a list": (_text("- 1\n"), "reconciler.yaml"),
    "no version": (_changed(lambda project: project.pop("version")), "version"),
    "another version": (_changed(lambda project: project.update(version=2)), "version"),
    "an unknown key": (_changed(lambda project: project.update(conections={})), "connections"),
    "another platform": (_set("crm", platform="facebook"), "platform"),
    "a secret written out": (_set("linkedin", auth={"access_token": "AQV-secret"}), "auth"),
    "plain HTTP": (_set("linkedin", base_url="http://api.linkedin.com"), "http"),
    "no address": (_set("crm", base_url=None), "base_url"),
    "half of the credentials": (_set("x", auth={"consumer_key": "${X_CONSUMER_KEY}"}), "auth"),
    "a bad guard": (_changed(lambda project: project.update(guards={"maxDestroy": -1})), "guards"),
    "a bad backend": (_changed(lambda project: project.update(state={"backend": "paper"})), "state"),
}


@pytest.mark.parametrize("words", (*COMMANDS, ("state", "list")), ids=lambda words: words[0])
@pytest.mark.parametrize("name", PROJECTS)
def test_a_malformed_project_file(settled: Lab, name: str, words: tuple[str, ...]) -> None:
    make, part = PROJECTS[name]
    settled.write_file("reconciler.yaml", make(settled))
    ran = fails(settled, words, part)
    assert "AQV-secret" not in ran.err + ran.out
    assert settled.requests == []


@pytest.mark.parametrize("words", (*COMMANDS, ("state", "list")), ids=lambda words: words[0])
def test_no_project_file(settled: Lab, words: tuple[str, ...]) -> None:
    (settled.dir / "reconciler.yaml").unlink()
    fails(settled, words, "reconciler.yaml")


def test_an_unknown_environment(settled: Lab) -> None:
    fails(settled, ("--env", "nowhere", "plan"), "nowhere")


# --- plan files ------------------------------------------------------------------------------------------------------


def _plan_with(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], str]:
    def make(plan: dict[str, Any]) -> str:
        changed = copy.deepcopy(plan)
        change(changed)
        return json.dumps(changed)

    return make


def _change_with(**more: Any) -> Callable[[dict[str, Any]], str]:
    return _plan_with(lambda plan: plan["changes"][0].update(more))


PLANS: dict[str, Callable[[dict[str, Any]], str | bytes]] = {
    "empty": lambda plan: "",
    "no JSON": lambda plan: "formatVersion: 1.0",
    "cut short": lambda plan: json.dumps(plan)[:-40],
    "binary": lambda plan: b"\xff\xfe\x00\x01",
    "a list": lambda plan: "[]",
    "null": lambda plan: "null",
    "very deep": lambda plan: "[" * 100_000,
    "another object": lambda plan: '{"hello": 1}',
    "no version": _plan_with(lambda plan: plan.pop("formatVersion")),
    "another version": _plan_with(lambda plan: plan.update(formatVersion="2.0")),
    "a version that is a number": _plan_with(lambda plan: plan.update(formatVersion=1.0)),
    "no time": _plan_with(lambda plan: plan.pop("createdAt")),
    "a wrong time": _plan_with(lambda plan: plan.update(createdAt="yesterday")),
    "changes that are no list": _plan_with(lambda plan: plan.update(changes={"a": 1})),
    "a change that is text": _plan_with(lambda plan: plan.update(changes=["x"])),
    "an unknown action": _change_with(action="destroy"),
    "a key that is none": _change_with(key="nothing"),
    "an unknown kind": _change_with(key="Nothing/a"),
    "an unknown connection": _change_with(connection="nowhere"),
    "a call to another host": _change_with(
        calls=[
            {"method": "POST", "path": "//evil.example/x", "query": {}, "headers": {}, "body": {}, "purpose": "update"}
        ]
    ),
    "a call with an address": _change_with(
        calls=[
            {
                "method": "POST",
                "path": "https://evil.example",
                "query": {},
                "headers": {},
                "body": {},
                "purpose": "update",
            }
        ]
    ),
    "a call with an unknown purpose": _change_with(
        calls=[{"method": "POST", "path": "/x", "query": {}, "headers": {}, "body": {}, "purpose": "have fun"}]
    ),
    "an update without a target": _change_with(desired=None),
    "an update without an id": _change_with(remoteId=None),
    "a target that is a list": _change_with(desired=[1]),
    "expected values that are a list": _change_with(expected=[1]),
    "a wrong lifecycle": _change_with(lifecycle={"onRemoval": "explode", "onImmutableChange": "block"}),
    "waits for nobody": _change_with(after=["XAdsABTest/nobody"]),
    "waits for itself": _plan_with(lambda plan: plan["changes"][0].update(after=[plan["changes"][0]["key"]])),
    "one change twice": _plan_with(lambda plan: plan["changes"].append(plan["changes"][0])),
    "another environment": _plan_with(lambda plan: plan.update(environment="production")),
    "another state": _plan_with(lambda plan: plan["state"].update(lineage="another")),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_malformed_plan_file(settled: Lab, name: str) -> None:
    settled.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "name": "renamed"})
    plan = settled.plan(code=0)
    settled.forget_requests()
    settled.write_file("plan.json", PLANS[name](plan))
    fails(settled, ("apply", "plan.json"))


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_plan_file_that_is_none(settled: Lab, name: str) -> None:
    fails(settled, ("apply", name), name)


def test_a_plan_that_cannot_be_saved(settled: Lab) -> None:
    fails(settled, ("plan", "--out", "nowhere/plan.json"), "nowhere/plan.json")


# --- state files -----------------------------------------------------------------------------------------------------


def _state_with(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    def make(content: bytes) -> bytes:
        values = json.loads(content)
        change(values)
        return json.dumps(values).encode()

    return make


def _record_with(**more: Any) -> Callable[[bytes], bytes]:
    return _state_with(lambda values: values["experiments"]["XAdsABTest/a"].update(more))


STATES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[:-30],
    "binary": lambda content: b"\xff\xfe\x00",
    "a list": lambda content: b"[]",
    "null": lambda content: b"null",
    "very deep": lambda content: b"[" * 100_000,
    "conflict markers": lambda content: b"<<<<<<< HEAD\n" + content + b"=======\n" + content + b">>>>>>> other\n",
    "another version": _state_with(lambda values: values.update(formatVersion="9.0")),
    "no serial": _state_with(lambda values: values.pop("serial")),
    "a serial that is text": _state_with(lambda values: values.update(serial="1")),
    "no lineage": _state_with(lambda values: values.pop("lineage")),
    "experiments that are a list": _state_with(lambda values: values.update(experiments=[])),
    "a key that is none": _state_with(lambda values: values["experiments"].update({"x": {}})),
    "a record that is text": _state_with(lambda values: values["experiments"].update({"XAdsABTest/b": "x"})),
    "an id that is a number": _record_with(remoteId=5),
    "applied that is a list": _record_with(applied=[]),
    "an unknown key": _state_with(lambda values: values.update(more=1)),
}


@pytest.mark.parametrize("words", (*ONLINE, ("state", "list"), ("state", "rm", "XAdsABTest/a")), ids=lambda w: w[0])
@pytest.mark.parametrize("name", STATES)
def test_a_malformed_state_file(lab: Lab, name: str, words: tuple[str, ...]) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    lab.forget_requests()
    content = STATES[name](lab.state_file.read_bytes())
    lab.state_file.write_bytes(content)
    fails(lab, words, "state.json")
    assert lab.state_file.read_bytes() == content, "it is left for a person to look at"
    assert lab.requests == []


def test_a_kind_in_the_state_that_nobody_knows(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    values = json.loads(lab.state_file.read_text())
    values["experiments"]["FacebookTest/a"] = values["experiments"]["XAdsABTest/a"]
    lab.state_file.write_text(json.dumps(values))
    for words in ONLINE:
        fails(lab, words, "FacebookTest")


def test_a_connection_in_the_state_that_is_gone(settled: Lab) -> None:
    for case in CASES:
        if case is not X_ADS:
            settled.unwrite(case.kind)
    project = yaml.safe_load((settled.dir / "reconciler.yaml").read_text())
    del project["connections"]["crm"]
    settled.write_file("reconciler.yaml", yaml.safe_dump(project))
    for words in ONLINE:
        fails(settled, words, "SalesforceExperiment/a", "crm")


# --- credentials and connections -------------------------------------------------------------------------------------

VARIABLES = {"linkedin": "LINKEDIN_ACCESS_TOKEN", "x-ads": "X_CONSUMER_SECRET", "salesforce": "SF_CLIENT_SECRET"}


@pytest.mark.parametrize("words", ONLINE, ids=lambda words: words[0])
@pytest.mark.parametrize("how", ["missing", "empty"])
@pytest.mark.parametrize("case", EVERY)
def test_a_missing_variable(
    settled: Lab, monkeypatch: pytest.MonkeyPatch, case: Case, how: str, words: tuple[str, ...]
) -> None:
    name = VARIABLES[case.platform]
    if how == "missing":
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, "")
    fails(settled, words, name)
    settled.run("validate").must(0)
    settled.run("state", "list").must(0)


@pytest.mark.parametrize("case", EVERY)
def test_a_missing_variable_matters_only_where_it_is_needed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    for other, name in VARIABLES.items():
        if other != case.platform:
            monkeypatch.delenv(name)
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.settled()


@pytest.mark.parametrize("words", ONLINE, ids=lambda words: words[0])
@pytest.mark.parametrize("case", EVERY)
def test_wrong_credentials(settled: Lab, monkeypatch: pytest.MonkeyPatch, case: Case, words: tuple[str, ...]) -> None:
    monkeypatch.setenv(VARIABLES[case.platform], "wrong-credential-4711")
    ran = settled.run(*words).must(1)
    assert "wrong-credential-4711" not in ran.out + ran.err
    name = {"linkedin": "linkedin", "x-ads": "x", "salesforce": "crm"}[case.platform]
    assert name in ran.out + ran.err and ("auth" in ran.out + ran.err or "credential" in ran.out + ran.err)


@pytest.mark.parametrize("words", ONLINE, ids=lambda words: words[0])
@pytest.mark.parametrize("case", EVERY)
def test_an_unreachable_host(settled: Lab, case: Case, words: tuple[str, ...]) -> None:
    name = {"linkedin": "linkedin", "x-ads": "x", "salesforce": "crm"}[case.platform]
    project = yaml.safe_load((settled.dir / "reconciler.yaml").read_text())
    project["connections"][name]["base_url"] = "http://127.0.0.1:1"
    settled.write_file("reconciler.yaml", yaml.safe_dump(project))
    ran = settled.run(*words).must(1)
    assert "127.0.0.1" in ran.out + ran.err


UNKNOWN_WORDS = {
    "linkedin": ("experiments", "executionState", "SIMMERING"),
    "x-ads": ("ab_tests", "status", "SIMMERING"),
    "salesforce": ("experiments", "state", "Simmering"),
}


@pytest.mark.parametrize("case", EVERY)
def test_an_unknown_status_from_the_platform(lab: Lab, case: Case) -> None:
    """It is shown as it is; nothing is changed on the strength of a word that nobody knows."""
    key = lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.forget_requests()
    table, name, word = UNKNOWN_WORDS[case.platform]
    body = {**lab.table(case.platform, table)[lab.remote_id(key)], name: word}
    body = {key: value for key, value in body.items() if not key.startswith("_")}
    answer: Any = {
        "linkedin": {"results": {str(body["id"]): body}, "errors": {}},
        "x-ads": {"data": [body], "next_cursor": None},
        "salesforce": body,
    }[case.platform]
    path = {"linkedin": "adExperiments", "x-ads": "ab_tests", "salesforce": "abn-experiments"}[case.platform]
    match = {"platform": case.platform, "method": "GET", "path": path}
    lab.faults({"match": match, "times": 1000, "do": {"status": 200, "body": answer}})
    ran = lab.run("plan")
    assert "Traceback" not in ran.err and ran.code in (0, 1, 3)
    assert "Traceback" not in lab.run("drift").err
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    ran = lab.run("plan")
    assert ran.code in (1, 3) and word in ran.out + ran.err, ran.out + ran.err
    assert lab.run("apply", "--auto-approve").code in (1, 3)
    assert lab.writes == []


@pytest.mark.parametrize("case", EVERY)
def test_another_unknown_word_from_the_platform_is_a_value_like_any_other(lab: Lab, case: Case) -> None:
    if case is not SALESFORCE:
        name, word = {"linkedin": ("autoStop", "AUTO_STOP_AT_DAWN"), "x-ads": ("entity_type", "PLANET")}[case.platform]
    else:
        name, word = "winnerSelectionMode", "ByDice"
    key = lab.manifest(case.kind, case.spec)
    lab.apply()
    table = UNKNOWN_WORDS[case.platform][0]
    with lab.server.world.lock:
        lab.server.world.table(case.platform, table)[lab.remote_id(key)][name] = word
    ran = lab.run("drift")
    assert ran.code == 2 and word in ran.out


# --- the emulator's own files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--seed", "--faults"])
@pytest.mark.parametrize("text", ["a: [", "- nonsense\n", "nonsense: {}\n", "5\n", b"\xff\xfe"], ids=range(5))
def test_a_malformed_file_for_the_emulator(lab: Lab, option: str, text: str | bytes) -> None:
    lab.write_file("file.yaml", text)
    fails(lab, ("emulator", "--port", "0", option, "file.yaml"))


def test_a_missing_file_for_the_emulator(lab: Lab) -> None:
    fails(lab, ("emulator", "--port", "0", "--seed", "nowhere.yaml"), "nowhere.yaml")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tables": 5}', '{"tables": {}, "clockOffset": "x"}'], ids=range(5))
def test_broken_data_of_the_embedded_platforms(lab: Lab, text: str) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.write_file(".reconciler/emulator/world.json", text)
    fails(lab, ("plan", "--emulator"), "world.json")
