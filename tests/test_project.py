"""The project file: what is read, what is refused, and that no secret ever stands in a message."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput, ReconcilerError, UsageProblem
from reconciler.model.diagnostic import Diagnostic
from reconciler.project import Project, load_project, read_project
from reconciler.project.addresses import address_problem
from reconciler.validate import in_order

CONTRACT = """\
version: 1
manifests: ["experiments/**/*.yaml"]
connections:
  linkedin:
    platform: linkedin
    base_url: https://api.linkedin.com
    api_version: "202609"
    accounts: ["urn:li:sponsoredAccount:123"]
    auth: {access_token: "${LINKEDIN_ACCESS_TOKEN}"}
  x:
    platform: x-ads
    accounts: ["18ce54d4x5t"]
    auth: {consumer_key: "${X_CONSUMER_KEY}", consumer_secret: "${X_CONSUMER_SECRET}",
           access_token: "${X_ACCESS_TOKEN}", access_token_secret: "${X_ACCESS_TOKEN_SECRET}"}
  crm:
    platform: salesforce
    base_url: https://example.my.salesforce.com
    auth: {client_id: "${SF_CLIENT_ID}", client_secret: "${SF_CLIENT_SECRET}"}
state: {backend: file, path: .reconciler/state.json}
"""
SECRET = "hunter2secret"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        (tmp_path / "reconciler.yaml").write_text(text)
        return tmp_path

    return put


def problems(folder: Path) -> list[Diagnostic]:
    return list(in_order(read_project(folder)[1]))


def connection(write: Write, body: str) -> list[tuple[str, str]]:
    """Give path and message of what is wrong with one connection."""
    found = problems(write(f"version: 1\nconnections:\n  c: {body}\n"))
    assert not any(SECRET in f"{p.message}{p.hint}{p.path}" for p in found)
    return [(p.path, p.message) for p in found]


def project(write: Write, body: str) -> Project:
    return load_project(write(f"version: 1\nconnections:\n  c: {body}\n"))


def test_starting_up_needs_neither_yaml_nor_pydantic() -> None:
    modules = "reconciler.project, reconciler.validate, reconciler.manifests, reconciler.platforms.registry"
    code = f"import sys, {modules}; print({{'yaml', 'pydantic', 'httpx'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"set()\n"


# --- reading -----------------------------------------------------------------------------------------------------


def test_the_contract_s_file(write: Write) -> None:
    got = load_project(write(CONTRACT))
    assert got.dir.is_absolute() and got.manifests == ("experiments/**/*.yaml",)
    assert list(got.connections) == ["linkedin", "x", "crm"]
    assert (got.connections["x"].base_url, got.connections["x"].api_version) == ("https://ads-api.x.com", "12")
    assert got.connections["crm"].api_version == "65.0"
    assert (got.state.backend, got.state.path) == ("file", got.dir / ".reconciler/state.json")
    assert "LINKEDIN_ACCESS_TOKEN" not in repr(got)


def test_defaults(write: Write) -> None:
    got = load_project(write("version: 1\n"))
    assert (got.manifests, dict(got.connections)) == (("experiments/**/*.yaml",), {})
    assert got.state.path == got.dir / ".reconciler/state.json"
    assert (got.guards.max_destroy, got.guards.max_destroy_percent, got.guards.max_change_percent) == (5, 30, None)
    assert got.environment is None


def test_guards(write: Write) -> None:
    guards = load_project(
        write("version: 1\nguards: {maxDestroy: 0, maxDestroyPercent: null, maxChangePercent: 12.5}\n")
    ).guards
    assert (guards.max_destroy, guards.max_destroy_percent, guards.max_change_percent) == (0, None, 12.5)


def test_an_incremental_refresh_is_for_platforms_that_have_one(write: Write) -> None:
    crm = "{platform: salesforce, base_url: https://a.my.salesforce.com, auth: {access_token: '${T}'}"
    got = project(write, f"{crm}, refresh: incremental}}")
    assert got.settings("c", {"T": SECRET}).incremental
    assert not got.settings("c", {}, base_url="http://127.0.0.1", auth={}).incremental, "the emulator is read in full"
    assert not got.settings("c", {"T": SECRET, "RECONCILER_NO_CACHE": "1"}).incremental
    for more in ("", ", refresh: full", ", refresh: null"):
        assert not project(write, f"{crm}{more}}}").settings("c", {"T": SECRET}).incremental
    for platform in ("linkedin", "x-ads"):
        body = f"{{platform: {platform}, auth: {{access_token: '${{T}}'}}, refresh: "
        assert all(where != "connections.c.refresh" for where, _ in connection(write, f"{body}full}}"))
        (found,) = [text for where, text in connection(write, f"{body}incremental}}") if where.endswith("refresh")]
        assert "has no incremental refresh; Salesforce Personalization has" in found
    assert any("full" in message for _, message in connection(write, f"{crm}, refresh: daily}}"))


def test_an_environment_can_refresh_in_full(write: Write) -> None:
    text = """\
