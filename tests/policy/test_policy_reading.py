"""What is wrong with a policy is told when it is read, with its place; nothing a user writes ends in a traceback."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from reconciler.model.diagnostic import Diagnostic
from reconciler.policy import engine
from reconciler.policy.read import MOST, Policies, read_policies
from reconciler.project import load_project


def read(folder: Path, text: str) -> tuple[Policies, tuple[Diagnostic, ...]]:
    """Read the policies of a project file."""
    (folder / "reconciler.yaml").write_text("version: 1\npolicies:\n" + textwrap.indent(textwrap.dedent(text), "  "))
    return read_policies(load_project(folder))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        pytest.param(
            "- {name: a, assert: experiment.dayz > 3.0}",
            "3:33",
            "undeclared reference to 'experiment.dayz'",
            id="unknown-name",
        ),
        pytest.param("- {name: a, assert: experiment.days > 'x'}", "3:39", "no matching overload", id="wrong-types"),
        pytest.param("- {name: a, assert: experiment.days}", "3:23", "gives double", id="no-bool"),
        pytest.param('- {name: a, assert: "experiment.dayz > 3.0"}', "3:34", "undeclared", id="in-quotes"),
        pytest.param("- name: a\n  assert: |\n    true &&\n      nope == 1", "6:9", "'nope'", id="in-a-block"),
        pytest.param("- name: a\n  assert: >\n    true &&\n    nope == 1", "4:13", "'nope'", id="in-folded-lines"),
        pytest.param(
            "- {name: a, assert: 'true', message: 'is {{ experimnt.name }}'}", "3:56", "experimnt", id="message"
        ),
        pytest.param("- {name: a, assert: 'true', message: 'is {{ 1 +'}", "3:50", "Syntax error", id="message-unended"),
        pytest.param("- {name: a, match: 1 + 1, assert: 'true'}", "3:22", "gives int", id="match"),
        pytest.param("- {name: a, assert: 'true &&'}", "3:31", "Syntax error", id="syntax"),
    ],
)
def test_errors_of_expressions_have_their_place(tmp_path: Path, text: str, place: str, said: str) -> None:
    policies, (problem, *_) = read(tmp_path, text)
    assert not policies.items
    assert said in problem.message
    assert problem.location is not None
    assert f"{problem.location.line}:{problem.location.column}" == place
    assert problem.excerpt[-1].strip() == "^"


def test_the_caret_stands_below_what_is_meant(tmp_path: Path) -> None:
    filler = " && ".join(["experiment.days > 3.0"] * 9)
    _, (problem,) = read(tmp_path, f"- {{name: a, assert: {filler} && nope && {filler}}}")
    line, caret = problem.excerpt
    assert len(line) < 100
    assert line[len(caret) - 1 :].startswith("nope")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("- {use: min-durration}", "did you mean min-duration?", id="misspelt-use"),
        pytest.param("- {use: min-duration, params: {spam: 7d}}", "did you mean span?", id="misspelt-param"),
        pytest.param("- {use: min-duration, params: {span: 7}}", "has to be a time span", id="span"),
        pytest.param("- {use: min-duration, params: {span: 999999w}}", "at most 36500d", id="span-too-long"),
        pytest.param("- {use: min-confidence, params: {percent: high}}", "has to be a number", id="number"),
        pytest.param("- {use: min-confidence, params: {percent: 200}}", "at least 50 and at most 100", id="range"),
        pytest.param("- {use: min-confidence, params: {percent: true}}", "has to be a number", id="no-number"),
        pytest.param("- {use: max-running-per-account, params: {limit: 2.5}}", "has to be a whole number", id="count"),
        pytest.param("- {use: no-weekend-start, params: {timezone: Europe/Nowhere}}", "name of a time zone", id="zone"),
        pytest.param(
            "- {use: no-weekend-start, params: {timezone: ../../etc/passwd}}", "name of a time zone", id="path"
        ),
        pytest.param("- {use: naming-pattern, params: {pattern: '('}}", "invalid regular expression", id="pattern"),
        pytest.param("- {use: naming-pattern}", "params.pattern is missing", id="missing-param"),
        pytest.param("- {use: freeze-windows, params: {windows: []}}", "at least one", id="no-windows"),
        pytest.param(
            "- {use: freeze-windows, params: {windows: [{from: 2026-12-24}]}}", "{from, to}", id="half-window"
        ),
        pytest.param(
            "- {use: freeze-windows, params: {windows: [{from: 2026-12-24, to: 2026-12-01}]}}",
            "ends before it begins",
            id="window-backwards",
        ),
        pytest.param(
            "- {use: freeze-windows, params: {windows: [{from: 9999-12-31, to: 9999-12-31}]}}", "no time", id="no-time"
        ),
        pytest.param("- {use: owner-label, assert: 'true'}", "has its own assert", id="use-and-assert"),
        pytest.param("- {name: a, params: {x: 1}, assert: 'true'}", "only goes with use", id="params-alone"),
        pytest.param("- {name: a}", "assert is missing", id="no-assert"),
        pytest.param("- {assert: 'true'}", "name is missing", id="no-name"),
        pytest.param("- {}", "name is missing", id="empty"),
        pytest.param("- {use: owner-label}\n- {use: owner-label}", "a second policy with the name", id="twice"),
        pytest.param("- {include: ../x.yaml}", "not inside the project", id="outside"),
        pytest.param("- {include: /etc/passwd}", "not inside the project", id="absolute"),
        pytest.param("- {include: nothing.yaml}", "there is no file", id="no-file"),
        pytest.param("- {include: .}", "there is no file", id="folder"),
        pytest.param("- {include: 'a\\0b'}", "", id="odd-name"),
        pytest.param("- {include: x.yaml, name: a}", "include stands alone", id="include-and-more"),
        pytest.param(
            "- {name: a, assert: 'true', cases: [{given: {experiment: {dais: 3}}, expect: pass}]}",
            "did you mean experiment.days?",
            id="case-unknown-variable",
        ),
        pytest.param(
            "- {name: a, assert: 'true', cases: [{given: {experiment.start: yesterday}, expect: pass}]}",
            "is not a time",
            id="case-no-time",
        ),
        pytest.param(
            "- {name: a, assert: 'true', cases: [{given: {change.calls: many}, expect: pass}]}",
            "has to be a whole number",
            id="case-no-number",
        ),
    ],
)
def test_a_wrong_policy_says_what_is_wanted(tmp_path: Path, text: str, said: str) -> None:
    _, problems = read(tmp_path, text)
    assert problems
    told = "\n".join(f"{item.message} {item.hint}" for item in problems)
    assert said in told
    assert all(item.location is not None and item.location.line for item in problems)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path,
        """\
        - {use: nothing}
        - {name: a, match: nope, assert: nada, message: "{{ nil }}"}
        - {use: min-duration, params: {span: soon}}
        """,
    )
    assert [item.location.line for item in problems if item.location] == [3, 4, 4, 4, 5]


def test_files_are_included_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    file = tmp_path / "policies/more.yaml"
    file.write_text("policies:\n  - {use: owner-label}\n  - {name: mine, assert: experiment.days > 1.0}\n")
    text = "- {use: equal-split}\n- {include: policies/more.yaml}\n- {use: whole-weeks}\n"
    policies, problems = read(tmp_path, text)
    assert problems == ()
    assert list(policies.by_name) == ["equal-split", "owner-label", "mine", "whole-weeks"]
    assert str(policies.by_name["mine"].where) == "policies/more.yaml:3:5"
    before = policies.digest

    file.write_text("policies:\n  - {include: policies/more.yaml}\n  - {name: mine, assert: nope}\n  - {nme: x}\n")
    _, problems = read(tmp_path, text)
    assert any("nme" in item.message and str(item.location).startswith("policies/more.yaml:4:") for item in problems)
    file.write_text("policies:\n  - {include: policies/more.yaml}\n  - {name: mine, assert: nope}\n")
    policies, problems = read(tmp_path, text)
    assert [item.message.split(": ", 1)[1] for item in problems] == [
        "an included file includes no other",
        "undeclared reference to 'nope'",
    ]
    assert policies.digest != before
    file.write_text("- a list\n")
    _, (problem,) = read(tmp_path, text)
    assert "a mapping with the key policies" in problem.message


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    (tmp_path / "secret.yaml").write_text("policies: []\n")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    _, (problem,) = read(inside, "- {include: link.yaml}\n")
    assert "not inside the project" in problem.message


def test_the_digest_is_that_of_what_is_judged_by(tmp_path: Path) -> None:
    first, _ = read(tmp_path, "- {name: a, assert: experiment.days > 1.0}\n")
    commented, _ = read(
        tmp_path,
        "# a comment\n- {name: a, assert: experiment.days > 1.0, cases: [{given: {}, expect: fail}]}\n",
    )
    other, _ = read(tmp_path, "- {name: a, assert: experiment.days > 1.5}\n")
    assert first.digest == commented.digest != other.digest


@pytest.mark.parametrize(
    ("text", "phase", "timely"),
    [
        pytest.param("experiment.days > 1.0", 0, False, id="manifest"),
        pytest.param("experiment . days > 1.0", 0, False, id="spaces"),
        pytest.param("live.exists", 2, False, id="live"),
        pytest.param("change.calls > 0", 2, False, id="change"),
        pytest.param("experiment.start > now", 2, True, id="now"),
        pytest.param("experiment.name != 'now'", 0, False, id="the-word-now-is-not-the-variable"),
    ],
)
def test_when_a_policy_is_judged_follows_from_what_it_speaks_of(
    tmp_path: Path, text: str, phase: int, timely: bool
) -> None:
    policies, problems = read(tmp_path, f'- {{name: a, assert: "{text}"}}\n')
    assert problems == ()
    assert (policies.items[0].phase, policies.items[0].timely) == (phase, timely)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("(" * 3000 + "true" + ")" * 3000, id="nested"),
        pytest.param(" && ".join(["true"] * 3000), id="too-long"),
        pytest.param("[1]" + ".map(x, [x])" * 200, id="chained"),
        pytest.param("'" + "x" * 20_000, id="endless-text"),
        pytest.param("99999999999999999999 > 1", id="number-out-of-range"),
        pytest.param("\u202etrue\u202c", id="invisible"),
        pytest.param("'a'.matches('(' )", id="wrong-pattern"),
        pytest.param("{{ 1 }}", id="a-template"),
    ],
)
def test_no_expression_ends_in_a_traceback(tmp_path: Path, expression: str) -> None:
    quoted = expression.replace("'", "''")
    _, problems = read(tmp_path, f"- {{name: a, assert: '{quoted}', message: 'm'}}\n")
    for problem in problems:
        assert problem.message.isprintable()
        assert all(line.isprintable() for line in problem.excerpt)


def test_there_is_an_end_to_the_number_of_policies(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(
        "policies:\n" + "".join(f"  - {{name: p{number}, assert: 'true'}}\n" for number in range(MOST + 5))
    )
    _, problems = read(tmp_path, "- {include: many.yaml}\n")
    assert [item.message for item in problems if "at most" in item.message] == [
        f"policies[{MOST}]: a project has at most {MOST:,} policies"
    ]


def test_without_the_library_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    engine._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    with pytest.raises(engine.EngineMissing, match=r"pip install 'reconciler\[policy\]'"):
        read(tmp_path, "- {use: owner-label}\n")
    engine._environment.cache_clear()
