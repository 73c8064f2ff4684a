"""Environments, variables and defaults of the project file: what a command runs with, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import InvalidInput, ReconcilerError, UsageProblem
from reconciler.project import Project, load_project, read_project
from reconciler.project.variables import Given
from reconciler.validate import in_order

FILE = """\
version: 1
manifests: ["experiments/**/*.yaml"]
variables: {market: de, weight: 50, nested: {a: 1}}
connections:
  linkedin:
    platform: linkedin
    base_url: https://api.linkedin.com
    accounts: ["urn:li:sponsoredAccount:1"]
    auth: {client_id: app, client_secret: "${S}", refresh_token: "${R}"}
  crm:
    platform: salesforce
    auth: {client_id: "${C}", client_secret: "${CS}"}
state: {backend: file, path: .reconciler/state.json}
guards: {maxDestroy: 7, maxDestroyPercent: 40}
defaults:
  LinkedInExperiment: {spec: {keyMetric: CPC}}
environments:
  staging:
    default: true
    variables: {weight: 40, nested: {b: 2}}
    connections:
      linkedin: {base_url: "https://staging.example.com", auth: {refresh_token: "${STAGING_R}"}}
      crm: {base_url: "https://staging.my.salesforce.com"}
      x: {platform: x-ads, auth: {consumer_key: "${A}", consumer_secret: "${B}", access_token: "${C}",
          access_token_secret: "${D}"}}
    guards: {maxDestroyPercent: null}
    manifests: ["staging/*.yaml"]
  production:
    connections:
      linkedin: {auth: {access_token: "${TOKEN}"}, accounts: []}
      crm: {base_url: "https://prod.my.salesforce.com"}
    state: {path: states/production.json}
