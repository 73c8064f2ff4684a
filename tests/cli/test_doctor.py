"""`doctor` against the emulated platforms, against servers that answer badly, and against nothing at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World
from reconciler.model.examination import Grade
from reconciler.platforms.probe import clock_line
from reconciler.platforms.probes import probe_of
from reconciler.platforms.registry import PLATFORMS

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
GOOD = {
    "LI_TOKEN": "emulator-linkedin-token",
    "X_CK": "emulator-ck",
    "X_CS": "emulator-cs",
    "X_TK": "emulator-tk",
    "X_TS": "emulator-ts",
    "SF_ID": "emulator-client",
    "SF_SECRET": "emulator-secret",
}
LINKEDIN = """\
  li:
    platform: linkedin
    base_url: {linkedin}
    accounts: {li_accounts}
    auth: {{access_token: "${{LI_TOKEN}}"}}
"""
X = """\
  x:
    platform: x-ads
    base_url: {x}
    accounts: {x_accounts}
    auth: {{consumer_key: "${{X_CK}}", consumer_secret: "${{X_CS}}",
            access_token: "${{X_TK}}", access_token_secret: "${{X_TS}}"}}
"""
SALESFORCE = """\
  crm:
    platform: salesforce
    base_url: {salesforce}
    auth: {{client_id: "${{SF_ID}}", client_secret: "${{SF_SECRET}}"}}
"""
EXPERIMENT = """\
apiVersion: reconciler/v1
kind: XAdsABTest
metadata: {name: creative-test}
spec:
  account_id: ACCOUNT
  entity_type: CAMPAIGN
  start_time: 2026-12-01T00:00:00Z
  end_time: 2026-12-15T00:00:00Z
  user_groups:
    - {entity_ids: [c1], size: 50}
    - {entity_ids: [c2], size: 50}
