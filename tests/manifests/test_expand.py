"""Defaults, forEach and expressions in documents: what comes out, where it stands, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import Document, load_text
from reconciler.manifests.expand import MOST_ITEMS, Expanded, expand
from reconciler.manifests.layered import Layered, merged
from reconciler.manifests.show import shown_documents
from reconciler.manifests.template import Defaults, Scope, Variable, escaped
from reconciler.model.diagnostic import PathTuple, Severity

HEAD = "apiVersion: reconciler/v1\nkind: LabTest\n"
MANIFEST = HEAD + "metadata: {name: a}\n"


def scope(variables: Mapping[str, Any] | None = None, defaults: str = "", environment: str | None = None) -> Scope:
    """Give a scope; `defaults` is the text of a project file's defaults of LabTest."""
    given_defaults = {}
    if defaults:
        (document,) = load_text(f"defaults:\n  LabTest: {defaults}\n", "reconciler.yaml").documents
        given_defaults["LabTest"] = Defaults(document.value["defaults"]["LabTest"], document, ("defaults", "LabTest"))
    return Scope({name: Variable(value) for name, value in (variables or {}).items()}, environment, given_defaults)


def expanded(text: str, given_scope: Scope | None = None) -> Expanded:
    loaded = load_text(text, "a.yaml")
    assert loaded.diagnostics == ()
    return expand(loaded.documents, given_scope or scope())


def documents(text: str, given_scope: Scope | None = None) -> list[Document]:
    found = expanded(text, given_scope)
    assert found.diagnostics == ()
    return list(found.documents)


def problems(text: str, given_scope: Scope | None = None) -> list[str]:
    return [f"{item.location}: {item.message}" for item in expanded(text, given_scope).diagnostics]


def names(text: str, given_scope: Scope | None = None) -> list[str]:
    return [document.value["metadata"]["name"] for document in documents(text, given_scope)]


# --- expressions in documents -------------------------------------------------------------------------------------


def test_a_document_without_any_of_it_comes_out_as_it_went_in() -> None:
    loaded = load_text(MANIFEST + "spec: {a: 1, b: [x, '$NAME {y}']}\n", "a.yaml").documents
    assert expand(loaded, scope({"a": 1})).documents[0] is loaded[0]


def test_scalars_keep_their_types_and_text_is_filled_in() -> None:
    (document,) = documents(
        MANIFEST + 'spec: {weight: "{{ w }}", name: "N {{ w }}", list: "{{ l }}", same: [1, {a: "{{ w }}"}, b]}\n',
        scope({"w": 40, "l": [1, {"x": 2}]}),
    )
    assert document.value["spec"] == {"weight": 40, "name": "N 40", "list": [1, {"x": 2}], "same": [1, {"a": 40}, "b"]}


def test_a_value_cannot_change_the_structure() -> None:
    nasty = "x\nspec: {evil: true}\n---\nkind: Evil\n- {{x *a &b !!python/object"
    (document,) = documents(
        MANIFEST + 'spec: {name: "{{ v }}", other: "<{{ v }}>"}\n', Scope({"v": Variable(nasty, literal=True)})
    )
    assert document.value["spec"] == {"name": nasty, "other": f"<{nasty}>"}


def test_what_stands_elsewhere_than_in_values_is_literal() -> None:
    found = problems(
        'apiVersion: "{{ v }}"\nkind: "{{ k }}"\nmetadata: {name: a, "{{ k }}": 1}\nspec: {}\n', scope({"k": "x"})
    )
    assert found == [
        "a.yaml:1:13: apiVersion is written out, never an expression",
        "a.yaml:2:7: kind is written out, never an expression",
        'a.yaml:3:21: the key "{{ k }}" holds an expression; only values may',
    ]


def test_environment_variables_stay_text() -> None:
    (document,) = documents(MANIFEST + 'spec: {name: "${HOME} {{ 1 }}"}\n')
    assert document.value["spec"]["name"] == "${HOME} 1"


