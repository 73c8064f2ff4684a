"""Hostile text in what a platform reports: names of experiments, of campaigns and groups, error messages, statuses."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import click
import pytest
from kinds import CASES, Case
from laboratory import CONNECTIONS, Lab

from reconciler.cli.main import cli

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
TERMINAL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202eevil\u200b\u2066\nPlan: 0 to create\r\n::set-output name=a::b"
MARKDOWN = "|x|`y`<img src=//evil.example/i.png><script>alert(1)</script>[a](javascript:x)![b](//evil.example)@team #1"
TEXTS = {"terminal": TERMINAL, "markdown": MARKDOWN, "long": "x" * 100_000}


class Tags(HTMLParser):
    """The elements that a text would make where Markdown or a page is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")]


def renamed(lab: Lab, case: Case, text: str) -> None:
    """Let the live experiment carry a hostile text in every field of free text, its groups too."""
    table = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}[case.platform]
    with lab.server.world.lock:
        for row in lab.server.world.table(case.platform, table).values():
            poison(row, text)


def poison(row: Any, text: str) -> None:
    for key, value in row.items() if isinstance(row, dict) else ():
        if key in ("description", "label") or (key == "name" and "isControl" not in row and "dataSpaceName" not in row):
            row[key] = text
        elif isinstance(value, list):
            for item in value:
                poison(item, text)


COMMANDS = [
    ("plan",),
    ("drift",),
    ("drift", "--unmanaged"),
    ("results",),
    ("state", "list"),
    ("doctor",),
    ("apply", "--auto-approve"),
]


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("case", EVERY)
def test_nothing_that_a_terminal_obeys(lab: Lab, case: Case, what: str) -> None:
    lab.manifest(case.kind, case.spec)
    lab.apply()
    renamed(lab, case, TEXTS[what])
    for words in COMMANDS:
        ran = lab.run(*words)
        assert "Traceback" not in ran.err
        assert not UNSEEN.search(ran.out + ran.err), words
        assert not re.search("(?m)^(::|Plan: 0 to create$)", ran.out + ran.err), words
        assert len(ran.out + ran.err) < 400_000, words


def formats() -> list[tuple[str, str]]:
    """Give every command that reports on experiments with every format it has, text aside."""
    found = []
    for name in ("plan", "drift", "results"):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        (option,) = [item for item in command.params if "--format" in item.opts]
        assert isinstance(option.type, click.Choice)
        found += [(name, form) for form in option.type.choices if form != "text"]
    return found


def page_of(lab: Lab, command: str) -> str:
    """Give the page of a command."""
    return lab.run(command, "--format", "html", *(("--unmanaged",) if command == "drift" else ())).out


