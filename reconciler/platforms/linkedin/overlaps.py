"""The rule between manifests: a campaign is in one experiment at a time. Linear in what does not collide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from reconciler.model.diagnostic import Finding, PathTuple
from reconciler.model.resource import Desired, Key
from reconciler.model.time import iso
from reconciler.platforms.linkedin import facts
from reconciler.platforms.linkedin.rules import OVERLAP, OVERLAP_DOUBT
from reconciler.platforms.linkedin.values import moment


class _Claim(NamedTuple):
    """What one manifest says of one campaign; a tuple, since there are two for each manifest of a project."""

    key: Key
    path: PathTuple
    start: datetime
    end: datetime
    draft: bool


def check_together(desireds: Sequence[Desired]) -> Iterator[tuple[Key, Finding]]:
    """
    Give a finding for each campaign that two manifests claim in windows that overlap or touch.

    An error where both would run; a warning where one is a draft, or where the windows only touch. Manifests that want
    CANCELED are left out. The later manifest of the two, in the order given, carries the finding.
    """
    seen: dict[str, list[_Claim]] = {}
    for desired in desireds:
        for campaign, claim in _claims(desired).items():
            holders = seen.setdefault(campaign, [])
            for holder in holders:
                if claim.start <= holder.end and holder.start <= claim.end:
                    yield claim.key, _finding(campaign, claim, holder)
            holders.append(claim)


def _claims(desired: Desired) -> dict[str, _Claim]:
    state = desired.spec.get("userIntendedState", facts.DEFAULT_INTENDED_STATE)
    start, end = moment(desired.spec["scheduledStartAt"]), moment(desired.spec["scheduledEndAt"])
    if state == "CANCELED" or start is None or end is None or end <= start:
        return {}
    return {
        cell["reference"]["campaign"]: _Claim(
            desired.key, ("cells", index, "reference", "campaign"), start, end, state == "DRAFT"
        )
        for index, cell in enumerate(desired.spec["cells"])
    }


def _finding(campaign: str, claim: _Claim, holder: _Claim) -> Finding:
    message = f"{campaign} is also in {holder.key}, whose window {iso(holder.start)} to {iso(holder.end)}"
    if claim.start == holder.end or holder.start == claim.end:
        return Finding(OVERLAP_DOUBT, claim.path, f"{message} touches this one's")
    message += f" overlaps this one's {iso(claim.start)} to {iso(claim.end)}"
    if claim.draft or holder.draft:
        which = claim.key if claim.draft else holder.key
        return Finding(OVERLAP_DOUBT, claim.path, f"{message}; {which} is a DRAFT, and launching it would be refused")
    return Finding(OVERLAP, claim.path, message)