version: 1
connections:
  crm:
    {platform: salesforce, base_url: "https://a.example", auth: {access_token: "${T}"}, refresh: incremental}
environments:
  production: {}
  nightly: {connections: {crm: {refresh: full}}}
"""
    folder = write(text)
    assert load_project(folder, "production").connections["crm"].refresh == "incremental"
    assert load_project(folder, "nightly").connections["crm"].refresh == "full"


def test_no_project_file_names_init(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no reconciler\.yaml in .*reconciler init"):
        load_project(tmp_path)


def test_an_environment_that_is_not_there(write: Write) -> None:
    with pytest.raises(UsageProblem, match='no "prod" for --env'):
        load_project(write("version: 1\n"), "prod")


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["the file is empty"]),
        ("[]", ["the project file is a mapping of keys; found an empty list"]),
        ("version: 1\n---\nversion: 1\n", ["the project file is one document, not several"]),
        ("version: 2\n", ["version is the number 2; it has to be 1"]),
        ("version: true\n", ["version is true; it has to be 1"]),
        ("version: 1.0\n", ["version is the number 1.0; it has to be 1"]),
        ("{}", ["version is missing"]),
        ("version: 1\nconections: {}\n", ['unknown key "conections"']),
        ("version: 1\nversion: 1\n", ['the key "version" stands twice in one mapping; first at 1:1']),
        ("version: 1\nmanifests: a.yaml\n", ['manifests is "a.yaml"; it has to be a list']),
        ("version: 1\nmanifests: []\n", ["manifests has 0 items; allowed are at least 1"]),
        ("version: 1\nmanifests: ['../a']\n", ["manifests[0]: a pattern cannot leave the project's folder"]),
        ("version: 1\nmanifests: ['${A}']\n", ["manifests[0]: variables are not read here"]),
        ("version: 1\nstate: {backend: s3}\n", ["state: the backend s3 needs bucket and prefix"]),
        (
            "version: 1\nstate: {backend: ftp}\n",
            ['state.backend is "ftp"; it has to be file, git, s3, gcs or azure'],
        ),
        ("version: 1\nstate: {path: '${A}'}\n", ["state.path: variables are not read here"]),
        ("version: 1\nstate: {backend: git, path: a}\n", ["state.path: does not go with the backend git"]),
        (
            "version: 1\nstate: {backend: git, remote: 'ext::sh -c id'}\n",
            ["state.remote: is no name of a remote; add one with: git remote add NAME ADDRESS"],
        ),
        (
            "version: 1\nstate: {backend: git, remote: --upload-pack=id}\n",
            ["state.remote: is no name of a remote; add one with: git remote add NAME ADDRESS"],
        ),
        (
            "version: 1\nstate: {backend: git, ref: state}\n",
            ["state.ref: is no full name of a ref; write it like refs/reconciler/production"],
        ),
        (
            "version: 1\nstate: {backend: git, lock_expires: 2 hours}\n",
            ["state.lock_expires: is no duration; write it like 90s, 30m, 2h or 1d, or never"],
        ),
        (
            "version: 1\nstate: {backend: s3, bucket: team, prefix: ../a}\n",
            ["state.prefix: is no folder in a bucket; write it like team/experiments"],
        ),
        (
            "version: 1\nstate: {backend: s3, bucket: team, prefix: a, endpoint: 'http://example.com'}\n",
            ["state.endpoint: uses http:// for a host that is not this machine; use https://"],
        ),
        ("version: 1\nguards: {maxDestroy: -1}\n", ["guards.maxDestroy is the number -1; it has to be at least 0"]),
        (
            "version: 1\nguards: {maxDestroy: 5.0}\n",
            ["guards.maxDestroy is the number 5.0; it has to be a whole number"],
        ),
        (
            "version: 1\nguards: {maxDestroyPercent: 101}\n",
            ["guards.maxDestroyPercent is the number 101; it has to be at most 100"],
        ),
    ],
)
def test_wrong_files(write: Write, text: str, messages: list[str]) -> None:
    folder = write(text)
    assert [p.message for p in problems(folder)] == messages
    with pytest.raises(InvalidInput):
        load_project(folder)


def test_the_nearest_key_is_named(write: Write) -> None:
    (problem,) = problems(write("version: 1\nguards: {maxDestory: 1}\n"))
    assert (str(problem.location), problem.hint) == ("reconciler.yaml:2:10", "did you mean maxDestroy?")


def test_all_problems_are_told_together(write: Write) -> None:
    text = f"""\