"""
SECRET = "hunter2secret"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        (tmp_path / "reconciler.yaml").write_text(text)
        return tmp_path

    return put


def messages(folder: Path, env: str | None = None) -> list[str]:
    found = in_order(read_project(folder, env)[1])
    assert not any(SECRET in f"{p.message}{p.hint}{p.path}" for p in found)
    return [f"{p.location}: {p.message}" for p in found]


def variables(project: Project) -> dict[str, Any]:
    return {name: variable.value for name, variable in project.scope.variables.items()}


# --- choosing ----------------------------------------------------------------------------------------------------


def test_the_default_one_is_taken_without_env(write: Write) -> None:
    folder = write(FILE)
    assert load_project(folder).environment == "staging"
    assert load_project(folder, "production").environment == "production"
    assert load_project(folder).scope.environment == "staging"


def test_without_a_default_one_has_to_be_named(write: Write) -> None:
    folder = write(FILE.replace("    default: true\n", ""))
    with pytest.raises(UsageProblem, match="--env NAME has to say which one: staging, production"):
        load_project(folder)
    assert load_project(folder, "staging").environment == "staging"


def test_an_unknown_one_is_answered_with_those_there_are(write: Write) -> None:
    with pytest.raises(UsageProblem, match=r'no environment "prodction"; did you mean production\? there are staging'):
        load_project(write(FILE), "prodction")
    with pytest.raises(UsageProblem, match='names no environments, so there is no "staging"'):
        load_project(write("version: 1\n"), "staging")
    with pytest.raises(UsageProblem, match="names no environments"):
        load_project(write("version: 1\nenvironments: {}\n"), "staging")


def test_a_project_without_environments_has_none(write: Write) -> None:
    assert load_project(write("version: 1\n")).environment is None


# --- what an environment says ------------------------------------------------------------------------------------


def test_what_it_states_stands_over_the_rest(write: Write) -> None:
    got = load_project(write(FILE))
    linkedin = got.connections["linkedin"]
    assert (linkedin.platform, linkedin.base_url) == ("linkedin", "https://staging.example.com")
    assert linkedin.accounts == ("urn:li:sponsoredAccount:1",)
    assert linkedin.auth == {"client_id": "app", "client_secret": "${S}", "refresh_token": "${STAGING_R}"}
    assert list(got.connections) == ["linkedin", "crm", "x"]
    assert got.connections["x"].platform == "x-ads"
    assert got.manifests == ("staging/*.yaml",)
    assert (got.guards.max_destroy, got.guards.max_destroy_percent) == (7, None)


def test_each_stands_for_itself(write: Write) -> None:
    got = load_project(write(FILE), "production")
    assert got.connections["linkedin"].auth == {"access_token": "${TOKEN}"}
    assert got.connections["linkedin"].accounts == ()
    assert got.connections["linkedin"].base_url == "https://api.linkedin.com"
    assert list(got.connections) == ["linkedin", "crm"]
    assert got.manifests == ("experiments/**/*.yaml",)
    assert (got.guards.max_destroy, got.guards.max_destroy_percent) == (7, 40)


def test_a_connection_of_another_platform_is_another_connection(write: Write) -> None:
    text = "version: 1\nconnections: {a: {platform: linkedin, accounts: ['urn:li:sponsoredAccount:1']}}\n"
    got = load_project(write(text + "environments: {e: {default: true, connections: {a: {platform: x-ads}}}}\n"))
    assert (got.connections["a"].platform, got.connections["a"].accounts) == ("x-ads", ())
    assert got.connections["a"].base_url == "https://ads-api.x.com"


def test_every_environment_has_its_own_state(write: Write) -> None:
    folder = write(FILE)
    assert load_project(folder).state.path == folder / ".reconciler/staging/state.json"
    assert load_project(folder, "production").state.path == folder / "states/production.json"


def test_an_environment_may_state_nothing(write: Write) -> None:
    text = "version: 1\nconnections: {a: {platform: linkedin}}\nenvironments: {e: {}, f: null}\n"
    for name in ("e", "f"):
        got = load_project(write(text), name)
        assert list(got.connections) == ["a"] and got.environment == name
        assert got.state.path == got.dir / f".reconciler/{name}/state.json"


def test_missing_secrets_are_named_where_they_are_asked_for(write: Write) -> None:
    with pytest.raises(ReconcilerError) as caught:
        load_project(write(FILE)).settings("linkedin", {})
    assert str(caught.value).splitlines() == [
        "reconciler.yaml:9:43: connection linkedin: auth.client_secret needs the environment variable S, "
        "which is not set",
        "reconciler.yaml:22:81: connection linkedin: auth.refresh_token needs the environment variable STAGING_R, "
        "which is not set",
    ]


# --- variables and defaults --------------------------------------------------------------------------------------


def test_variables_of_the_environment_come_over_those_of_the_project(write: Write) -> None:
    folder = write(FILE)
    assert variables(load_project(folder)) == {"market": "de", "weight": 40, "nested": {"b": 2}}
    assert variables(load_project(folder, "production")) == {"market": "de", "weight": 50, "nested": {"a": 1}}


def test_files_and_then_texts_come_over_both(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("weight: 1\nextra: [1]\n")
    (tmp_path / "b.json").write_text('{"weight": 2, "more": "{{ weight }}"}')
    given = Given((str(tmp_path / "a.yaml"), str(tmp_path / "b.json")), ("market=fr=x", 'extra:={"a": 1}', "empty="))
    got = load_project(write(FILE), given=given)
    assert variables(got) == {
        "market": "fr=x",
        "weight": 2,
        "nested": {"b": 2},
        "extra": {"a": 1},
        "more": "{{ weight }}",
        "empty": "",
    }
    assert got.scope.variables["market"].literal and not got.scope.variables["more"].literal
    assert str(got.scope.variables["more"].locate(())).endswith("b.json:1:23")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weight", "write NAME=VALUE"),
        ("a-b=1", "a letter, then letters"),
        ("date=1", "the name is taken"),
        ("weight:=x", "is no JSON"),
        ("weight:=NaN", "is no JSON"),
        ("weight:=", "is no JSON"),
        ("=1", "a letter"),
    ],
)
def test_texts_that_are_no_variables(write: Write, text: str, words: str) -> None:
    with pytest.raises(UsageProblem, match=words):
        load_project(write("version: 1\n"), given=Given((), (text,)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        ("", "the file is empty"),
        ("[1]", "a mapping of names; found a list of 1 item"),
        ("x", "a mapping of names; found a single value"),
        ("a: 1\n---\nb: 2\n", "one document, not several"),
        ("a-b: 1\n", "a letter, then letters"),
        ("each: 1\n", "the name is taken"),
        ("a: [", "not valid YAML"),
    ],
)
def test_files_that_hold_no_variables(write: Write, tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "vars.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidInput) as caught:
        load_project(write("version: 1\n"), given=Given((str(path),)))
    assert any(words in problem.message for problem in caught.value.diagnostics)


def test_defaults_are_handed_on_with_their_place(write: Write) -> None:
    defaults = load_project(write(FILE)).scope.defaults["LinkedInExperiment"]
    assert defaults.value == {"spec": {"keyMetric": "CPC"}}
    assert str(defaults.document.locate((*defaults.prefix, "spec", "keyMetric"))) == "reconciler.yaml:16:42"


# --- what is refused ---------------------------------------------------------------------------------------------

BASE = "version: 1\nconnections: {a: {platform: linkedin}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "environments: {a: {state: {path: s.json}}, b: {state: {path: ./x/../s.json}}}\n",
            "reconciler.yaml:3:62: b and a would keep their state in one file, s.json",
        ),
        (
            "environments: {a: {}, b: {state: {path: .reconciler/a/state.json}}}\n",
            "reconciler.yaml:3:41: b and a would keep their state in one file, .reconciler/a/state.json",
        ),
        (
            "environments: {a: {default: true}, b: {default: true}}\n",
            "reconciler.yaml:3:49: a second default; the first is a",
        ),
        ("environments: {Prod: {}}\n", 'reconciler.yaml:3:16: "Prod" is no name of an environment'),
        ("environments: {../x: {}}\n", 'reconciler.yaml:3:16: "../x" is no name of an environment'),
        ("environments: {emulator: {}}\n", 'reconciler.yaml:3:16: an environment cannot be called "emulator"'),
        ("environments: {a: {varables: {}}}\n", 'reconciler.yaml:3:20: unknown key "varables" in environments.a'),
        ("environments: [a]\n", "reconciler.yaml:3:15: environments is a list of 1 item; it has to be a mapping"),
        (
            "environments: {a: {connections: {b: {}}}}\n",
            "reconciler.yaml:3:34: connections.b.platform is missing",
        ),
        (
            "environments: {a: {}, b: {connections: {a: {accounts: [x]}}}}\n",
            'reconciler.yaml:3:56: connections.a.accounts[0]: "x" is no account of LinkedIn',
        ),
        (
            "environments: {a: {connections: {a: {base_url: 'http://example.com'}}}}\n",
            "reconciler.yaml:3:48: connections.a.base_url: uses http:// for a host that is not this machine; use https://",
        ),
        ("environments: {a: {guards: {maxDestroy: -1}}}\n", "at least 0"),
        ("environments: {a: {manifests: ['../x']}}\n", "cannot leave the project's folder"),
        ("variables: {a-b: 1}\n", 'reconciler.yaml:3:13: the variable "a-b": a variable\'s name is a letter'),
        ("variables: {now: 1}\n", "reads like a value that changes by itself"),
        ("environments: {a: {variables: {each: 1}}}\n", 'reconciler.yaml:3:32: the variable "each": the name is taken'),
        ('variables: {a: ["${HOME}"]}\n', "variables.a[0]: environment variables are not read here"),
        ("defaults: {LinkedinExperiment: {}}\n", 'reconciler.yaml:3:12: there is no kind "LinkedinExperiment"'),
        ("defaults: {LinkedInExperiment: {metadata: {name: a}}}\n", 'unknown key "name"'),
        ("defaults: {LinkedInExperiment: {kind: a}}\n", 'unknown key "kind"'),
    ],
)
def test_wrong_files(write: Write, text: str, expected: str) -> None:
    found = messages(write(BASE + text), "a")
    assert len(found) == 1 and expected in found[0]


@pytest.mark.parametrize(
    ("auth", "place"),
    [
        (f"{{access_token: {SECRET}}}", "environments.b"),
        (f'{{access_token: "${{T:-{SECRET}}}"}}', "environments.b"),
        (f"{{access_token: [{SECRET}]}}", "environments.b"),
        (f"{{access_token:{SECRET}}}", "environments.b"),
        (f"{SECRET}", "environments.b"),
    ],
)
def test_a_secret_of_an_environment_that_is_not_chosen_is_an_error_too(write: Write, auth: str, place: str) -> None:
    folder = write(BASE + f"environments: {{a: {{}}, b: {{connections: {{a: {{auth: {auth}}}}}}}}}\n")
    assert messages(folder, "a")
    assert any(place in problem.path for problem in read_project(folder, "a")[1])


def test_each_mistake_is_told_once(write: Write) -> None:
    text = "version: 1\nconnections: {a: {platform: linkedin, accounts: [x]}}\nenvironments: {a: {}, b: {}, c: {}}\n"
    assert len(read_project(write(text), "a")[1]) == 1


def test_credentials_that_do_not_go_together_in_one_environment(write: Write) -> None:
    text = BASE + 'environments: {a: {}, b: {connections: {a: {auth: {client_id: "${X}"}}}}}\n'
    (found,) = messages(write(text), "a")
    assert "these credentials do not go together: client_id" in found
