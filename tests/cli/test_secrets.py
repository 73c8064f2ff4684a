"""A canary for each secret: it may go to its platform, and must show up nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from kinds import CASES, SALESFORCE
from laboratory import Lab

CANARIES = {
    "LINKEDIN_ACCESS_TOKEN": "canary-li-5f1d0c77",
    "X_CONSUMER_SECRET": "canary-xcs-90aa1b2c",
    "X_ACCESS_TOKEN_SECRET": "canary-xts-77e0d3f4",
    "SF_CLIENT_SECRET": "canary-sf-3c9b8a61",
}


@pytest.fixture
def watched(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The platforms take the canaries as credentials."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    world = lab.server.world
    linkedin = world.table("linkedin", "credentials")
    linkedin[CANARIES["LINKEDIN_ACCESS_TOKEN"]] = linkedin.pop("emulator-linkedin-token")
    row = world.table("x-ads", "credentials")["emulator-tk"]
    row.update(consumer_secret=CANARIES["X_CONSUMER_SECRET"], access_token_secret=CANARIES["X_ACCESS_TOKEN_SECRET"])
    world.table("salesforce", "clients")["emulator-client"]["clientSecret"] = CANARIES["SF_CLIENT_SECRET"]
    return lab


def tokens(lab: Lab) -> list[str]:
    """Give every secret there is: those of the environment, and the tokens that were given for them."""
    return [*CANARIES.values(), *lab.server.world.table("salesforce", "sessions")]


def looked_through(lab: Lab, shown: str) -> None:
    """Fail when a secret stands in what was shown or in any file of the project."""
    for secret in tokens(lab):
        assert secret not in shown
        for path in lab.dir.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), f"{secret} stands in {path}"


def test_a_whole_life_shows_no_secret(watched: Lab) -> None:
    lab, shown = watched, ""

    def run(*words: str) -> None:
        nonlocal shown
        ran = lab.run(*words)
        assert ran.code in (0, 2, 3), ran.err
        shown += ran.out + ran.err

    for case in CASES:
        lab.manifest(case.kind, case.spec)
    run("validate")
    run("plan", "--out", "plan.json")
    run("apply", "plan.json", "--format", "json")
    for case in CASES:
        lab.manifest(case.kind, {**case.spec, **case.by_hand})
    run("plan", "--format", "json")
    run("apply", "--auto-approve")
    run("drift", "--format", "json", "--unmanaged")
    run("state", "list", "--format", "json")
    assert len(lab.writes) == 6
    looked_through(lab, shown)


ECHOES: dict[str, dict[str, Any]] = {
    "in JSON": {"status": 400, "body": {"message": "bad token SECRET", "errors": [{"message": "SECRET"}]}},
    "in HTML": {"status": 500, "body": "<html>SECRET</html>", "headers": {"content-type": "text/html"}},
    "in a header": {"status": 403, "body": {}, "headers": {"x-request-id": "SECRET", "x-li-uuid": "SECRET"}},
    "in a redirect": {"status": 302, "body": "", "headers": {"location": "https://evil.example/?t=SECRET"}},
}


@pytest.mark.parametrize("where", ECHOES)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.kind) for case in CASES])
def test_a_platform_that_echoes_a_secret(watched: Lab, case: Any, where: str) -> None:
    lab = watched
    lab.manifest(case.kind, case.spec)
    secrets = {
        "linkedin": [CANARIES["LINKEDIN_ACCESS_TOKEN"]],
        "x-ads": [CANARIES["X_CONSUMER_SECRET"], CANARIES["X_ACCESS_TOKEN_SECRET"]],
        "salesforce": [CANARIES["SF_CLIENT_SECRET"]],
    }[case.platform]
    for secret in secrets:
        effect = _filled(ECHOES[where], secret)
        lab.faults({"match": {"platform": case.platform}, "times": 1000, "do": effect})
        for words in (("plan",), ("apply", "--auto-approve"), ("drift", "--unmanaged")):
            ran = lab.run(*words)
            assert "Traceback" not in ran.err
            looked_through(lab, ran.out + ran.err)


def _filled(effect: Any, secret: str) -> Any:
    if isinstance(effect, dict):
        return {key: _filled(value, secret) for key, value in effect.items()}
    if isinstance(effect, list):
        return [_filled(value, secret) for value in effect]
    return effect.replace("SECRET", secret) if isinstance(effect, str) else effect


def test_a_token_that_was_given_is_not_shown_either(watched: Lab) -> None:
    """Salesforce's access token is made during the run; an error that repeats it must not show it."""
    lab = watched
    lab.manifest(SALESFORCE.kind, SALESFORCE.spec)
    token = "00Dcanary!token-8d7c6b5a"
    answer = {"access_token": token, "instance_url": lab.server.base_url("salesforce"), "token_type": "Bearer"}
    lab.faults(
        {"match": {"platform": "salesforce", "path": "oauth2"}, "times": 1000, "do": {"status": 200, "body": answer}},
        {
            "match": {"platform": "salesforce"},
            "times": 1000,
            "do": {"status": 400, "body": {"message": f"no: {token}"}},
        },
    )
    for words in (("plan",), ("apply", "--auto-approve"), ("drift", "--unmanaged")):
        ran = lab.run(*words)
        assert token not in ran.out + ran.err and "Traceback" not in ran.err
