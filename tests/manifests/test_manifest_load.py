"""Text to documents: positions, and a place and a remedy for everything that is refused."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import SourceFile, load, load_file, load_text
from reconciler.manifests.build import MAX_DEPTH
from reconciler.manifests.load import MAX_BYTES, load_bytes
from reconciler.model.diagnostic import PathTuple

MANIFEST = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata: {name: headline-test, labels: {team: growth}}
spec:
  name: A
  confidence: 90
  cells:
    - name: a
      trafficWeight: 50
      reference: {campaign: "urn:li:sponsoredCampaign:1"}
    - name: b
      trafficWeight: 50
      reference: {campaign: "urn:li:sponsoredCampaign:2"}
"""


def values(text: str) -> list[Any]:
    loaded = load_text(text, "a.yaml")
    assert loaded.diagnostics == ()
    return [document.value for document in loaded.documents]


def problems(text: str | bytes) -> list[str]:
    loaded = load_text(text, "a.yaml") if isinstance(text, str) else load_bytes(text, "a.yaml")
    return [f"{p.location}: {p.message}" for p in loaded.diagnostics]


# --- positions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ((), False, (1, 1)),
        (("kind",), False, (2, 7)),
        (("kind",), True, (2, 1)),
        (("metadata", "labels", "team"), False, (3, 48)),
        (("metadata", "labels", "team"), True, (3, 42)),
        (("spec", "cells", 1, "trafficWeight"), False, (12, 22)),
        (("spec", "cells", 1), False, (11, 7)),
        (("spec", "cells", 1, "description"), False, (11, 7)),
        (("spec", "account"), False, (4, 1)),
        (("spec", "cells", 7, "name"), False, (7, 3)),
        (("nowhere", "at", "all"), False, (1, 1)),
    ],
)
def test_places(path: PathTuple, key: bool, place: tuple[int, int]) -> None:
    document = load_text(MANIFEST, "a.yaml").documents[0]
    found = document.locate(path, key)
    assert (found.file, found.line, found.column) == ("a.yaml", *place)


def test_places_in_the_second_document_with_crlf_and_a_byte_order_mark() -> None:
    text = "\ufeff---\r\né: 1\r\n---\r\né: x\r\nb: 'y'\r\n"
    loaded = load_bytes(text.encode(), "a.yaml")
    assert [d.value for d in loaded.documents] == [{"é": 1}, {"é": "x", "b": "y"}]
    assert str(loaded.documents[1].locate(("b",))) == "a.yaml:5:4"
    assert loaded.documents[1].index == 1


def test_what_was_written() -> None:
    document = load_text("a: [1e5, 12.50]\n", "a.yaml").documents[0]
    assert (document.written(("a", 0)), document.written(("a", 1))) == ("1e5", "12.50")


LEAVES = st.integers(0, 999) | st.text("abcxyz", min_size=1, max_size=5) | st.booleans() | st.none()
TREES = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4).filter(lambda key: key not in ("n",)),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.text("klmpqr", min_size=1, max_size=3), inner, min_size=1, max_size=3)
        ),
        max_leaves=10,
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(TREES, st.booleans())
def test_every_place_is_where_the_value_is_written(tree: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, sort_keys=False)
    document = load_text(text, "a.yaml").documents[0]
    assert document.value == tree
    lines = text.splitlines()

    def walk(value: Any, path: PathTuple) -> None:
        if path and isinstance(path[-1], str):
            key = document.locate(path, True)
            assert lines[key.line - 1][key.column - 1 :].strip("'").startswith(path[-1])
        if isinstance(value, dict):
            for name, child in value.items():
                walk(child, (*path, name))
        elif isinstance(value, list):
            for index, child in enumerate(value):
                walk(child, (*path, index))
        else:
            place = document.locate(path)
            rest = lines[place.line - 1][place.column - 1 :].lstrip("'")
            assert rest.startswith(
                "null" if value is None else str(value).lower() if value in (True, False) else str(value)
            )

    walk(tree, ())


# --- what is refused ---------------------------------------------------------------------------------------------


def test_the_same_key_twice_names_both_places() -> None:
    assert problems("a: 1\nb: 2\na: 3\n") == ['a.yaml:3:1: the key "a" stands twice in one mapping; first at 1:1']
    assert load_text("a: 1\na: 2\n", "a.yaml").documents[0].value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 012", "1:4", "leading zero"),
        ("a: !!str 1", "1:4", "tag"),
        ("a: !secret x", "1:4", "tag"),
        ("a: ! 12", "1:4", "tag"),
        ("? [1]\n: 2\n", "1:3", "cannot be a key"),
        ("12: a", "1:1", "is not text"),
        ("~: a", "1:1", "is not text"),
        ("? \n: a", "1:2", "an empty key"),
        ("<<: {a: 1}", "1:1", "merge keys"),
        ("b: &x {a: 1}\n*x : 1", "2:1", "cannot be a key"),
        ("a: *x", "1:4", "no anchor"),
        ("a: &x [*x]", "1:8", "inside its own anchor"),
        ("a: &x 1\nb: &x 2", "2:4", "stands twice"),
        ("a:\n\t- b", "2:1", "not valid YAML"),
        ("a: 'x", "1:6", "not valid YAML"),
        ("a: b: c", "1:5", "not valid YAML"),
        ("a: [1\nb: 2", "2:2", "begins at 1:4"),
        ("a: b\u0007", "1:5", "U+0007"),
        ("a: b\x00", "1:5", "U+0000"),
        ("x: 1\ra: 'b\u2028c'", "2:6", "U+2028"),
        ("a: b\ufeff", "1:5", "U+FEFF"),
    ],
)
def test_refused_with_its_place(text: str, place: str, words: str) -> None:
    found = problems(text)
    assert len(found) == 1 and found[0].startswith(f"a.yaml:{place}: ") and words in found[0]


