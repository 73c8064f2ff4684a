"""The one list of the platforms there are. A new platform is a new folder and a line here."""

from __future__ import annotations

from reconciler.errors import UsageProblem
from reconciler.platforms import linkedin, salesforce, x_ads
from reconciler.platforms.base import Kind
from reconciler.platforms.session import Platform

PLATFORMS: tuple[Platform, ...] = (linkedin.PLATFORM, x_ads.PLATFORM, salesforce.PLATFORM)
KINDS: tuple[Kind, ...] = tuple(kind for platform in PLATFORMS for kind in platform.kinds)


def platform_by_name(name: str) -> Platform:
    """Give a platform by its name in the project file; raises UsageProblem naming those there are."""
    for platform in PLATFORMS:
        if platform.name == name:
            return platform
    raise UsageProblem(f"there is no platform {name!r}; there are {', '.join(p.name for p in PLATFORMS)}")


def kind_by_name(name: str) -> Kind:
    """Give a kind by its name in manifests; raises UsageProblem naming those there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise UsageProblem(f"there is no kind {name!r}; there are {', '.join(k.name for k in KINDS)}")
