"""Expressions: what they give, what they refuse and in which words, and that nothing gets out of the sandbox."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests.template import Scope, Variable, escaped, has_expression
from reconciler.manifests.template.evaluate import MOST_EVALUATIONS, Evaluator, Problem
from reconciler.manifests.template.functions import LONGEST_TEXT, MOST_ITEMS
from reconciler.manifests.template.scan import LONGEST_EXPRESSION, LONGEST_SCALAR
from reconciler.manifests.template.scope import name_problem
from reconciler.model.diagnostic import Location

VALUES: dict[str, Any] = {
    "weight": 40,
    "market": "de",
    "share": 12.5,
    "on": True,
    "nothing": None,
    "start": "2026-12-01T09:00:00+01:00",
    "campaigns": [11, 22],
    "markets": {"de": {"account": 111, "items": "mine"}, "fr": {"account": 222}},
}


def evaluator(**variables: Any) -> Evaluator:
    stated = {name: Variable(value) for name, value in {**VALUES, **variables}.items()}
    return Evaluator(Scope(stated, "staging"))


def value(text: str, names: Mapping[str, Any] | None = None, **variables: Any) -> Any:
    return evaluator(**variables).scalar(text, names or {"name": "headline"})


def refused(text: str, **variables: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        value(text, **variables)
    return caught.value


# --- values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ weight }}", 40),
        ("{{weight}}", 40),
        ("{{ 100 - weight }}", 60),
        ("{{ share }}", 12.5),
        ("{{ on }}", True),
        ("{{ nothing }}", None),
        ("{{ market }}", "de"),
        ("{{ campaigns }}", [11, 22]),
        ("{{ markets.fr }}", {"account": 222}),
        ("{{ markets['fr']['account'] * 10 + 1 }}", 2221),
        ("{{ markets.de.items }}", "mine"),
        ("{{ campaigns[-1] }}", 22),
        ("{{ campaigns[:1] }}", [11]),
        ("{{ market[0] }}", "d"),
        ("{{ 'urn:li:sponsoredCampaign:' ~ campaigns[0] }}", "urn:li:sponsoredCampaign:11"),
        ("urn:{{ campaigns[0] }}:{{ market | upper }}", "urn:11:DE"),
        ("{{ on }}/{{ share }}", "true/12.5"),
        ("{{ '90' }}", "90"),
        (" {{ weight }}", " 40"),
        ("{{ weight }}\n", "40\n"),
        ("a\r\n{{ weight }}", "a\r\n40"),
        ("{{ '}}' }}", "}}"),
        ("{{ {'a': {'b': 1}}.a.b }}", 1),
        ("{{ environment }}-{{ name }}", "staging-headline"),
        ("{{ 90 if environment == 'production' else 60 }}", 60),
        ("{{ missing | default(5) }}", 5),
        ("{{ markets.it | default('none') }}", "none"),
        ("{{ nothing | default('x', true) }}", "x"),
        ("{{ missing is defined }}", False),
        ("{{ 'fr' in markets and 33 not in campaigns }}", True),
        ("{{ campaigns + [33] }}", [11, 22, 33]),
        ("{{ campaigns | join(', ') }}", "11, 22"),
        ("{{ campaigns | length + campaigns | first + campaigns | last }}", 35),
        ("{{ '42' | int + 1 }}", 43),
        ("{{ '1.5' | float }}", 1.5),
        ("{{ 2.567 | round(1) }}", 2.6),
        ("{{ 2.5 | round }}", 2),
        ("{{ 7 // 2 }}{{ 7 % 2 }}{{ -weight }}", "31-40"),
        ("{{ 'Été à Paris, 2' | slug }}", "ete-a-paris-2"),
        ("{{ ' a ' | trim | upper | replace('A', 'b') | lower }}", "b"),
        ("{{ 40 | string }}", "40"),
        ("{{ 3 is odd and 4 is even and market is string and campaigns is sequence }}", True),
    ],
)
def test_values(text: str, expected: Any) -> None:
    got = value(text)
    assert got == expected and type(got) is type(expected)


def test_what_a_variable_holds_is_never_an_expression_of_the_manifest() -> None:
    tricky = Variable("{{ weight }}", literal=True)
    found = Evaluator(Scope({"tricky": tricky, "weight": Variable(1)})).scalar("{{ tricky }}", {})
    assert found == "{{ weight }}"
    assert value("{{ each.value }}", {"each": {"value": "{{ weight }}"}}) == "{{ weight }}"


def test_a_result_is_a_copy() -> None:
    run = evaluator()
    first = run.scalar("{{ campaigns }}", {})
    first.append(99)
    assert run.scalar("{{ campaigns }}", {}) == [11, 22]


# --- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("date('2026-12-01T09:00:00Z')", "2026-12-01T09:00:00Z"),
        ("date('2026-12-01')", "2026-12-01"),
        ("start + days(14)", "2026-12-15T09:00:00+01:00"),
        ("date(start) + weeks(2) - hours(1.5)", "2026-12-15T07:30:00+01:00"),
        ("days(1) + date(start)", "2026-12-02T09:00:00+01:00"),
        ("date(start) + days(1) * 3", "2026-12-04T09:00:00+01:00"),
        ("date('2026-12-01') + days(30)", "2026-12-31"),
        ("date('2028-02-28') + days(1)", "2028-02-29"),
        ("next_weekday(start, 'monday')", "2026-12-07T09:00:00+01:00"),
        ("next_weekday('2026-12-07', 'Monday')", "2026-12-14"),
        ("next_weekday('2026-12-07', 'tuesday')", "2026-12-08"),
        ("at(start, '18:30')", "2026-12-01T18:30:00+01:00"),
        ("at('2026-12-01', '09:00+02:00')", "2026-12-01T09:00:00+02:00"),
        ("at(start, '09:00Z')", "2026-12-01T09:00:00Z"),
        ("tz(start, 'Z')", "2026-12-01T08:00:00Z"),
        ("tz(start, '-05:00')", "2026-12-01T03:00:00-05:00"),
        ("(date(start) - date('2026-11-01T09:00:00+01:00')).days", 30),
        ("date(start) < date('2026-12-01T08:30:00Z')", True),
        ("date(start) == date('2026-12-01T08:00:00Z')", True),
        ("date(start).weekday ~ date(start).week ~ date(start).year", "tuesday492026"),
        ("date(start).date.iso", "2026-12-01"),
    ],
)
def test_time(expression: str, expected: Any) -> None:
    assert value(f"{{{{ {expression} }}}}") == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("now", "a plan must not change by itself"),
        ("now()", "there is no"),
        ("today()", "there is no"),
        ("random", "a plan must not change by itself"),
        ("[1, 2] | random", 'there is no filter "random"'),
        ("date()", "date() needs a date"),
        ("date('now')", "date() needs a date"),
        ("date('2026-12-01T09:00:00')", "without an offset"),
        ("date('2026-02-30')", "is no date"),
        ("date('12/01/2026')", "is no date"),
        ("date(5)", "takes text"),
        ("date('2026-12-01') + hours(1)", "only whole days"),
        ("date(start) + date(start)", "two dates cannot be added"),
        ("date(start) - date('2026-12-01')", "cannot be subtracted"),
        ("date(start) + days(10**3)", "** is not used"),
        ("date(start) + days(99999999)", "out of range"),
        ("days(99999999999999)", "a calendar can hold"),
        ("days('3')", "takes a number"),
        ("days(3)", "a span of time, which no field can hold"),
        ("next_weekday(start, 'mon')", "is no weekday"),
        ("at('2026-12-01', '09:00')", "has no offset"),
        ("at(start, '25:00')", "is no time of day"),
        ("at(start, 9)", "is no time of day"),
        ("tz(start, 'Europe/Berlin')", "is no offset"),
        ("tz('2026-12-01', '+01:00')", "has no offset to change"),
        ("date(start).second", 'has no "second"'),
        ("date", "a helper, which no field can hold"),
    ],
)
def test_time_refused(expression: str, words: str) -> None:
    problem = refused(f"{{{{ {expression} }}}}")
    assert words in f"{problem.message} {problem.hint}"


# --- what is refused, in words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "{{ wieght }}",
            'there is no variable "wieght"',
            "did you mean weight? known here: environment, name; variables",
        ),
        ("{{ markets.it }}", 'the mapping has no key "it"', "it has de, fr"),
        ("{{ markets.dee.account }}", 'the mapping has no key "dee"', "did you mean de?"),
        ("{{ campaigns[2] }}", "there is no item 2; there are 2", "count from 0"),
        ("{{ market.upper() }}", '"upper" cannot be called', "only at, date,"),
        ("{{ datee('2026-01-01') }}", '"datee" cannot be called', "did you mean date?"),
        ("{{ weight | defalt(1) }}", 'there is no filter "defalt"', "did you mean default?"),
        ("{{ weight is oddd }}", 'there is no test "oddd"', "did you mean odd?"),
        ("{{ weight + market }}", "a number + text does not go", "~"),
        ("{{ 1 / 0 }}", "a division by zero", ""),
        ("{{ market | int }}", 'int does not go with the text "de"', ""),
        ("a {{ nothing }}", "null cannot stand inside text", "default"),
        ("a {{ campaigns }}", "a list cannot stand inside text", "join"),
        ("{{ weight", "the expression has no end", "close it"),
        ("{{ }}", "the expression is empty", ""),
        ("{{ weight market }}", '"market" is too much there', ""),
        ("{{ (weight }}", "unexpected", ""),
        ("{{- weight }}", "not used here", "put a space"),
        ("{{ weight if on }}", "an if without an else", ""),
        ("{% if on %}x{% endif %}", "statements {% … %} are not used", "forEach"),
        ("a {# note #} b", "comments {# … #} are not used", ""),
        ("{{ '\\ud800' }}", "half a character", ""),
    ],
)
def test_mistakes(text: str, message: str, hint: str) -> None:
    problem = refused(text)
    assert message in problem.message
    assert hint in problem.hint


def test_the_names_are_told_and_never_their_values() -> None:
    problem = refused("{{ tokn }}", token="hunter2secret")
    assert "token" in problem.hint and "hunter2secret" not in f"{problem.message}{problem.hint}"


def test_many_names_are_not_all_told() -> None:
    problem = refused("{{ q }}", **{f"variable_{number}": 1 for number in range(500)})
    assert "more" in problem.hint and len(problem.hint) < 500


@pytest.mark.parametrize("name", ["date", "each", "now", "if", "self", "a-b", "1a", "_a", "", "None", "true", "a b"])
def test_names_that_variables_cannot_have(name: str) -> None:
    assert name_problem(name)


# --- variables of variables ---------------------------------------------------------------------------------------


def test_variables_may_speak_of_variables() -> None:
    assert value("{{ end }}", end="{{ start + days(window) }}", window="{{ 2 * 7 }}") == "2026-12-15T09:00:00+01:00"
    assert value("{{ deep.a[0] }}", deep={"a": ["{{ weight }}"]}) == 40


def test_a_circle_is_named_once_and_at_its_place() -> None:
    at = {name: Variable(text, lambda path, n=name: Location(n, 1, 1)) for name, text in
          {"a": "{{ b }}", "b": "{{ c }}", "c": "x{{ a }}"}.items()}  # fmt: skip
    run = Evaluator(Scope(at))
    with pytest.raises(Problem) as first:
        run.scalar("{{ a }}", {})
    assert first.value.message.endswith("a → b → c → a") and first.value.location == Location("a", 1, 1)
    assert not first.value.known
    with pytest.raises(Problem) as second:
        run.scalar("{{ a }}", {})
    assert second.value.known


def test_references_have_a_depth() -> None:
    chain = {f"v{number}": f"{{{{ v{number + 1} }}}}" for number in range(30)}
    assert "refer to each other in a row" in refused("{{ v0 }}", **chain, v30=1).message
    assert value("{{ v15 }}", **chain, v30=1) == 1


def test_a_mistake_in_a_variable_points_there() -> None:
    bad = Variable({"x": "{{ nope }}"}, lambda path: Location("reconciler.yaml", 3, len(path)))
    with pytest.raises(Problem) as caught:
        Evaluator(Scope({"bad": bad})).scalar("{{ bad.x }}", {})
    assert caught.value.location == Location("reconciler.yaml", 3, 1)
    assert caught.value.message == 'the variable bad: {{ nope }}: there is no variable "nope"'


# --- the sandbox ---------------------------------------------------------------------------------------------------

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ [].__class__.__base__ }}",
    "{{ {}.__init__.__globals__ }}",
    "{{ date.__globals__['__builtins__'] }}",
    "{{ date.__code__ }}",
    "{{ date['__globals__'] }}",
    "{{ days(1).value.__class__ }}",
    "{{ date(start).value }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ joiner.__init__.__globals__.os }}",
    "{{ namespace.__init__ }}",
    "{{ config.items() }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ ''.join(['a']) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '%s'|format(1) }}",
    "{{ 'a'.format_map({}) }}",
    "{{ campaigns.append(1) }}",
    "{{ campaigns.pop() }}",
    "{{ markets.update({'x': 1}) }}",
    "{{ markets.__class__ }}",
    "{{ [1]|map('upper')|list }}",
    "{{ [1]|map(attribute='__class__')|list }}",
    "{{ ['a']|select('callable') }}",
    "{{ [{'a': 1}]|groupby('__class__') }}",
    "{{ dict(a=1) }}",
    "{{ (1).__class__ }}",
    "{{ 1.0.__class__ }}",
    "{{ none.__class__ }}",
    "{{ undefined.__class__ }}",
    "{{ missing.__class__ }}",
    "{{ missing.__init__.__globals__ }}",
    "{{ _ }}",
    "{{ __import__('os') }}",
    "{{ joined_('a') }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ loop.index }}",
    "{{ super() }}",
    "{{ days(*[1]) }}",
    "{{ days(**{'count': 1}) }}",
    "{{ (lambda: 1)() }}",
    "{{ [x for x in campaigns] }}",
    "{{ campaigns if not (campaigns.x) else 1 }}",
    "{% set x = 1 %}{{ x }}",
    "{% import 'os' as os %}{{ os }}",
    "{% include '/etc/passwd' %}",
    "{{ include('/etc/passwd') }}",
    "{{ open('/etc/passwd') }}",
    "{{ getenv('HOME') }}",
    "{{ env.HOME }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_gets_out_of_the_sandbox(text: str) -> None:
    problem = refused(text)
    assert "<" not in problem.message and "0x" not in problem.message


BOMBS = [
    "{{ range(10**9) }}",
    "{{ range(1000000000)|list }}",
    "{{ 10**10**10 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ [0] * 1000000000 }}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '%9999999999d' is odd }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'|indent(1000000000) }}",
    "{{ long ~ long }}",
    "{{ long|replace('a', long) }}",
    "{{ long|replace('', long) }}",
    "{{ many|join(long) }}",
    "{{ many + many }}",
    "{{ [many, many] }}",
    "{{ " + "9" * 50 + " }}",
    "{{ " + "9999999999 * " * 20 + "1 }}",
    "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
    "{{ " + "[" * 900 + "1" + "]" * 900 + " }}",
    "{{ " + "not " * 450 + "1 }}",
    "{{ " + "-" * 900 + "1 }}",
    "{{ " + "a." * 900 + "a }}",
    "{{ " + " ~ ".join(["long"] * 200) + " }}",
    "{{ 1e308 * 10 }}",
    "{{ " + "x" * (LONGEST_EXPRESSION + 1) + " }}",
    "{{ weight }}" + "x" * LONGEST_SCALAR,
    "{{ " * 5000,
    "{{ '" * 5000,
    "{%" * 20000 + "%}",
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:24])
def test_expansion_has_bounds(text: str) -> None:
    begin = time.perf_counter()
    refused(text, long="a" * LONGEST_TEXT, many=[0] * (MOST_ITEMS - 1))
    assert time.perf_counter() - begin < 2


def test_a_run_has_bounds() -> None:
    run = evaluator(many=[0] * (MOST_ITEMS - 1))
    with pytest.raises(Problem) as caught:
        for _ in range(MOST_EVALUATIONS):
            run.scalar("{{ many }}", {})
    assert "come to too much" in caught.value.message and not caught.value.known
    with pytest.raises(Problem) as again:
        run.scalar("{{ weight }}", {})
    assert again.value.known


def test_an_expression_cannot_change_what_it_reads() -> None:
    run = evaluator()
    for text in ESCAPES:
        with pytest.raises(Problem):
            run.scalar(text, {})
    assert run.scalar("{{ campaigns }}", {}) == [11, 22]
    assert set(run.scalar("{{ markets }}", {})) == {"de", "fr"}


@given(st.text(alphabet="{}%#'\"\\ abw.()[]|~+-*_1,:x", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_plain_values_or_a_problem(text: str) -> None:
    try:
        found = value("{{" + text + "}}")
    except Problem as problem:
        assert problem.message
        return
    assert found is None or isinstance(found, str | int | float | bool | list | dict)


# --- text as it is -------------------------------------------------------------------------------------------------


@given(st.text(alphabet="{}%# ab\"'", max_size=30) | st.text(max_size=30))
@settings(max_examples=400, deadline=None)
def test_escaped_text_gives_itself(text: str) -> None:
    written = escaped(text)
    if has_expression(text):
        assert value(written) == text
    else:
        assert written == text


@pytest.mark.parametrize("text", ["", "a", "{", "}}", "{a}", "{ {", "${NAME}", "{%", "{# a", "100 %}", "a { b"])
def test_text_that_is_no_expression(text: str) -> None:
    assert not has_expression(text)


def test_jinja_is_loaded_for_expressions_alone() -> None:
    code = (
        "import sys; from reconciler.manifests import load_text; from reconciler.manifests.expand import expand;"
        "from reconciler.manifests.template import Scope, Variable;"
        "first = load_text('{a: 1, b: \"$X {y}\"}', 'f').documents;"
        "assert expand(first, Scope()).documents[0] is first[0]; assert 'jinja2' not in sys.modules;"
        "second = load_text('{a: \"{{ x }}\"}', 'f').documents;"
        "assert expand(second, Scope({'x': Variable(3)})).documents[0].value == {'a': 3};"
        "assert 'jinja2' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
