"""
A canary for every credential in every shape of `auth`: it goes to its platform and shows up nowhere else.

Looked through: all that commands print with `--verbose`, every file of the project (state, backup, journal of a killed
run, audit record, log file, saved plans, manifests, the emulator's data), spans, reports in every format, the library
logs at their most talkative, the traceback of an unforeseen error.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import stat
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kinds import CASES, Case
from laboratory import CONNECTIONS, Lab

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
BY_PLATFORM: dict[str, Case] = {case.platform: case for case in CASES}


@dataclass(frozen=True)
class Shape:
    """One shape of `auth`: its keys with their values, those that are secrets among them."""

    platform: str
    auth: Mapping[str, str]
    open: frozenset[str] = frozenset({"client_id", "username", "token_url", "audience", "consumer_key"})


SHAPES = {
    "linkedin token": Shape("linkedin", {"access_token": "canary-li-token-5f1d"}),
    "linkedin refresh": Shape(
        "linkedin",
        {
            "client_id": "app-1",
            "client_secret": "canary-li-secret+/=&",
            "refresh_token": "canary-li-refresh-77",
            "token_url": "/oauth/v2/accessToken",
        },
    ),
    "x": Shape(
        "x-ads",
        {
            "consumer_key": "emulator-ck",
            "consumer_secret": "canary-x-cs-90aa",
            "access_token": "emulator-tk",
            "access_token_secret": "canary-x-ts-77e0",
        },
        frozenset({"consumer_key"}),
    ),
    "salesforce token": Shape("salesforce", {"access_token": "00Dcanary!AQ.token_61"}),
    "salesforce client": Shape("salesforce", {"client_id": "app-1", "client_secret": "canary-sf-secret \"%'"}),
    "salesforce refresh": Shape("salesforce", {"client_id": "app-1", "refresh_token": "canary-sf-refresh-3c"}),
    "salesforce jwt": Shape("salesforce", {"client_id": "app-1", "username": "a@b.example", "private_key": PEM}),
    "salesforce jwt file": Shape(
        "salesforce",
        {"client_id": "app-1", "username": "a@b.example", "private_key_file": "key.pem"},
        frozenset({"client_id", "username", "private_key_file"}),
    ),
}


def arranged(lab: Lab, shape: Shape, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Let the platform take these credentials and the project use them; gives the secrets."""
    world, auth = lab.server.world, dict(shape.auth)
    match shape.platform:
        case "linkedin":
            table = world.table("linkedin", "credentials")
            if "access_token" in auth:
                table[auth["access_token"]] = table["emulator-linkedin-token"]
            else:
                secret, refresh = auth["client_secret"], auth["refresh_token"]
                table["app-1"] = {"kind": "client", "secret": secret, "refreshToken": refresh}
        case "x-ads":
            row = world.table("x-ads", "credentials")["emulator-tk"]
            row.update(consumer_secret=auth["consumer_secret"], access_token_secret=auth["access_token_secret"])
        case _:
            lab.settings(refresh_token_rotation=True)
            clients, users = world.table("salesforce", "clients"), world.table("salesforce", "users")
            user = clients["emulator-client"]["runAs"]
            users[user]["username"] = "a@b.example"
            secret = auth.get("client_secret", "other")
            clients["app-1"] = {"clientSecret": secret, "runAs": user, "publicKey": PUBLIC}
            if "refresh_token" in auth:
                world.table("salesforce", "refreshTokens")[auth["refresh_token"]] = {"clientId": "app-1", "user": user}
            if "access_token" in auth:
                from reconciler.emulator.salesforce import sessions

                made = sessions.new_session(world, user)
                table = world.table("salesforce", "sessions")
                table[auth["access_token"]] = table.pop(made)
    base_url = lab.server.base_url(shape.platform)
    given: dict[str, str] = {}
    for name, value in auth.items():
        if name == "token_url":
            given[name] = base_url + value
        elif name == "private_key_file":
            (lab.dir.parent / "key.pem").write_text(PEM)
            given[name] = str(lab.dir.parent / "key.pem")
        else:
            monkeypatch.setenv(f"SEC_{name.upper()}", value)
            given[name] = f"${{SEC_{name.upper()}}}"
    if "private_key" in auth or "private_key_file" in auth:
        given["audience"] = base_url
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
    name = CONNECTIONS[shape.platform]
    project["connections"] = {name: {**project["connections"][name], "auth": given}}
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    found = {value for key, value in auth.items() if key not in shape.open}
    return {line for value in found for line in value.splitlines() if len(line) > 8 and not line.startswith("---")}