@pytest.mark.parametrize(
    "text", ['"\\x7b{ 40 + 2 }}"', '"{\\x7b 40 + 2 }}"', '"\\u007b\\u007b 40 + 2 }}"', '"{\\\n    { 40 + 2 }}"']
)
def test_however_the_braces_are_written(text: str) -> None:
    (document,) = documents(MANIFEST + f"spec:\n  a: {text}\n")
    assert document.value["spec"]["a"] == 42


def test_every_mistake_is_told_at_its_place_with_what_is_known_there() -> None:
    found = expanded(
        MANIFEST + 'spec:\n  name: "{{ nam }}"\n  list:\n    - "{{ wieght }}"\n    - >-\n      {{ 1 / 0 }}\n',
        scope({"weight": 1}),
    )
    assert [f"{p.location}: {p.message}" for p in found.diagnostics] == [
        'a.yaml:5:9: spec.name: {{ nam }}: there is no variable "nam"',
        'a.yaml:7:7: spec.list[0]: {{ wieght }}: there is no variable "wieght"',
        "a.yaml:8:7: spec.list[1]: {{ 1 / 0 }}: a division by zero",
    ]
    assert found.diagnostics[0].hint == "did you mean name? known here: environment, name; variables: weight"
    assert {str(place) for place in found.documents[0].flaws} == {"a.yaml:5:9", "a.yaml:7:7", "a.yaml:8:7"}


def test_a_mistake_in_a_variable_is_told_once_and_where_it_is() -> None:
    (project,) = load_text('variables:\n  bad: "{{ nope }}"\n', "reconciler.yaml").documents
    bad = Variable("{{ nope }}", lambda path: project.locate(("variables", "bad", *path)))
    found = expanded(MANIFEST + 'spec: {a: "{{ bad }}", b: "{{ bad }}"}\n', Scope({"bad": bad})).diagnostics
    assert [(str(p.location), p.message) for p in found] == [
        ("reconciler.yaml:2:8", 'the variable bad: {{ nope }}: there is no variable "nope"')
    ]
    assert found[0].hint.endswith("used at a.yaml:4:11")


def test_the_name_is_known_and_may_itself_be_computed() -> None:
    (document,) = documents(
        HEAD + 'metadata: {name: "a-{{ n }}"}\nspec: {title: "{{ name | upper }}"}\n', scope({"n": 3})
    )
    assert (document.value["metadata"]["name"], document.value["spec"]["title"]) == ("a-3", "A-3")


# --- forEach -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("[de, fr]", ["a-de", "a-fr"]),
        ("[1, 2]", ["a-1", "a-2"]),
        ("{de: {x: 1}, fr: 2}", ["a-de", "a-fr"]),
        ("[{key: de, x: 1}, {name: fr}]", ["a-de", "a-fr"]),
        ('"{{ markets }}"', ["a-it", "a-es"]),
        ('["{{ first }}", fr]', ["a-it", "a-fr"]),
    ],
)
def test_one_experiment_for_each_item(items: str, expected: list[str]) -> None:
    known = scope({"markets": {"it": 1, "es": 2}, "first": "it"})
    assert names(f"forEach: {items}\n{MANIFEST}spec: {{}}\n", known) == expected


def test_items_are_known_to_expressions() -> None:
    text = "forEach: {de: {w: 40}, fr: {w: 60}}\n" + MANIFEST
    text += 'spec: {t: "{{ each.key }}{{ each.index }}", w: "{{ each.value.w }}", n: "{{ name }}"}\n'
    found = documents(text)
    assert [document.value["spec"] for document in found] == [
        {"t": "de0", "w": 40, "n": "a-de"},
        {"t": "fr1", "w": 60, "n": "a-fr"},
    ]
    assert all("forEach" not in document.value for document in found)


