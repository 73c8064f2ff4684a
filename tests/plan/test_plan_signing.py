"""The signature of a saved plan: what is signed, with which keys, and what is said when it does not fit."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from plan_builders import X, desired, plan

from reconciler.errors import PlanUnreadable, UsageProblem
from reconciler.plan.saved import dumps
from reconciler.plan.signing import check_signature, signed

KEY = "0123456789abcdef"
TEXT = dumps(plan([desired(X, description="ü")]))


def test_it_is_hmac_sha256_of_the_plan_with_sorted_keys_and_no_blanks() -> None:
    """Another program can check it: the text that is signed does not hang on how the file is laid out."""
    content = '{"a":{"b":1,"c":[1,2]},"z":"\\u00fc"}'
    expected = hmac.new(KEY.encode(), content.encode(), hashlib.sha256).hexdigest()
    made = json.loads(signed('{"z": "ü", "a": {"c": [1, 2], "b": 1}}', KEY))
    assert made == {"z": "ü", "a": {"c": [1, 2], "b": 1}, "signature": f"hmac-sha256:{expected}"}


def test_a_signed_plan_is_the_plan_with_one_key_more() -> None:
    text = signed(TEXT, KEY)
    made = json.loads(text)
    assert made.pop("signature") and made == json.loads(TEXT)
    assert text.endswith("}\n") and text.startswith('{\n  "') and "ü" in text
    check_signature(text, KEY, "plan.json")
    check_signature(json.dumps(dict(reversed(json.loads(text).items()))), KEY, "plan.json")


def test_signing_again_gives_the_same() -> None:
    assert signed(signed(TEXT, KEY), KEY) == signed(TEXT, KEY)


def test_a_key_has_sixteen_characters_or_more() -> None:
    for use in (lambda key: signed(TEXT, key), lambda key: check_signature(signed(TEXT, KEY), key, "plan.json")):
        with pytest.raises(UsageProblem, match=r"has 15 characters; it takes 16 or more"):
            use(KEY[:15])


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (TEXT, KEY, "plan.json is not signed"),
        (signed(TEXT, KEY).replace('"hmac', '"sha'), KEY, "the signature of plan.json does not fit"),
        (signed(TEXT, KEY).replace("CAMPAIGN", "LINE_ITEM"), KEY, "the signature of plan.json does not fit"),
        (signed(TEXT, KEY), "fedcba9876543210", "the signature of plan.json does not fit"),
        ("[]", KEY, "plan.json is not a plan file"),
        ("{", KEY, "plan.json is not a plan file"),
        ('{"a": 1, "a": 1}', KEY, "plan.json is not a plan file"),
        ('{"signature": 7}', KEY, "plan.json is not signed"),
    ],
)
def test_what_is_not_signed_with_the_key_is_refused(text: str, key: str, says: str) -> None:
    with pytest.raises(PlanUnreadable, match=f"^{says}"):
        check_signature(text, key, "plan.json")
