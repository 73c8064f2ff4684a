"""A state that somebody else wrote to: refused where it is no state, never a way to other addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from kinds import CASES, Case
from laboratory import Lab

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "an id that leads elsewhere": lambda record: record.update(remoteId="../../sobjects/User/1"),
    "an id with a query": lambda record: record.update(remoteId="1?x=y#z"),
    "an id with a line break": lambda record: record.update(remoteId="1\r\nX-Evil: 1"),
    "an id of other digits": lambda record: record.update(remoteId="١٢"),
    "an id with terminal escapes": lambda record: record.update(remoteId="\x1b[2J\u202e"),
    "an id that is no text": lambda record: record.update(remoteId={"a": 1}),
    "another account": lambda record: record["applied"].update(account="../x", account_id="../x"),
    "no applied spec": lambda record: record.update(applied=None),
    "an applied spec of another shape": lambda record: record.update(applied={"cells": 1, "user_groups": 1}),
    "an applied spec of another shape inside": lambda record: record.update(
        applied={"cells": [1], "user_groups": [1], "scheduledStartAt": [], "name": {}}
    ),
    "a deep spec": lambda record: record.update(applied={"name": deep(500)}),
    "another connection": lambda record: record.update(connection="\x1b[2Jevil"),
    "a status with terminal escapes": lambda record: record.update(status="\x1b[2J\u202e"),
    "another key": lambda record: record.update(evil=1),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("case", EVERY)
def test_a_changed_state(lab: Lab, case: Case, what: str) -> None:
    lab.manifest(case.kind, case.spec)
    lab.apply()
    state = json.loads(lab.state_file.read_text())
    (record,) = state["experiments"].values()
    own = record["remoteId"]
    CHANGES[what](record)
    lab.state_file.write_text(json.dumps(state))
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    lab.forget_requests()
    commands = (("plan",), ("drift",), ("results",), ("state", "list"), ("doctor",), ("apply", "--auto-approve"))
    for words in commands:
        ran = lab.run(*words)
        assert "Traceback" not in ran.err
        assert not UNSEEN.search(ran.out + ran.err), words
    for sent in lab.requests:
        assert not {"..", "User"} & set(sent.path.split("/"))
        assert "x-evil" not in sent.headers
    assert all(own in sent.path for sent in lab.writes), "only the experiment itself"