def test_a_name_that_uses_the_item_is_taken_as_it_is() -> None:
    text = "forEach: [{key: de, m: berlin}]\n" + HEAD + 'metadata: {name: "in-{{ each.value.m }}"}\nspec: {}\n'
    assert names(text) == ["in-berlin"]
    assert names(text.replace("each.value.m", "7")) == ["in-7-de"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("[de, fr, de]", 'a.yaml:1:19: forEach[2] has the key "de", which forEach[0] has already'),
        ("[1, '1']", 'a.yaml:1:14: forEach[1] has the key "1", which forEach[0] has already'),
        ("[{x: 1}]", "a.yaml:1:11: forEach[0] is a mapping without a key, so its experiment has no name of its own"),
        ("[null]", "a.yaml:1:11: forEach[0] is null, so its experiment has no name of its own"),
        ("[[1]]", "a.yaml:1:11: forEach[0] is a list of 1 item, so its experiment has no name of its own"),
        ("3", "a.yaml:1:10: forEach is 3; it has to be a list or a mapping"),
        ("", "a.yaml:1:9: forEach is null; it has to be a list or a mapping"),
        ('"{{ nope }}"', 'a.yaml:1:10: forEach: {{ nope }}: there is no variable "nope"'),
        ('"{{ each.key }}"', 'a.yaml:1:10: forEach: {{ each.key }}: there is no variable "each"'),
        ("[]", "a.yaml:1:10: forEach is empty, so this manifest makes no experiment"),
        ("{}", "a.yaml:1:10: forEach is empty, so this manifest makes no experiment"),
    ],
)
def test_wrong_items(items: str, message: str) -> None:
    found = expanded(f"forEach: {items}\n{MANIFEST}spec: {{}}\n")
    assert [f"{p.location}: {p.message}" for p in found.diagnostics] == [message]
    assert found.documents == ()
    assert found.diagnostics[0].severity is (Severity.WARNING if "empty" in message else Severity.ERROR)


def test_there_is_a_limit_on_items() -> None:
    many = ", ".join(map(str, range(MOST_ITEMS)))
    assert len(documents(f"forEach: [{many}]\n{MANIFEST}spec: {{}}\n")) == MOST_ITEMS
    assert problems(f"forEach: [{many}, x]\n{MANIFEST}spec: {{}}\n") == [
        f"a.yaml:1:10: forEach has {MOST_ITEMS + 1} items; one manifest makes at most {MOST_ITEMS} experiments"
    ]
    listed = scope({"m": list(range(MOST_ITEMS + 1))})
    assert "at most" in problems(f'forEach: "{{{{ m }}}}"\n{MANIFEST}spec: {{}}\n', listed)[0]


def test_there_is_a_limit_on_what_items_come_to() -> None:
    many = ", ".join(map(str, range(MOST_ITEMS)))
    big = ", ".join("1" for _ in range(5000))
    (problem,) = problems(f"forEach: [{many}]\n{MANIFEST}spec: {{a: [{big}]}}\n")
    assert "which is too much" in problem


def test_mistakes_say_which_items_they_are_of() -> None:
    text = (
        "forEach: {de: {w: 1}, fr: {w: x}, it: {}}\n" + MANIFEST + 'spec: {a: "{{ each.value.w * 2 }}", b: "{{ q }}"}\n'
    )
    assert sorted(problems(text)) == [
        "a.yaml:5:11: spec.a: {{ each.value.w * 2 }}: text * a number does not go (item fr)",
        'a.yaml:5:11: spec.a: {{ each.value.w * 2 }}: the mapping has no key "w" (item it)',
        'a.yaml:5:40: spec.b: {{ q }}: there is no variable "q" (every item)',
    ]


def test_what_can_be_true_of_one_experiment_alone_needs_the_item() -> None:
    text = "forEach: [1, 2]\n" + HEAD + "metadata: {name: a, importId: '77', movedFrom: old}\nspec: {}\n"
    assert problems(text) == [
        "a.yaml:4:31: metadata.importId would be the same for every item of forEach",
        "a.yaml:4:48: metadata.movedFrom would be the same for every item of forEach",
    ]
    text = text.replace("'77'", '"7{{ each.key }}"').replace("old", '"old-{{ each.key }}"')
    assert [document.value["metadata"]["importId"] for document in documents(text)] == ["71", "72"]


