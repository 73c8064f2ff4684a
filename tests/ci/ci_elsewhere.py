"""What the files of GitLab and Jenkins come to: the component with its inputs filled in, the lines of each stage."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import yaml
from ci_runner import ROOT

HEADER, COMPONENT = yaml.safe_load_all((ROOT / "templates/reconciler.yml").read_text())


def expanded(node: Any, inputs: dict[str, str]) -> Any:
    """Give the component as GitLab reads it: every `$[[ inputs.x ]]` replaced in the values and the keys."""
    if isinstance(node, dict):
        return {expanded(key, inputs): expanded(value, inputs) for key, value in node.items()}
    if isinstance(node, list):
        return [expanded(value, inputs) for value in node]
    if isinstance(node, str):
        return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda hole: inputs[hole.group(1)], node)
    return node


def component() -> dict[str, Any]:
    """Give the jobs that the ten-line example asks for."""
    (included,) = yaml.safe_load((ROOT / "examples/ci/gitlab/.gitlab-ci.yml").read_text())["include"]
    known = HEADER["spec"]["inputs"]
    assert set(included["inputs"]) <= set(known)
    given = {name: included["inputs"].get(name, about.get("default")) for name, about in known.items()}
    assert None not in given.values(), "an input without a default was not given"
    found: dict[str, Any] = expanded(COMPONENT, given)
    return found


def stages() -> dict[str, str]:
    """Give the shell lines of each stage of the Jenkinsfile."""
    text = (ROOT / "examples/ci/jenkins/Jenkinsfile").read_text()
    assert text.count("{") == text.count("}") and "\\" not in text
    parts = re.split(r"stage\('(\w+)'\)", text)[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    lines = {name: re.findall(r"sh '''(.*?)'''|sh '([^'\n]+)'", part, re.DOTALL) for name, part in found.items()}
    assert all(len(shell) == 1 for shell in lines.values())
    return {name: textwrap.dedent(shell[0][0] or shell[0][1]) for name, shell in lines.items()}
