"""Which way imports point, and which libraries the package declares: both are read from the code itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "markdown_it": "markdown_it_py",
    "jwt": "pyjwt",
    "pydantic_core": "pydantic",
    "anyio": "starlette",
}
"""Import names that are not the name of their package; pydantic and starlette fix the versions of the last two."""
SHARED = {
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry": "opentelemetry-api",
}
"""Import names that several packages share, longest first."""
TESTING = ("bench", "dev", "fuzz", "mutation")
"""Extras that only tests need."""


def imported(folder: Path) -> dict[str, str]:
    """Give the packages that the files of a folder import, each with one file that does."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                shared = next((SHARED[top] for top in SHARED if name == top or name.startswith(f"{top}.")), None)
                found.setdefault(shared or name.split(".")[0], str(path.relative_to(ROOT)))
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names}


def declared(requirements: list[str]) -> set[str]:
    """Give the names in a list of requirements, lower case."""
    return {re.split(r"[\[<>=~! ]", text, maxsplit=1)[0].lower().replace("_", "-") for text in requirements}


def test_dependencies_are_exactly_what_the_package_imports() -> None:
    used = {DISTRIBUTIONS.get(name, name).replace("_", "-") for name in imported(ROOT / "reconciler")} - {"reconciler"}
    extras = PYPROJECT["project"]["optional-dependencies"]
    optional = {name for extra, names in extras.items() if extra not in TESTING for name in declared(names)}
    assert used == declared(PYPROJECT["project"]["dependencies"]) | optional


def test_tests_import_only_what_is_declared() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    known = {name for extra in TESTING for name in declared(extras[extra])} | declared(
        PYPROJECT["project"]["dependencies"]
    )
    own = {path.stem for path in (ROOT / "tests").rglob("*.py")} | {"tests", "reconciler"}
    foreign = {name: path for name, path in imported(ROOT / "tests").items() if name not in own}
    unknown = {
        name: path for name, path in foreign.items() if DISTRIBUTIONS.get(name, name).replace("_", "-") not in known
    }
    assert unknown == {}


def test_contracts_of_imports_are_kept() -> None:
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert " 0 broken" in done.stdout


def test_every_package_stands_in_the_layers() -> None:
    contract = PYPROJECT["tool"]["importlinter"]["contracts"][0]
    layered = {name.strip(" ()") for row in contract["layers"] for name in row.split("|")}
    top = {f"reconciler.{path.stem}" for path in (ROOT / "reconciler").iterdir() if path.suffix == ".py"}
    top |= {f"reconciler.{path.parent.name}" for path in (ROOT / "reconciler").glob("*/__init__.py")}
    # The emulator and the platforms have contracts of their own.
    apart = {"reconciler.__main__", "reconciler.__init__", "reconciler.emulator", "reconciler.platforms"}
    assert top - apart - layered == set()