# --- defaults ------------------------------------------------------------------------------------------------------


def test_defaults_stand_beneath_the_manifest() -> None:
    known = scope(
        defaults="{metadata: {labels: {team: x, tier: y}}, lifecycle: {onRemoval: abandon}, "
        "spec: {a: 1, b: {c: 2, d: 3}, l: [1, 2], n: 5}}"
    )
    text = HEAD + "metadata: {name: a, labels: {team: z}}\nspec: {b: {d: 4}, l: [9], n: null}\n"
    (document,) = documents(text, known)
    assert document.value == {
        "apiVersion": "reconciler/v1",
        "kind": "LabTest",
        "metadata": {"name": "a", "labels": {"team": "z", "tier": "y"}},
        "lifecycle": {"onRemoval": "abandon"},
        "spec": {"a": 1, "b": {"c": 2, "d": 4}, "l": [9], "n": None},
    }


def test_defaults_are_those_of_the_kind_and_null_says_no() -> None:
    known = scope(defaults="{lifecycle: {onRemoval: abandon}, spec: {a: 1}}")
    (other,) = documents(MANIFEST.replace("LabTest", "OtherTest") + "spec: {}\n", known)
    assert other.value["spec"] == {} and not isinstance(other, Layered)
    (bare,) = documents(MANIFEST + "lifecycle:\nspec: {}\n", known)
    assert bare.value["lifecycle"] is None


def test_places_are_those_of_the_file_that_states_the_value() -> None:
    known = scope({"w": 3}, '{spec: {a: "{{ w }}", b: {c: 2}, l: [{x: 1}, {x: 2}]}}')
    (document,) = documents(MANIFEST + 'spec:\n  b: {d: "{{ w }}"}\n  l: [{y: 1}]\n', known)
    assert document.value["spec"] == {"a": 3, "b": {"c": 2, "d": 3}, "l": [{"y": 1}]}
    places: dict[PathTuple, str] = {
        ("spec", "a"): "reconciler.yaml:2:23",
        ("spec", "b"): "a.yaml:5:6",
        ("spec", "b", "c"): "reconciler.yaml:2:41",
        ("spec", "b", "d"): "a.yaml:5:10",
        ("spec", "l", 0, "y"): "a.yaml:6:11",
        ("spec", "l", 1): "a.yaml:6:3",
        ("spec", "nope"): "a.yaml:4:1",
        ("metadata", "name"): "a.yaml:3:18",
    }
    assert {path: str(document.locate(path)) for path in places} == places
    assert str(document.locate(("spec", "b", "c"), True)) == "reconciler.yaml:2:38"
    assert document.written(("spec", "b", "c")) == "2" and document.written(("spec", "a")) is None


def test_what_stands_inside_a_computed_value_has_its_place() -> None:
    (document,) = documents(MANIFEST + 'spec:\n  cells: "{{ c }}"\n', scope({"c": [{"name": "a"}, {"name": "b"}]}))
    for path in ((), (1,), (1, "name"), (7, "x")):
        assert str(document.locate(("spec", "cells", *path))) == "a.yaml:5:10"
        assert str(document.locate(("spec", "cells", *path), True)) == ("a.yaml:5:3" if path == () else "a.yaml:5:10")


def test_merged_says_what_the_upper_says() -> None:
    assert merged({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert merged({"a": [1, 2]}, {"a": [3]}) == {"a": [3]}
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": {"d": 1}}}) == {"a": {"b": {"d": 1}, "c": 2}}
    assert merged({"a": {"b": 1}}, {"a": "text"}) == {"a": "text"}


# --- properties ----------------------------------------------------------------------------------------------------

SCALARS = st.sampled_from(["x", "{{ v }}", "a {{ v }} b", "{{ l }}", "{{ m }}", 5, True, None, 1.5, "${Z}", "{{"[:1]])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=3),
    max_leaves=12,
)
KNOWN = {"v": 7, "l": [1, [2]], "m": {"a": {"b": 1}}}