version: "1"
manifest: []
connections:
  a: {{platform: linkedln}}
  b:
    platform: x-ads
    api_version: 12
    base_url: http://example.com
    auth: {{consumer_key: {SECRET}}}
  c: {{platform: salesforce, auth: {{access_token: "${{T}}"}}}}
state: {{backend: s3}}
"""
    found = problems(write(text))
    assert [p.location.line for p in found if p.location] == [1, 2, 4, 7, 9, 10, 11]
    assert SECRET not in "".join(str(p) for p in found)


# --- secrets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "path"),
    [
        (f"{{access_token: {SECRET}}}", "connections.c.auth.access_token"),
        (f'{{access_token: "Bearer ${{T}}{SECRET}"}}', "connections.c.auth.access_token"),
        ('{access_token: "${A}${B}"}', "connections.c.auth.access_token"),
        (f'{{access_token: "${{T:-{SECRET}}}"}}', "connections.c.auth.access_token"),
        (f'{{access_token: "${{T{SECRET}"}}', "connections.c.auth.access_token"),
        (f'{{client_id: a, client_secret: {SECRET}, refresh_token: "${{R}}"}}', "connections.c.auth.client_secret"),
        (f"{{access_token: [{SECRET}]}}", "connections.c.auth.access_token"),
        ("{access_token: 123456}", "connections.c.auth.access_token"),
        (f"{SECRET}", "connections.c.auth"),
        ("{access_token: null}", "connections.c.auth.access_token"),
        ("{access_token: ''}", "connections.c.auth.access_token"),
        ('{client_id: "${A", client_secret: "${B}", refresh_token: "${C}"}', "connections.c.auth.client_id"),
    ],
)
def test_a_secret_written_out_is_an_error_that_does_not_show_it(write: Write, auth: str, path: str) -> None:
    found = connection(write, f"{{platform: linkedin, auth: {auth}}}")
    assert [p for p, _ in found] == [path]
    assert "123456" not in found[0][1]


@pytest.mark.parametrize("auth", [f"{{access_token:{SECRET}}}", f'{{"access_token:{SECRET}": "${{T}}"}}'])
def test_a_forgotten_space_after_the_colon_does_not_show_the_secret(write: Write, auth: str) -> None:
    found = problems(write(f"version: 1\nconnections:\n  c: {{platform: linkedin, auth: {auth}}}\n"))
    assert found and SECRET not in "".join(f"{p.message}{p.hint}{p.path}" for p in found)
    assert any("space after the colon" in p.message + p.hint for p in found)


def test_what_is_no_secret_may_be_plain(write: Write) -> None:
    body = '{platform: salesforce, base_url: "https://a.my.salesforce.com", '
    body += "auth: {client_id: a, username: b, private_key_file: k.pem, "
    body += 'audience: "https://login.salesforce.com", token_url: "https://a/token"}}'
    assert connection(write, body) == []


@pytest.mark.parametrize(
    "auth",
    [
        "{}",
        '{client_id: a, client_secret: "${B}"}',
        '{access_token: "${A}", refresh_token: "${B}"}',
        '{token_url: "https://a"}',
    ],
)
def test_credentials_that_do_not_go_together(write: Write, auth: str) -> None:
    ((path, message),) = connection(write, f"{{platform: linkedin, auth: {auth}}}")
    assert path == "connections.c.auth" and "do not go together" in message


def test_unknown_credentials_name_the_nearest(write: Write) -> None:
    folder = write('version: 1\nconnections:\n  c: {platform: linkedin, auth: {acces_token: "${A}"}}\n')
    (problem,) = problems(folder)
    assert (problem.message, problem.hint) == (
        'connections.c.auth: unknown key "acces_token"',
        "did you mean access_token?",
    )


# --- addresses and accounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://api.linkedin.com", True),
        ("https://proxy.example/linkedin/", True),
        ("http://localhost:8080/x-ads", True),
        ("http://127.0.0.1:1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:80/a", True),
        ("http://api.linkedin.com", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("http://evil.example\\@127.0.0.1", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
        ("https://user:pass@a.example", False),
        ("https://a.example?x=1", False),
        ("https://a.example#x", False),
        ("https://a.example:port", False),
        ("https://", False),
        ("ftp://a.example", False),
        ("a.example", False),
        ("https://a b", False),
        ("https://a\n.example", False),
    ],
)
def test_addresses(address: str, good: bool) -> None:
    assert (address_problem(address) is None) == good


def test_addresses_in_the_file(write: Write) -> None:
    assert connection(write, "{platform: linkedin, base_url: 'http://127.0.0.1:9/linkedin'}") == []
    assert connection(write, "{platform: linkedin, base_url: '${URL}'}") == []
    ((path, message),) = connection(write, f"{{platform: linkedin, base_url: 'https://u:{SECRET}@h'}}")
    assert path == "connections.c.base_url" and "belong in auth" in message
    ((path, message),) = connection(write, "{platform: salesforce}")
    assert (path, message.split(";")[0]) == ("connections.c.base_url", "connections.c.base_url: missing")


@pytest.mark.parametrize(
    "account", ["urn:li:sponsoredAcount:1", "urn:li:sponsoredAccount:x", "urn:li:sponsoredAccount:1\\n"]
)
def test_accounts_have_the_platform_s_form(write: Write, account: str) -> None:
    ((path, message),) = connection(write, f'{{platform: linkedin, accounts: ["{account}"]}}')
    assert path == "connections.c.accounts[0]" and "is no account of" in message


def test_the_version_is_known_offline(write: Write) -> None:
    ((path, message),) = connection(write, '{platform: linkedin, api_version: "${V}"}')
    assert (path, message) == ("connections.c.api_version", "connections.c.api_version: variables are not read here")


def test_numbers_have_to_be_quoted(write: Write) -> None:
    found = problems(write("version: 1\nconnections:\n  c: {platform: x-ads, api_version: 12, accounts: [1e5]}\n"))
    assert [p.hint for p in found] == ['quote it: "12"', 'quote it: "1e5"']


# --- settings ----------------------------------------------------------------------------------------------------


def test_settings_resolve_variables(write: Write) -> None:
    body = '{platform: linkedin, base_url: "${URL:-https://a.example/p/}", accounts: ["${ACCOUNT}"], '
    body += 'auth: {access_token: "${T}"}}'
    got = project(write, body).settings("c", {"T": "tok\n", "ACCOUNT": "urn:li:sponsoredAccount:1", "URL": ""})
    assert (got.base_url, got.accounts, dict(got.auth)) == (
        "https://a.example/p",
        ("urn:li:sponsoredAccount:1",),
        {"access_token": "tok"},
    )
    assert (got.name, got.platform, got.api_version) == ("c", "linkedin", "202609")
    assert "tok" not in repr(got)


def test_every_missing_variable_is_named_with_its_place(write: Write) -> None:
    got = load_project(write(CONTRACT))
    with pytest.raises(ReconcilerError) as caught:
        got.settings("crm", {"SF_CLIENT_ID": ""})
    assert str(caught.value).splitlines() == [
        "reconciler.yaml:18:23: connection crm: auth.client_id needs the environment variable SF_CLIENT_ID, "
        "which is empty",
        "reconciler.yaml:18:57: connection crm: auth.client_secret needs the environment variable SF_CLIENT_SECRET, "
        "which is not set",
    ]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"URL": "http://evil.example", "T": SECRET}, "base_url uses http://"),
        ({"URL": f"https://u:{SECRET}@h", "T": SECRET}, "belong in auth"),
        ({"URL": "https://a", "T": f"{SECRET}\nx: y"}, "line break"),
    ],
)
def test_resolved_values_are_judged_and_not_shown(write: Write, variables: dict[str, str], words: str) -> None:
    got = project(write, '{platform: linkedin, base_url: "${URL}", auth: {access_token: "${T}"}}')
    with pytest.raises(ReconcilerError, match=words) as caught:
        got.settings("c", variables)
    assert SECRET not in str(caught.value)


def test_without_auth_only_settings_fail(write: Write) -> None:
    got = project(write, "{platform: linkedin}")
    with pytest.raises(ReconcilerError, match="auth is missing"):
        got.settings("c", {})
    emulated = got.settings("c", {}, base_url="http://127.0.0.1:1/linkedin/", auth={"access_token": "t"})
    assert (emulated.base_url, dict(emulated.auth)) == ("http://127.0.0.1:1/linkedin", {"access_token": "t"})


def test_a_key_file_is_relative_to_the_project(write: Write) -> None:
    body = (
        '{platform: salesforce, base_url: "https://a", auth: {client_id: a, username: b, private_key_file: keys/k.pem}}'
    )
    got = project(write, body)
    assert got.settings("c", {}).auth["private_key_file"] == str(got.dir / "keys/k.pem")


def test_a_key_may_have_lines(write: Write) -> None:
    body = '{platform: salesforce, base_url: "https://a", auth: {client_id: a, username: b, private_key: "${K}"}}'
    assert project(write, body).settings("c", {"K": "-----BEGIN\nx\n"}).auth["private_key"] == "-----BEGIN\nx"


def test_an_unknown_connection_names_the_nearest(write: Write) -> None:
    with pytest.raises(UsageProblem, match="did you mean linkedin"):
        load_project(write(CONTRACT)).settings("linkdin", {})
