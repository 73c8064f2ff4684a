"""
A saved plan signed with a key that the plan and the apply share, so that nobody in between can change it.

HMAC-SHA256 over the plan's JSON with sorted keys and no blanks, the signature itself left out; the layout of the file
does not matter. The plan names environment, state and time, so a signature is good for that plan alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from reconciler.errors import PlanUnreadable, UsageProblem
from reconciler.model.strict_json import strict_json

SHORTEST_KEY = 16
"""Characters of a key; fewer could be guessed from a plan and its signature."""
_SIGNATURE = "signature"
_PREFIX = "hmac-sha256:"


def signed(text: str, key: str) -> str:
    """Give a plan's JSON text with its signature; raises UsageProblem for a key that is too short."""
    plan = json.loads(text)
    plan[_SIGNATURE] = _made(plan, key)
    return json.dumps(plan, indent=2, ensure_ascii=False) + "\n"


def check_signature(text: str, key: str, source: str) -> None:
    """Raise PlanUnreadable, naming `source`, unless a plan's text is signed with the key, as it stands."""
    try:
        plan = strict_json(text)
        stated = plan.get(_SIGNATURE)
        made = _made(plan, key)
    except (ValueError, AttributeError):
        raise PlanUnreadable(f"{source} is not a plan file; make one with plan --out FILE") from None
    if not isinstance(stated, str):
        raise PlanUnreadable(
            f"{source} is not signed, and a key for plans is set; make a new plan with the same key, nothing was sent"
        )
    if not hmac.compare_digest(stated.encode(), made.encode()):
        raise PlanUnreadable(
            f"the signature of {source} does not fit: it was changed since it was made, or made with another key; make "
            "a new plan, nothing was sent"
        )


def _made(plan: dict[str, object], key: str) -> str:
    if len(key) < SHORTEST_KEY:
        raise UsageProblem(f"the key for plans has {len(key)} characters; it takes {SHORTEST_KEY} or more")
    rest = {name: value for name, value in plan.items() if name != _SIGNATURE}
    content = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    return _PREFIX + hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
