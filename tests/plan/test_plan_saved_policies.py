"""Policies in a saved plan: which it was judged by, and which each change does not satisfy."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from plan_builders import X, desired, plan

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Plan, PolicyNote
from reconciler.plan.saved import dumps, loads, plan_to_json

BLOCKS = PolicyNote("min-duration", "runs 3 days, at least 7 are asked for", blocks=True)
ADVISES = PolicyNote("naming", "begins with no team")
OVERRIDDEN = PolicyNote("freeze", "nothing changes in December", False, "label", "agreed with sales")


def judged(*notes: PolicyNote, digest: str = "sha256:abc") -> Plan:
    made = plan([desired(X)])
    return replace(made, changes=(replace(made.changes[0], policies=notes),), policies_digest=digest)


@pytest.mark.parametrize("notes", [(), (BLOCKS,), (ADVISES, OVERRIDDEN, BLOCKS)], ids=["none", "one", "three"])
def test_they_come_back_as_they_were(notes: tuple[PolicyNote, ...]) -> None:
    """`apply` judges a saved plan again only where the digest differs, and an override is never lost on the way."""
    made = judged(*notes)
    assert loads(dumps(made), "plan.json") == made


def test_what_stands_in_the_file() -> None:
    data = plan_to_json(judged(BLOCKS, OVERRIDDEN))
    assert data["policies"] == {"digest": "sha256:abc"}
    assert data["changes"][0]["policies"] == [
        {"name": BLOCKS.name, "message": BLOCKS.message, "blocks": True, "overriddenBy": None, "reason": None},
        {
            "name": "freeze",
            "message": "nothing changes in December",
            "blocks": False,
            "overriddenBy": "label",
            "reason": "agreed with sales",
        },
    ]


def test_a_plan_without_policies_does_not_speak_of_them() -> None:
    data = plan_to_json(judged(digest=""))
    assert "policies" not in data and "policies" not in data["changes"][0]
    assert loads(json.dumps(data), "plan.json").policies_digest == ""


def test_a_note_that_does_not_say_so_is_advice() -> None:
    data = plan_to_json(judged(ADVISES))
    data["changes"][0]["policies"] = [{"name": "n", "message": "m"}]
    assert loads(json.dumps(data), "plan.json").changes[0].policies == (PolicyNote("n", "m"),)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": 1}, "name is not text"),
        ({"message": None}, "message is not text"),
        ({"blocks": "yes"}, "blocks is neither true nor false"),
        ({"overriddenBy": True}, "overriddenBy is not text"),
        ({"reason": []}, "reason is not text"),
    ],
)
def test_a_note_that_is_none_is_refused(changes: dict[str, Any], says: str) -> None:
    data = plan_to_json(judged(BLOCKS))
    data["changes"][0]["policies"][0].update(changes)
    with pytest.raises(PlanUnreadable, match=rf"changes\[0\]\.policies\[0\]\.{says}"):
        loads(json.dumps(data), "plan.json")


@pytest.mark.parametrize(
    ("value", "says"),
    [({}, r"policies\.digest is not text"), ({"digest": 1}, r"policies\.digest is not text"), ([], "policies is not")],
)
def test_a_digest_that_is_none_is_refused(value: Any, says: str) -> None:
    data = {**plan_to_json(judged()), "policies": value}
    with pytest.raises(PlanUnreadable, match=says):
        loads(json.dumps(data), "plan.json")
