"""What a plan says of the project's policies, as JSON and back; left out where there is nothing to say."""

from __future__ import annotations

from typing import Any

from reconciler.model.change import Change, Plan, PolicyNote
from reconciler.plan.reader import Reader


def policies_to_json(plan: Plan) -> dict[str, Any]:
    """Give the key of a plan that names the policies it was judged by; nothing for a project without any."""
    return {"policies": {"digest": plan.policies_digest}} if plan.policies_digest else {}


def notes_to_json(change: Change) -> dict[str, Any]:
    """Give the key of a change that lists the policies it does not satisfy; nothing where it satisfies all."""
    if not change.policies:
        return {}
    return {
        "policies": [
            {
                "name": note.name,
                "message": note.message,
                "blocks": note.blocks,
                "overriddenBy": note.overridden_by or None,
                "reason": note.reason or None,
            }
            for note in change.policies
        ]
    }


def read_digest(reader: Reader) -> str:
    """Give the digest of the policies of a saved plan; empty where it names none."""
    return "" if reader.value is None else reader.get("digest").text()


def read_note(reader: Reader) -> PolicyNote:
    """Read one policy that a change does not satisfy."""
    return PolicyNote(
        name=reader.get("name").text(),
        message=reader.get("message").text(),
        blocks=reader.get("blocks").flag(False),
        overridden_by=reader.get("overriddenBy").optional() or "",
        reason=reader.get("reason").optional() or "",
    )
