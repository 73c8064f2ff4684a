"""The versions that are installed are chosen once, with their hashes, and agree with what the project asks for."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(name: str) -> dict[str, list[str]]:
    """Give the versions that a file of requirements/ pins for each package; all of them have hashes."""
    found: dict[str, list[str]] = {}
    for entry in re.split(r"\n(?=[a-z])", (ROOT / "requirements" / name).read_text()):
        pin = re.match(
            r"([\w.-]+)==([\w.]+)(?: ; [^\n]*)? \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", entry + "\n"
        )
        assert pin, entry[:200]
        found.setdefault(canonicalize_name(pin[1]), []).append(pin[2])
    return found


def asked(name: str) -> list[Requirement]:
    """Give what is asked for directly."""
    runtime, extras = PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]
    build = PROJECT["build-system"]["requires"]
    return [
        Requirement(text)
        for text in {
            "runtime.txt": runtime,
            "all.txt": [*runtime, *extras["object-store"], *extras["otel"], *extras["policy"]],
            "dev.txt": [*runtime, *extras["dev"], *build],
            "build.txt": build,
        }[name]
    ]


@pytest.mark.parametrize("name", ["runtime.txt", "all.txt", "dev.txt", "build.txt"])
def test_what_is_asked_for_is_pinned_as_asked(name: str) -> None:
    pinned = pins(name)
    for requirement in asked(name):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not locked: make lock"
        assert all(version in requirement.specifier for version in versions), f"{requirement}: make lock"


@pytest.mark.parametrize("name", ["runtime.txt", "all.txt", "build.txt"])
def test_users_run_what_was_tested(name: str) -> None:
    tested = pins("dev.txt")
    assert {package: tested.get(package) for package in pins(name)} == pins(name)


@pytest.mark.parametrize("name", ["runtime.txt", "all.txt", "dev.txt", "build.txt"])
def test_what_is_pinned_is_all_that_is_needed(name: str) -> None:
    """Installed without looking for more, nothing is missing."""
    pinned = pins(name)
    extras = {canonicalize_name(requirement.name): requirement.extras for requirement in asked(name)}
    missing = []
    for package in pinned:
        try:
            needed = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # one for another system
        for requirement in map(Requirement, needed):
            marks = [{"extra": extra} for extra in ("", *extras.get(package, ()))]
            if requirement.marker is None or any(requirement.marker.evaluate(mark) for mark in marks):
                versions = pinned.get(canonicalize_name(requirement.name), [])
                if not any(version in requirement.specifier for version in versions):
                    missing.append(f"{package} needs {requirement}")
    assert missing == []
