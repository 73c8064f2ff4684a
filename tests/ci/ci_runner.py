"""
A runner of GitHub Actions for the tests: takes a workflow, and action.yml, as they are written, and runs their steps.

The `run` texts go to bash with the options of the real runner, in a fresh workspace, with the files of the runner
(GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STEP_SUMMARY) and the variables that it sets. The actions of others
that our files name are stood in for: checkout clones, artifacts are copied into a folder that the jobs of a run share.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ci_expressions import filled, holds

ROOT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
OURS = re.compile(r"\S+/reconciler@\S+")


class StepFailed(Exception):
    """A step ended with another exit code than 0."""


@dataclass
class JobRun:
    """What became of a job."""

    ok: bool = True
    log: str = ""
    summary: str = ""
    skipped: bool = False
    outputs: dict[str, str] = field(default_factory=dict)
    """Those that the job declares."""
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)


@dataclass
class Runner:
    """One repository on one forge; `variables` are those of the machine, `secrets` those of the repository."""

    remote: Path
    work: Path
    variables: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict)
    vars: dict[str, str] = field(default_factory=dict)
    api: str = ""
    repository: str = "acme/ads"
    runs: int = 0
    artifacts: dict[str, Path] = field(default_factory=dict)
    """Those of the run that is under way."""

    def run(
        self,
        workflow: Mapping[str, Any],
        event: str,
        payload: Mapping[str, Any],
        ref: str,
        sha: str,
        *,
        fork: bool = False,
    ) -> dict[str, JobRun]:
        """Run a whole workflow, job after job; a run of a fork sees no secrets."""
        self.artifacts = {}
        done: dict[str, JobRun] = {}
        for name in workflow["jobs"]:
            done[name] = self.job(workflow, name, event, payload, ref, sha, done, fork=fork)
        return done

    def job(
        self,
        workflow: Mapping[str, Any],
        name: str,
        event: str,
        payload: Mapping[str, Any],
        ref: str,
        sha: str,
        done: Mapping[str, JobRun] | None = None,
        *,
        fork: bool = False,
    ) -> JobRun:
        """Run one job on a fresh machine."""
        self.runs += 1
        machine = self.work / f"machine-{self.runs}"
        job = workflow["jobs"][name]
        run, done = JobRun(), done or {}
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        github = {
            "event_name": event,
            "event": dict(payload),
            "repository": self.repository,
            "ref_name": ref.rpartition("/")[2],
            "ref": ref,
            "sha": sha,
            "actor": payload.get("sender", {}).get("login", "anna"),
            "token": self.secrets.get("GITHUB_TOKEN", ""),
            "server_url": "https://github.example",
            "workspace": str(machine / "work"),
            "run_id": str(self.runs),
        }
        contexts: dict[str, Any] = {
            "github": github,
            "secrets": {} if fork else self.secrets,
            "vars": self.vars,
            "runner": {"os": "Linux", "arch": "X64", "temp": str(machine / "temp")},
            "job": {"status": "success"},
            "steps": {},
            "env": {},
            "needs": {need: {"result": _result(done[need]), "outputs": done[need].outputs} for need in needs},
        }
        blocked = any(not done[need].ok or done[need].skipped for need in needs)
        if blocked or not holds(job.get("if"), contexts):
            run.skipped = True
            return run
        for folder in ("work", "temp", "home"):
            (machine / folder).mkdir(parents=True)
        (machine / "event.json").write_text(json.dumps(payload))
        variables = {
            **self.variables,
            "HOME": str(machine / "home"),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(machine / "event.json"),
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_API_URL": f"{self.api}/api/v3",
            "GITHUB_GRAPHQL_URL": f"{self.api}/api/graphql",
            "GITHUB_SERVER_URL": github["server_url"],
            "GITHUB_RUN_ID": github["run_id"],
            "GITHUB_SHA": sha,
            "GITHUB_REF": ref,
            "GITHUB_REF_NAME": github["ref_name"],
            "GITHUB_WORKSPACE": github["workspace"],
            "RUNNER_TEMP": str(machine / "temp"),
        }
        environment = {key: filled(str(value), contexts) for key, value in workflow.get("env", {}).items()}
        environment |= {key: filled(str(value), contexts) for key, value in job.get("env", {}).items()}
        _Steps(self, machine, contexts, variables | environment, run).all(job["steps"])
        run.outputs = {key: filled(text, contexts) for key, text in job.get("outputs", {}).items()}
        run.ok = contexts["job"]["status"] == "success"
        return run


class _Steps:
    """The steps of a job, or of our action inside one."""

    def __init__(
        self, runner: Runner, machine: Path, contexts: dict[str, Any], variables: dict[str, str], run: JobRun
    ) -> None:
        self.runner, self.machine, self.contexts, self.variables, self.run = runner, machine, contexts, variables, run
        self.paths: list[str] = []

    def all(self, steps: list[dict[str, Any]]) -> None:
        for number, step in enumerate(steps):
            if not holds(step.get("if"), self.contexts):
                continue
            name = str(step.get("name") or step.get("id") or step.get("uses") or f"step {number}")
            self.run.ran.append(name)
            outputs: dict[str, str] = {}
            try:
                outputs = self._one(step)
            except StepFailed as failed:
                outputs = failed.args[1] if len(failed.args) > 1 else {}
                if not step.get("continue-on-error"):
                    self.contexts["job"]["status"] = "failure"
                self.run.log += f"(failed: {name}: {failed.args[0]})\n"
            if "id" in step:
                self.contexts["steps"][step["id"]] = {"outputs": outputs}
                self.run.steps[step["id"]] = outputs

    def _one(self, step: dict[str, Any]) -> dict[str, str]:
        own = {key: filled(str(value), self.contexts) for key, value in step.get("env", {}).items()}
        if "run" in step:
            return self._bash(step, {**self.variables, **own})
        given = {key: filled(_text(value), self.contexts) for key, value in step.get("with", {}).items()}
        uses = step["uses"]
        if OURS.fullmatch(uses):
            return self._ours(given, {**self.variables, **own})
        name, _, version = uses.partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), f"{uses} is not pinned to a commit"
        return self._theirs(name, given)

    def _ours(self, given: dict[str, str], variables: dict[str, str]) -> dict[str, str]:
        assert set(given) <= set(ACTION["inputs"]), "inputs that the action has not"
        contexts = dict(self.contexts)
        contexts["github"] = {**self.contexts["github"], "action_path": str(ROOT)}
        contexts["steps"] = {}
        contexts["inputs"] = {
            key: given.get(key, filled(_text(about.get("default", "")), contexts))
            for key, about in ACTION["inputs"].items()
        }
        del contexts["secrets"]  # a composite action sees none
        inner = _Steps(self.runner, self.machine, contexts, variables, self.run)
        inner.all(ACTION["runs"]["steps"])
        self.paths += inner.paths
        outputs = {key: filled(about["value"], contexts) for key, about in ACTION["outputs"].items()}
        if contexts["job"]["status"] == "failure":
            raise StepFailed("a step of the action", outputs)
        return outputs

    def _bash(self, step: dict[str, Any], variables: dict[str, str]) -> dict[str, str]:
        text = filled(step["run"], self.contexts)
        files = {name: self.machine / "temp" / f"_{name}" for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        script = self.machine / "temp" / "_step.sh"
        script.write_text(text)
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else ["-e"]
        folder = filled(step.get("working-directory", "."), self.contexts)
        ended = subprocess.run(
            ["bash", *options, str(script)],
            cwd=self.machine / "work" / folder,
            env={
                **variables,
                "PATH": os.pathsep.join([*reversed(self.paths), variables["PATH"]]),
                **{f"GITHUB_{name}": str(path) for name, path in files.items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
        )
        self.run.log += ended.stdout
        self.run.summary += files["STEP_SUMMARY"].read_text()
        self.paths += files["PATH"].read_text().split()
        assert not files["ENV"].read_text(), "nothing of ours writes GITHUB_ENV"
        outputs = dict(line.split("=", 1) for line in files["OUTPUT"].read_text().splitlines())
        if ended.returncode:
            raise StepFailed(f"exit code {ended.returncode}", outputs)
        return outputs

    def _theirs(self, name: str, given: Mapping[str, str]) -> dict[str, str]:
        artifacts = self.runner.artifacts
        match name:
            case "actions/checkout":
                assert set(given) <= {"ref", "fetch-depth", "persist-credentials"}
                ref = given.get("ref") or self.contexts["github"]["ref"]
                folder = self.machine / "work"
                for words in (
                    ["init", "-q", "."],
                    ["remote", "add", "origin", f"file://{self.runner.remote}"],
                    ["fetch", "-q", "--depth=1", "origin", ref],
                    ["checkout", "-q", "--detach", "FETCH_HEAD"],
                ):
                    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
                return {}
            case "actions/setup-python":
                assert set(given) == {"python-version"}
                return {"python-version": "3.13.1"}
            case "actions/cache":
                assert set(given) == {"path", "key"} and not given["key"].endswith("-")
                return {}
            case "actions/upload-artifact":
                assert set(given) <= {"name", "path", "retention-days", "overwrite", "if-no-files-found"}
                kept = self.runner.work / f"artifact-{self.runner.runs}-{given['name']}"
                source = Path(given["path"])
                if source.is_dir():
                    shutil.copytree(source, kept)
                else:
                    kept.mkdir()
                    shutil.copy(source, kept)
                artifacts[given["name"]] = kept
                return {}
            case "actions/download-artifact":
                if given["name"] not in artifacts:
                    raise StepFailed(f"no artifact {given['name']}")
                shutil.copytree(artifacts[given["name"]], self.machine / "work" / given["path"])
                return {}
        raise AssertionError(f"{name} is not stood in for")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _result(run: JobRun) -> str:
    return "skipped" if run.skipped else "success" if run.ok else "failure"
