"""The probe of each platform, imported when it is used; a test holds that every registered platform has one."""

from __future__ import annotations

from importlib import import_module

from reconciler.platforms.probe import Probe
from reconciler.platforms.session import Platform

_MODULES = {
    "linkedin": "reconciler.platforms.linkedin.probe",
    "x-ads": "reconciler.platforms.x_ads.probe",
    "salesforce": "reconciler.platforms.salesforce.probe",
}


def probe_of(platform: Platform) -> Probe:
    """Give the function that looks at a connection of a platform; raises KeyError when it has none."""
    probe: Probe = import_module(_MODULES[platform.name]).probe
    return probe