def test_tabs_are_explained() -> None:
    assert "spaces" in load_text("a:\n\t- b", "a.yaml").diagnostics[0].hint


def test_all_problems_of_a_document_are_told() -> None:
    assert [p.split(":")[1] for p in problems("a: 012\nb: 1\nb: 2\nc: !x y\n3: 4\n")] == ["1", "3", "4", "5"]


def test_a_syntax_error_ends_its_file_only() -> None:
    loaded = load_text("a: 1\n---\nb: ]\n---\nc: 1\n", "a.yaml")
    assert [d.value for d in loaded.documents] == [{"a": 1}]
    assert len(loaded.diagnostics) == 1


def test_bytes_that_are_not_utf8() -> None:
    assert problems("é: 1\nß: ".encode() + b"\xff") == ["a.yaml:2:4: the file is not UTF-8 here"]
    assert "UTF-16" in problems("a: 1".encode("utf-16"))[0]


def test_depth_is_limited() -> None:
    assert "lists and mappings inside each other" in problems("[" * (MAX_DEPTH + 1))[0]
    assert problems("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert problems("[" * 100_000) != []


def test_depth_through_aliases_is_limited() -> None:
    text = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, MAX_DEPTH + 2))
    assert "inside each other" in problems(text)[0]


def test_an_alias_bomb_is_refused_quickly() -> None:
    text = "a: &a [1,1,1,1,1,1,1,1,1]\n"
    text += "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
    start = time.process_time()
    assert "aliases of this file" in problems(text)[0]
    assert time.process_time() - start < 1


def test_aliases_stand_for_the_value_and_its_place() -> None:
    document = load_text("a: &x {b: 1}\nc: *x\n", "a.yaml").documents[0]
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert str(document.locate(("c", "b"))) == "a.yaml:1:11"
    assert str(document.locate(("c",), True)) == "a.yaml:2:1"


def test_an_anchor_ends_with_its_document() -> None:
    assert "no anchor" in problems("a: &x 1\n---\nb: *x\n")[0]


def test_empty_documents_are_skipped_and_an_empty_file_is_an_error() -> None:
    assert values("---\n---\na: 1\n---\n# nothing\n...\n") == [{"a": 1}]
    for text in ("", "# only a comment\n", "---\n---\n", "null"):
        assert problems(text) == ["a.yaml: the file holds no manifest"]


def test_hostile_text_does_not_reach_the_terminal() -> None:
    text = 'a: 1\n"\\e[31m\\u202e": 1\n"\\e[31m\\u202e": 2\n'
    (message,) = problems(text)
    assert message.isprintable() and "\\x1b[31m\\u202e" in message


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab01:-?[]{}&*!|>'\"%@`#, \n\t.~<=\\", max_size=40) | st.text(max_size=20))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    loaded = load_text(text, "a.yaml")
    for problem in loaded.diagnostics:
        assert problem.message.isprintable() and problem.location is not None
    for document in loaded.documents:
        json.dumps(document.value, allow_nan=False)


def test_quiet_never_repeats_a_value() -> None:
    text = "a: 0123456\nb: !S3cr3t x\nc: *S3cr3t\nd: &S3cr3t 1\ne: &S3cr3t 2\n<<: 1\n{S3cr3t: 1, S3cr3t: 2}: 1\n"
    loaded = load_text(text, "p.yaml", quiet=True)
    said = " ".join(p.message + p.hint for p in loaded.diagnostics)
    assert len(loaded.diagnostics) >= 5 and "123456" not in said and "3cr3t" not in said


# --- files -------------------------------------------------------------------------------------------------------


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(50 * 1024 * 1024)
    start = time.process_time()
    (problem,) = load_file(path, "big.yaml").diagnostics
    assert problem.message == "the file is 50.0 MiB large; at most 10 MiB are read"
    assert time.process_time() - start < 0.5 and MAX_BYTES == 10 * 1024 * 1024


def test_reading_takes_the_room_that_the_file_takes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MANIFEST)
    tracemalloc.start()
    try:
        assert load_file(tmp_path / "a.yaml", "a.yaml").documents
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MAX_BYTES / 10


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="no file here says that it is empty and is not")
def test_a_file_that_tells_no_size_is_read_whole() -> None:
    (document,) = load_file(Path("/proc/version"), "version").documents
    assert len(document.value) > 20 and Path("/proc/version").read_text().startswith(document.value)


def test_every_file_is_read_whatever_is_wrong_in_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yaml").write_text("b: 1")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xff")
    names = ["a.yaml", "b.yaml", "c.yaml", "gone.yaml"]
    loaded = load(SourceFile(str(tmp_path / name), name) for name in names)
    assert [d.value for d in loaded.documents] == [{"b": 1}]
    assert [p.location.file for p in loaded.diagnostics if p.location] == ["a.yaml", "c.yaml", "gone.yaml"]


def test_a_thousand_manifests_load_in_well_under_a_second() -> None:
    start = time.process_time()
    for _ in range(1000):
        load_text(MANIFEST, "a.yaml")
    assert time.process_time() - start < 1
