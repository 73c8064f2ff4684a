"""
Changes inside functions, made and tried by mutmut: it runs only the tests that enter the changed function.

mutmut works in a copy of the project, so that nothing of it is left in the folder. A change that touches nothing but a
sentence is not counted: what messages say is held by the tests of texts.
"""

from __future__ import annotations

import ast
import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from table_changes import made_on_import

ROOT = Path(__file__).parents[2]
_KILLED = frozenset({1, 3, -24, 24, 36, 152, 255})
"""Exit codes of mutmut for a change that a test noticed, also by taking too long."""
_ALSO = ("docs", "examples", "schemas", "benchmarks", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile")


def copy_project(to: Path, modules: Sequence[str], tests: Sequence[str]) -> None:
    """Copy what git knows of the project, with the settings for mutmut."""
    shutil.rmtree(to, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    settings = {
        "source_paths": ["reconciler"],
        "only_mutate": list(modules),
        "also_copy": list(_ALSO),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--hypothesis-profile=ci"],
        "pytest_add_cli_args_test_selection": list(tests),
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    with (to / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n".join(["", "[tool.mutmut]", *lines, ""]))


def mutmut(folder: Path, *names: str) -> str:
    """Run mutmut on some mutants; gives what it says."""
    words = [sys.executable, "-m", "mutmut", "run", "--max-children", "2", *names]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace").stdout


def made(folder: Path, modules: Sequence[str]) -> dict[str, list[str]]:
    """Give the mutants of each module that count."""
    # No name matches: mutmut makes them all, and times the tests, before it finds that out.
    said = mutmut(folder, "none")
    found = {}
    for module in modules:
        mutants = folder / "mutants" / module
        codes = mutants.with_name(f"{mutants.name}.meta")
        if not codes.is_file() or not (folder / "mutants" / "mutmut-stats.json").is_file():
            sys.exit(f"mutmut made nothing of {module}: {said[-3000:]}")
        names = json.loads(codes.read_text("utf-8"))["exit_code_by_key"]
        bodies = dict(_functions(ast.parse(mutants.read_text("utf-8"))))
        early = made_on_import(ast.parse((folder / module).read_text("utf-8")))
        short = {name: name.rpartition(".")[2] for name in names}
        counted = [name for name in names if short[name].rpartition("__mutmut_")[0].removeprefix("x_") not in early]
        found[module] = [name for name in counted if not _is_wording(short[name], bodies)]
    return found


def survivors(folder: Path, chosen: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Try mutants; gives those of each module that no test noticed, or no test reaches."""
    said = mutmut(folder, *(name for names in chosen.values() for name in names))
    left = {}
    for module, names in chosen.items():
        path = folder / "mutants" / module
        codes = json.loads(path.with_name(f"{path.name}.meta").read_text("utf-8"))["exit_code_by_key"]
        untried = [name for name in names if codes[name] is None]
        if untried:
            sys.exit(f"mutmut has not tried {untried[:3]}: {said[-3000:]}")
        left[module] = [name for name in names if codes[name] not in _KILLED]
    return left


def shown(folder: Path, name: str) -> str:
    """Give a mutant as a difference."""
    words = [sys.executable, "-m", "mutmut", "show", name]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True).stdout


def _functions(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


def _is_wording(name: str, bodies: Mapping[str, ast.AST]) -> bool:
    """Tell whether a mutant differs from its original in sentences alone."""
    original, _, _ = name.rpartition("__mutmut_")
    before, after = (_without_sentences(bodies[one]) for one in (f"{original}__mutmut_orig", name))
    return before == after


class _NoSentences(ast.NodeTransformer):
    """Takes the words out of texts that hold more than one."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = ""
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) and " " in node.value.strip() else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        words = [part for part in node.values if isinstance(part, ast.Constant)]
        if " " in "".join(str(part.value) for part in words):
            return ast.JoinedStr([part for part in node.values if part not in words])
        return node


def _without_sentences(body: ast.AST) -> str:
    return ast.dump(_NoSentences().visit(copy.deepcopy(body)))
