"""A state read in parts: what reading the whole gives, or refuses, and less of it at once."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateUnreadable
from reconciler.model.resource import Desired, Key, Record
from reconciler.state import parts, text
from reconciler.state.store import NONE_WANTED, State
from reconciler.state.text import read_state, state_text

KEYS = [Key("XAdsABTest", f"test-{number}") for number in range(7)]
STATE = State(
    "4a3d6f1e",
    3,
    {
        key: Record(key, "x-ads", "x", f"id{index}", {"name": "Größe } ,\n", "n": [{"size": index}], "o": {}})
        for index, key in enumerate(KEYS)
    },
)
CONTENT = state_text(STATE)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_PART", 300)


def whole(content: bytes) -> State | str:
    """What comes of reading it whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_BEGIN", b"nothing begins so")
        return read(content)


def read(content: bytes, wanted: Mapping[Key, Desired] = NONE_WANTED) -> State | str:
    try:
        return read_state(content, "state.json", "restore it", wanted)
    except StateUnreadable as error:
        return str(error)


def test_a_state_as_it_is_written_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "strict_json", lambda *_, **__: pytest.fail("it was read whole"))
    assert read(CONTENT) == STATE
    groups = list(parts.parts(CONTENT))
    assert len(groups) > 1 and [name for group in groups for name in group] == [str(key) for key in KEYS]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(json.loads(CONTENT)).encode(),
        CONTENT.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + CONTENT,
        state_text(State("4a3d6f1e", 3)),
        CONTENT.replace(
            b'  "formatVersion"', b'  "extra": {\n    "a": {\n      "b": 1\n    }\n  },\n  "formatVersion"'
        ),
        CONTENT.replace(b"test-4", b"test-1"),
        CONTENT.replace(b"test-4", b"test-3"),
        CONTENT.replace(b'"serial": 3', b'"serial": -3'),
        CONTENT.replace(b'"serial": 3', b'"serial": 3, "serial": 4'),
        CONTENT.replace(b'"n": [', b'"n": NaN, "m": [', 1),
        CONTENT.replace(b"id5", b'id5", "colour": "red'),
        CONTENT.replace(b'"id5"', b"[" * 98 + b"]" * 98),
        CONTENT.replace(b'"id5"', b"[" * 99 + b"]" * 99),
        CONTENT.replace(b"\n    },\n", b'\n    }\n  },\n  "experiments": {\n', 1),
        CONTENT[:-200],
        CONTENT.replace(b"\n    }\n  },\n", b"\n    },\n\n    }\n  },\n", 1),
        b"",
    ],
)
def test_whatever_else_is_read_or_refused_as_the_whole_is(content: bytes) -> None:
    assert read(content) == whole(content)


@given(st.data())
def test_a_damaged_state_is_read_or_refused_as_the_whole_is(data: st.DataObject) -> None:
    lines = CONTENT.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in "12")
        match data.draw(st.sampled_from(["leave out", "repeat", "swap", "cut"])):
            case "leave out":
                lines[at] = b""
            case "repeat":
                lines[at] += lines[other]
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines[at] = lines[at][: len(lines[at]) // 2]
    content = b"".join(lines)
    assert read(content) == whole(content)


def test_a_record_shares_the_spec_of_a_manifest_that_says_the_same() -> None:
    same, other = KEYS[1], KEYS[2]
    applied = STATE.experiments[same].applied
    wanted = {
        same: Desired(same, "x-ads", "x", dict(reversed(applied.items()))),
        other: Desired(other, "x-ads", "x", {**STATE.experiments[other].applied, "n": [{"size": 2.0}]}),
    }
    found = read(CONTENT, wanted)
    assert found == STATE and isinstance(found, State)
    assert found.experiments[same].applied is wanted[same].spec and found.experiments[same].key is wanted[same].key
    assert found.experiments[other].applied is not wanted[other].spec
    assert type(found.experiments[other].applied["n"][0]["size"]) is int