def written(value: Any) -> str:
    """Give a value as flow YAML on lines of its own, so that places differ."""
    if isinstance(value, dict):
        return "{" + ",\n ".join(f"{key}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",\n ".join(written(inner) for inner in value) + "]"
    return {None: "null", True: "true"}.get(value, repr(value)) if not isinstance(value, str) else f'"{value}"'


def evaluated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: evaluated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [evaluated(inner) for inner in value]
    whole = {"{{ v }}": 7, "a {{ v }} b": "a 7 b", "{{ l }}": KNOWN["l"], "{{ m }}": KNOWN["m"]}
    return whole.get(value, value) if isinstance(value, str) else value


def paths_of(value: Any, path: PathTuple = ()) -> list[PathTuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, child in inner for deeper in paths_of(child, (*path, key)))]


@given(st.dictionaries(st.sampled_from("abcde"), VALUES, max_size=4))
@settings(max_examples=200, deadline=None)
def test_values_and_places_of_any_document(spec: dict[str, Any]) -> None:
    (raw,) = load_text(f"{MANIFEST}spec: {written(spec)}\n", "a.yaml").documents
    (document,) = expand((raw,), scope(KNOWN)).documents
    assert document.value["spec"] == evaluated(spec)
    for path in paths_of(spec, ("spec",)):
        assert document.locate(path) == raw.locate(path)
        assert document.locate(path, True) == raw.locate(path, True)
        stated = raw.value
        for step in path:
            stated = stated[step]
        if stated in ("{{ l }}", "{{ m }}"):
            value = document.value
            for step in path:
                value = value[step]
            assert all(document.locate(inner) == raw.locate(path) for inner in paths_of(value, path))


@given(st.dictionaries(st.sampled_from("abcde"), VALUES), st.dictionaries(st.sampled_from("abcde"), VALUES))
@settings(max_examples=200, deadline=None)
def test_values_and_places_over_defaults(below: dict[str, Any], above: dict[str, Any]) -> None:
    known = scope(KNOWN, "{spec: " + written(below).replace("\n", "\n     ") + "}")
    (raw,) = load_text(f"{MANIFEST}spec: {written(above)}\n", "a.yaml").documents
    (document,) = expand((raw,), known).documents
    whole = merged(below, above)
    assert document.value["spec"] == evaluated(whole)
    project, prefix = known.defaults["LabTest"].document, known.defaults["LabTest"].prefix
    for path in paths_of(whole, ("spec",)):
        place = document.locate(path)
        assert place in (raw.locate(path), project.locate((*prefix, *path)))
        stated: Any = raw.value
        for step in path:
            stated = (
                stated[step] if isinstance(stated, list) or (isinstance(stated, dict) and step in stated) else "absent"
            )
        if stated == "absent":
            assert place.file == "reconciler.yaml"


@given(st.dictionaries(st.sampled_from("abcde"), VALUES, max_size=4))
@settings(max_examples=200, deadline=None)
def test_what_is_shown_reads_back_as_the_same(spec: dict[str, Any]) -> None:
    (raw,) = load_text(f"{MANIFEST}spec: {written(spec)}\n", "a.yaml").documents
    (document,) = expand((raw,), scope(KNOWN)).documents
    again = load_text(shown_documents((document,), {}), "b.yaml")
    assert again.diagnostics == ()
    assert expand(again.documents, scope()).documents[0].value == document.value


def test_what_is_shown_names_file_line_and_item() -> None:
    text = "# note\nforEach: [de, fr]\n" + MANIFEST + "spec: {t: \"{{ '{{' }} {{ each.key }}\"}\n"
    shown = shown_documents(documents(text), {})
    assert shown.startswith(
        "# a.yaml:2:1, item de\napiVersion: reconciler/v1\nkind: LabTest\nmetadata:\n  name: a-de\n"
    )
    assert [document.value["spec"]["t"] for document in documents(shown)] == ["{{ de", "{{ fr"]
    assert escaped("{{ de") in load_text(shown, "b").documents[0].value["spec"]["t"]