def issued(lab: Lab) -> set[str]:
    """Give the tokens that the platforms have handed out meanwhile."""
    world = lab.server.world
    linkedin = {token for token in world.table("linkedin", "credentials") if "issued" in token}
    fresh = {token for token in world.table("salesforce", "refreshTokens") if token != "emulator-refresh"}
    return {*linkedin, *fresh, *world.table("salesforce", "sessions")}


def looked_through(lab: Lab, secrets: set[str], shown: str, *, cache: bool = False) -> None:
    """Fail when a secret stands, as it is or encoded, in what was shown or in a file (the token cache aside)."""
    wanted = secrets | issued(lab)
    wanted |= {quote(secret, safe="") for secret in wanted} | {
        base64.b64encode(secret.encode()).decode().rstrip("=") for secret in wanted
    }
    for path in [path for path in lab.dir.rglob("*") if path.is_file() and not path.is_symlink()]:
        if not cache and lab.dir / "cache" in path.parents:
            continue
        shown += path.read_bytes().decode("utf-8", "replace")
    for secret in wanted:
        assert secret not in shown, secret


def killed_behind_its_first_write(words: tuple[str, ...]) -> bool:
    """Run a command in a child that is killed once the platform has answered the first call that changes something."""
    from reconciler.cli.main import main
    from reconciler.platforms.http import HttpClient

    write = HttpClient.write

    async def last(*given: Any, **more: Any) -> Any:
        await write(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the parent's thread is the server, which it leaves alone
        child = os.fork()
    if child == 0:
        HttpClient.write = last  # type: ignore[method-assign]
        try:
            main(list(words))
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_whole_life(
    lab: Lab, shape: Shape, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("RECONCILER_LOG_FILE", str(lab.dir / "run.log"))
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    secrets = arranged(lab, shape, monkeypatch)
    case = BY_PLATFORM[shape.platform]
    key = lab.manifest(case.kind, case.spec)
    shown = ""

    def run(*words: str, codes: tuple[int, ...] = (0, 2, 3)) -> None:
        nonlocal shown
        ran = lab.run(*words)
        shown += ran.out + ran.err
        assert ran.code in codes, f"{words}: {ran.out}{ran.err}"

    run("validate")
    run("plan", "--out", "plan.json")
    for form in ("text", "json", "markdown", "html", "github"):
        run("plan", "--format", form)
    run("--verbose", "apply", "plan.json")
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    assert killed_behind_its_first_write(("apply", "--auto-approve"))
    assert list(lab.dir.rglob("*journal*")), "the journal of the killed run"
    looked_through(lab, secrets, shown)
    run("doctor", codes=(0, 1))
    run("doctor", "--format", "json", codes=(0, 1))
    monkeypatch.delenv("RECONCILER_LOG_FILE")
    monkeypatch.setenv("RECONCILER_LOG", "json")
    run("apply", "--auto-approve", "--format", "json")
    for form in ("text", "json", "markdown", "html", "junit", "sarif", "github"):
        run("drift", "--format", form, "--unmanaged")
    for form in ("text", "json", "markdown"):
        run("results", "--format", form)
    run("state", "list")
    run("state", "show", key)
    run("state", "log", "--format", "json")
    run("state", "pull")
    remote_id = lab.remote_id(key)
    run("state", "rm", key)
    lab.unwrite(case.kind)
    run("import", case.kind, remote_id)
    run("fmt")
    run("plan", "--format", "json")
    assert '"event": "request"' in shown and '"event": "request"' in (lab.dir / "run.log").read_text()
    assert '"name": "reconciler apply"' in shown, "spans"
    looked_through(lab, secrets, shown + "".join(record.getMessage() for record in caplog.records))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_platform_that_refuses_and_repeats_it(lab: Lab, shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer, that of the token endpoint too, quotes every secret."""
    secrets = arranged(lab, shape, monkeypatch)
    case = BY_PLATFORM[shape.platform]
    lab.manifest(case.kind, case.spec)
    given = " ".join(value for name, value in shape.auth.items() if name not in shape.open)
    for status, body in (
        (401, {"error": "invalid_grant", "error_description": given, "message": given}),
        (400, {"message": given, "errors": [{"message": given, "code": given}], "code": given}),
        (500, f"<html>{given}</html>"),
        (200, f"{given}"),
    ):
        effect = {"status": status, "body": body, "headers": {"x-request-id": given.replace("\n", " ")}}
        lab.faults({"match": {"platform": shape.platform}, "times": 1000, "do": effect})
        shown = ""
        for words in (("plan",), ("apply", "--auto-approve"), ("drift", "--unmanaged"), ("doctor",)):
            ran = lab.run(*words)
            assert "Traceback" not in ran.err
            shown += ran.out + ran.err
        looked_through(lab, secrets, shown)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_traceback_of_an_unforeseen_error(lab: Lab, shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours: the traceback shows lines of source, and no values."""
    from reconciler.platforms.carrier import Carrier

    secrets = arranged(lab, shape, monkeypatch)
    case = BY_PLATFORM[shape.platform]
    lab.manifest(case.kind, case.spec)

    async def broken(self: Any, method: str, url: str, *how: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Carrier, "exchange", broken)
    with pytest.raises(RuntimeError) as caught:
        lab.run("plan")
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    looked_through(lab, secrets, shown)


def test_a_rotated_refresh_token_is_kept_for_its_owner_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    arranged(lab, SHAPES["salesforce refresh"], monkeypatch)
    case = BY_PLATFORM["salesforce"]
    lab.manifest(case.kind, case.spec)
    lab.plan()
    kept = [path for path in (lab.dir / "cache").rglob("*") if path.is_file() and path.parent.name != "manifests"]
    assert len(kept) == 1
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600 and stat.S_IMODE(kept[0].parent.stat().st_mode) == 0o700
    lab.plan()  # the given token is spent: the kept one is used


@pytest.mark.parametrize("shape", [shape for shape in SHAPES.values() if shape.platform == "salesforce"])
def test_what_was_read_is_kept_for_its_owner_and_holds_no_secret(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, shape: Shape
) -> None:
    from reconciler.platforms.salesforce import kept

    monkeypatch.setattr(kept, "AT_REST_S", float("-inf"))
    secrets = arranged(lab, shape, monkeypatch)
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
    project["connections"]["crm"]["refresh"] = "incremental"
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    case = BY_PLATFORM["salesforce"]
    for number in range(kept.WORTH_A_QUERY):
        lab.manifest(case.kind, case.fresh(number), name=f"e{number}")
    lab.apply()
    shown = sorted(secrets)[:1]
    for secret in shown:  # as a platform that gives back what it was sent
        row = lab.server.world.table("salesforce", "experiments")[lab.remote_id(f"{case.kind}/e0")]
        row["description"] = secret
    lab.run("plan").must(0)
    (path,) = (lab.dir / "cache").rglob("readings/*.json")
    assert len(json.loads(path.read_text())["entries"]) == kept.WORTH_A_QUERY - len(shown)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.name + path.read_text()
    assert not any(secret in text for secret in (*secrets, *issued(lab)))


def test_a_secret_written_out_is_refused_without_repeating_it(lab: Lab) -> None:
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
    for key, value in (("access_token", "canary-plain-1"), ("access_token", "Bearer ${X}canary-plain-1")):
        project["connections"]["linkedin"]["auth"] = {key: value}
        lab.write_file("reconciler.yaml", yaml.safe_dump(project))
        ran = lab.run("validate").must(1)
        assert "canary" not in ran.out + ran.err


def test_values_hide_their_secrets() -> None:
    """A log line that prints settings or a client shows none."""
    from reconciler.platforms import auth
    from reconciler.platforms.session import ConnectionSettings

    shown = ""
    for shape in SHAPES.values():
        if "private_key_file" in shape.auth:
            continue
        values = {name: value for name, value in shape.auth.items() if name != "token_url"}
        settings = ConnectionSettings("c", shape.platform, "https://a.example", "1", auth=values)
        make = {"linkedin": auth.linkedin, "x-ads": auth.x_ads, "salesforce": auth.salesforce}[shape.platform]
        shown += f"{settings!r} {settings} {make(settings)!r}"
    assert "canary" not in shown and "PRIVATE KEY" not in shown


def test_the_address_of_a_git_remote_is_shown_without_its_password() -> None:
    """Also a password with an `@` in it, which nobody encoded."""
    from reconciler.state.git_command import without_credentials

    for address in (
        "https://u:canary@git.example/x",
        "https://u:can@canary@git.example/x",
        "ssh://canary@git.example/",
    ):
        shown = without_credentials(f"fatal: unable to access '{address}': no")
        assert "canary" not in shown and "git.example/" in shown