def obeyed(log: str) -> list[str]:
    """Give the commands that a runner of GitHub Actions obeys in a log: those outside of `stop-commands`."""
    found: list[str] = []
    token = ""
    for line in log.splitlines():
        text = line.strip()
        if token:
            token = "" if text == f"::{token}::" else token
        elif match := re.match(r"::([\w-]+)(?: [^:]*)?::(.*)", text):
            found.append(match[1])
            token = match[2] if match[1] == "stop-commands" else ""
        else:
            found += re.findall(r"##\[.*?\]", text)
    return found


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("case", EVERY)
def test_formats_for_programs_and_pages(lab: Lab, case: Case, what: str) -> None:
    """JSON stays JSON, XML well-formed; Markdown and pages make no element, link or mention of a name."""
    lab.manifest(case.kind, case.spec)
    lab.apply()
    renamed(lab, case, "a harmless name")
    own = {command: Tags(page_of(lab, command)).found for command, form in formats() if form == "html"}
    renamed(lab, case, TEXTS[what])
    for command, form in formats():
        shown = lab.run(command, "--format", form, *(("--unmanaged",) if command == "drift" else ())).out
        assert shown and not UNSEEN.search(shown), (command, form)
        if form in ("json", "sarif"):
            assert isinstance(json.loads(shown), dict)
        elif form == "junit":
            ElementTree.fromstring(shown)
        elif form == "github":  # a log of plain text, of which the runner obeys only what is the tool's own
            assert {*obeyed(shown)} <= {"stop-commands", "error", "warning", "notice"}, (command, form)
        elif form == "html":  # the page's own script and links inside the page, and no more than those
            found = Tags(shown).found
            assert {*found} <= {*own[command]}, (command, form)
            assert found.count("script") == own[command].count("script") <= 1
            assert not {*found} & {"img", "iframe"}
            assert all(address.startswith("#") for address in Tags(shown).addresses)
        else:
            assert not {*Tags(shown).found} & {"script", "img", "iframe", "a"}, (command, form)
            assert "](javascript" not in shown and "@team" not in shown and "![b]" not in shown


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("case", EVERY)
def test_an_imported_manifest_reads_back_and_runs_nothing(lab: Lab, case: Case, what: str) -> None:
    """What looks like an expression or like YAML in a name is text in the manifest that is written."""
    lab.manifest(case.kind, case.spec)
    lab.apply()
    renamed(lab, case, TEXTS[what][:200] + "{{ 7 * 7 }} {% x %} ${LINKEDIN_ACCESS_TOKEN} !!python/name:os.system &a *a")
    remote_id = lab.remote_id(f"{case.kind}/a")
    lab.run("state", "rm", f"{case.kind}/a").must(0)
    lab.unwrite(case.kind)
    ran = lab.run("import", case.kind, remote_id, "--connection", CONNECTIONS[case.platform])
    assert "Traceback" not in ran.err and not UNSEEN.search(ran.out + ran.err)
    if ran.code != 0:
        assert not list((lab.dir / "experiments").glob("**/*.yaml"))
        return
    for path in (lab.dir / "experiments").rglob("*.yaml"):
        text = path.read_text()
        assert not UNSEEN.search(text) and "emulator-linkedin-token" not in text
    shown = lab.run("validate", "--show")
    assert "49" not in shown.out.replace("2026", "") or "7 * 7" in shown.out
    assert "emulator-linkedin-token" not in shown.out


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("case", EVERY)
def test_error_messages_of_a_platform(lab: Lab, case: Case, what: str) -> None:
    lab.manifest(case.kind, case.spec)
    text = TEXTS[what]
    bodies: list[Any] = [
        {"message": text, "code": text, "errors": [{"message": text, "code": text, "parameter": text}]},
        [{"message": text, "errorCode": text, "fields": [text]}],
        {"errorDetailType": text, "message": text, "errorDetails": {"inputErrors": [{"code": text, "message": text}]}},
        text,
    ]
    for status in (400, 403, 404, 500):
        for body in bodies:
            effect = {"status": status, "body": body}
            lab.faults({"match": {"platform": case.platform}, "times": 1000, "do": effect})
            for words in (("plan",), ("apply", "--auto-approve")):
                ran = lab.run(*words)
                assert ran.code == 1 and "Traceback" not in ran.err
                assert not UNSEEN.search(ran.out + ran.err) and len(ran.out + ran.err) < 30_000


@pytest.mark.parametrize("case", EVERY)
def test_a_status_that_nobody_knows(lab: Lab, case: Case) -> None:
    """An unknown status is shown escaped, and nothing is sent on the strength of it."""
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    key = {"linkedin": "executionState", "x-ads": "status", "salesforce": "state"}[case.platform]
    lab.forget_requests()
    remote_id = lab.remote_id(f"{case.kind}/a")
    body = json.dumps(lab.table(case.platform, "ab_tests" if case.platform == "x-ads" else "experiments")[remote_id])
    assert key and body
    shape: dict[str, Any] = {**json.loads(body), key: TERMINAL}
    wrapped: Any = {"data": [shape]} if case.platform == "x-ads" else {"results": {remote_id: shape}}
    if case.platform == "salesforce":
        wrapped = shape
    match = {"platform": case.platform, "method": "GET"}
    lab.faults({"match": match, "times": 1000, "do": {"status": 200, "body": wrapped}})
    ran = lab.run("apply", "--auto-approve")
    assert "Traceback" not in ran.err and not UNSEEN.search(ran.out + ran.err)
    assert lab.writes == []