"""
Write = Callable[..., Path]
Told = dict[str, list[dict[str, Any]]]


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    """The three platforms on a real socket."""
    with EmulatorServer(World(default_seed())) as running:
        yield running


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Give what writes a project into the current folder, with good credentials in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    def written(*connections: str, manifest: str = EXPERIMENT, **values: str) -> Path:
        filled = {"li_accounts": "[]", "x_accounts": "[]", **values}
        (tmp_path / "experiments").mkdir(exist_ok=True)
        (tmp_path / "experiments" / "one.yaml").write_text(manifest.replace("ACCOUNT", "18ce54d4x5t"))
        body = "".join(part.format(**filled) for part in connections)
        (tmp_path / "reconciler.yaml").write_text(f"version: 1\nconnections:\n{body}")
        return tmp_path

    return written


def urls(server: EmulatorServer) -> dict[str, str]:
    """Give the base URLs of the emulated platforms by the names in the templates."""
    return {
        "linkedin": server.base_url("linkedin"),
        "x": server.base_url("x-ads"),
        "salesforce": server.base_url("salesforce"),
    }


def examined(capsys: pytest.CaptureFixture[str], expected: int) -> tuple[Told, str]:
    """Run the doctor both ways; give its checks by section, and the text. No secret may stand in either."""
    assert main(["doctor"]) == expected
    text = capsys.readouterr()
    assert main(["doctor", "--format", "json"]) == expected
    shown = capsys.readouterr()
    for output in (text.out, text.err, shown.out, shown.err):
        assert not [value for value in GOOD.values() if value in output]
        assert "wrong-secret" not in output
    told = json.loads(shown.out)
    assert told["healthy"] == (expected == 0)
    return {section["title"].removeprefix("connection "): section["checks"] for section in told["sections"]}, text.out


def check(told: Told, section: str, subject: str) -> dict[str, Any]:
    """Give the one check of a section about a subject."""
    (found,) = [item for item in told[section] if item["subject"] == subject]
    return found


def results(told: Told, section: str) -> dict[str, str]:
    """Give the result of each check of a section."""
    return {item["subject"]: item["result"] for item in told[section]}


# --- what works ----------------------------------------------------------------------------------------------------


def test_all_is_well(server: EmulatorServer, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    accounts = next(iter(server.world.table("linkedin", "accounts")))
    write(LINKEDIN, X, SALESFORCE, **urls(server), li_accounts=f'["{accounts}"]')
    told, text = examined(capsys, 0)
    fine = dict.fromkeys(("variables", "reachable", "credentials", "role", "clock"), "ok")
    assert {name: results(told, name) for name in ("li", "x", "crm")} == {"li": fine, "x": fine, "crm": fine}
    assert check(told, "x", "role")["message"] == "may write to account 18ce54d4x5t (ACCOUNT_ADMIN)", "from a manifest"
    assert check(told, "x", "variables")["message"] == "X_CK, X_CS, X_TK, X_TS set"
    assert text.endswith("\neverything is fine; next: reconciler plan\n")


def test_nothing_is_changed(server: EmulatorServer, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(LINKEDIN, X, SALESFORCE, **urls(server))
    before = json.dumps(server.world.data["tables"]["x-ads"]["ab_tests"])
    examined(capsys, 0)
    assert json.dumps(server.world.data["tables"]["x-ads"]["ab_tests"]) == before
    assert not (folder / ".reconciler").exists()


def test_the_embedded_platforms_need_no_variable(
    server: EmulatorServer, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(LINKEDIN, X, SALESFORCE, linkedin="https://a.example", x="https://b.example", salesforce="https://c.example")
    for name in GOOD:
        monkeypatch.delenv(name)
    assert main(["doctor", "--emulator"]) == 0
    assert capsys.readouterr().out.endswith("everything is fine; next: reconciler plan\n")


# --- what does not -------------------------------------------------------------------------------------------------


def test_missing_variables_are_named_in_one_line(
    server: EmulatorServer, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(X, SALESFORCE, **urls(server))
    monkeypatch.delenv("X_CS")
    monkeypatch.setenv("X_TS", "")
    told, text = examined(capsys, 1)
    assert check(told, "x", "variables")["message"] == "X_CS, X_TS are not set"
    assert results(told, "x")["role"] == "skipped"
    assert results(told, "crm")["role"] == "ok", "the other connection is looked at all the same"
    assert text.endswith("\n1 problem\n")


@pytest.mark.parametrize(("variable", "section"), [("LI_TOKEN", "li"), ("X_TS", "x"), ("SF_SECRET", "crm")])
def test_refused_credentials(
    server: EmulatorServer,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    section: str,
) -> None:
    write(LINKEDIN, X, SALESFORCE, **urls(server))
    monkeypatch.setenv(variable, "wrong-secret-0123456789")
    told, _ = examined(capsys, 1)
    found = check(told, section, "credentials")
    assert found["result"] == "failed"
    assert f"connections.{section}.auth" in found["advice"]
    assert results(told, section)["role"] == "skipped"
    assert {results(told, name)["credentials"] for name in {"li", "x", "crm"} - {section}} == {"ok"}


def test_a_reader_on_x_is_a_warning(
    server: EmulatorServer, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(X, **urls(server))
    monkeypatch.setenv("X_TK", "emulator-viewer-tk")
    monkeypatch.setenv("X_TS", "emulator-viewer-ts")
    told, text = examined(capsys, 0)
    found = check(told, "x", "role")
    assert found["result"] == "warning"
    assert "ANALYST" in found["message"]
    assert "AD_MANAGER" in found["advice"]
    assert text.endswith("\nno problem, 1 warning; next: reconciler plan\n")


def test_an_account_without_role_on_x(server: EmulatorServer, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(X, **urls(server), x_accounts='["nosuch"]')
    told, _ = examined(capsys, 1)
    grades = [item["result"] for item in told["x"] if item["subject"] == "role"]
    assert grades == ["failed", "ok"]


def test_a_closed_port_is_told_at_once(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        write(X, x=f"http://127.0.0.1:{port}")
        told, _ = examined(capsys, 1)
    assert "(TCP)" in check(told, "x", "reachable")["message"]
    assert results(told, "x")["credentials"] == "skipped"


def test_a_host_that_does_not_exist(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    write(X, x="https://ads.invalid")
    told, _ = examined(capsys, 1)
    assert "(DNS)" in check(told, "x", "reachable")["message"]


class Stub:
    """A server that gives one answer to everything; `hits` are the request lines that it got."""

    def __init__(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.hits: list[str] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stub.hits.append(f"{self.command} {self.path}")
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self) -> None:
                stub.hits.append(f"{self.command} {self.path}")
                token = b'{"access_token": "t0ken-of-the-stub"}'
                self.send_response_only(200)
                self.send_header("Content-Length", str(len(token)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(token)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def stub(status: int, body: Any, **headers: str) -> Stub:
    """Give a server that answers so, as JSON unless the body is text."""
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    return Stub(status, text, {"Content-Type": kind, **headers})


def test_no_role_on_linkedin(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(403, {"status": 403, "code": "ACCESS_DENIED", "message": "no access to \x1b[31mthis"}) as answers:
        write(LINKEDIN, linkedin=answers.url, li_accounts='["123", "urn:li:sponsoredAccount:123"]')
        told, text = examined(capsys, 1)
        assert len(answers.hits) == 2, "one account, however it is written, in each of two runs"
    found = check(told, "li", "role")
    assert "CAMPAIGN_MANAGER" in found["message"]
    assert results(told, "li")["credentials"] == "ok"
    assert "\x1b" not in text


def test_a_retired_version_on_linkedin(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(426, {"status": 426, "code": "NONEXISTENT_VERSION", "message": "no"}) as answers:
        write(LINKEDIN, linkedin=answers.url, li_accounts='["123"]')
        told, _ = examined(capsys, 1)
    assert "api_version" in check(told, "li", "credentials")["advice"]


def test_experiments_that_salesforce_does_not_show(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(400, [{"errorCode": "INVALID_TYPE", "message": "sObject type 'AbnExperiment' is not supported."}]) as org:
        write(SALESFORCE, salesforce=org.url)
        told, _ = examined(capsys, 1)
        assert any("LIMIT%201" in hit for hit in org.hits)
    found = check(told, "crm", "role")
    assert found["result"] == "failed"
    assert "Personalization Admin" in found["advice"]


def test_an_answer_that_is_none(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(200, "<html>maintenance</html>") as answers:
        write(X, x=answers.url)
        told, _ = examined(capsys, 1)
    assert "api_version" in check(told, "x", "credentials")["advice"]


def test_a_wrong_clock_is_a_warning_even_when_the_credentials_are_refused(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with stub(401, {"errors": [{"code": "UNAUTHORIZED_ACCESS", "message": "no"}]}, Date=date) as answers:
        write(X, x=answers.url)
        told, _ = examined(capsys, 1)
    found = check(told, "x", "clock")
    assert found["result"] == "warning"
    assert "behind the platform's" in found["message"]
    assert "5 minutes" in found["advice"]
    assert results(told, "x")["credentials"] == "failed"


@pytest.mark.parametrize(
    ("ahead_s", "grade", "words"),
    [
        (0, Grade.OK, "within 1 s"),
        (-60, Grade.OK, "within 60 s"),
        (61, Grade.WARNING, "61 s ahead of"),
        (-301, Grade.WARNING, "301 s behind"),
    ],
)
def test_clock(ahead_s: int, grade: Grade, words: str) -> None:
    line = clock_line(format_datetime(NOW - timedelta(seconds=ahead_s), usegmt=True), NOW)
    assert line.grade is grade
    assert words in line.message
    assert ("5 minutes" in line.advice) == (abs(ahead_s) > 300)


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Nov 2026 09:00:00 GMT"])
def test_clock_without_a_date(date: str) -> None:
    assert clock_line(date, NOW).grade is Grade.SKIPPED


# --- the project ---------------------------------------------------------------------------------------------------


def test_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    told, text = examined(capsys, 1)
    assert "reconciler init" in check(told, "project", "project file")["message"]
    assert text.endswith("\n1 problem\n")


def test_a_broken_project_file_and_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reconciler.yaml").write_text("version: 1\nconections: {}\nguards: {maxDestroy: -1}\n")
    told, _ = examined(capsys, 1)
    assert [item["message"].split(":")[1] for item in told["project"]] == ["2", "3"]


def test_broken_manifests_do_not_hide_the_connections(
    server: EmulatorServer, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(X, **urls(server), manifest="kind: XAdsABTest\n")
    told, _ = examined(capsys, 1)
    found = check(told, "project", "manifests")
    assert found["result"] == "failed"
    assert "reconciler validate" in found["advice"]
    assert results(told, "x")["credentials"] == "ok"
    assert results(told, "x")["role"] == "skipped", "nobody names an account"


def test_state_and_lock(server: EmulatorServer, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(X, **urls(server))
    (folder / ".reconciler").mkdir()
    told, _ = examined(capsys, 0)
    assert check(told, "project", "lock")["message"] == "free"
    (folder / ".reconciler" / "state.json").write_text("{")
    told, _ = examined(capsys, 1)
    assert check(told, "project", "state")["result"] == "failed"


def test_a_lock_that_somebody_holds_is_a_warning(
    server: EmulatorServer, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    from reconciler.state.file_store import FileStore
    from reconciler.state.owner import owner_of

    folder = write(X, **urls(server))
    (folder / ".reconciler").mkdir()
    owner = owner_of({"USER": "ada"}, command="reconciler apply", now=NOW)
    with FileStore(folder / ".reconciler" / "state.json").lock(owner):
        told, _ = examined(capsys, 0)
    found = check(told, "project", "lock")
    assert found["result"] == "warning"
    assert "ada" in found["message"]


def test_every_platform_has_a_probe() -> None:
    for platform in PLATFORMS:
        assert callable(probe_of(platform))
