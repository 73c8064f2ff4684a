"""Bad usage exits 1 (never 2, which means "changes"), and every command explains itself."""

from __future__ import annotations

import pytest
from laboratory import Lab

from reconciler.cli.main import COMMANDS, main

BAD = (
    ("plam",),
    ("plan", "--no-such-option"),
    ("plan", "--format", "yml"),
    ("plan", "extra"),
    ("plan", "--out"),
    ("plan", "--target"),
    ("plan", "--target", "nonsense"),
    ("plan", "--target", "XAdsABTest/UPPER"),
    ("plan", "--allow-destroy=x"),
    ("plan", "--allow-destroy=0"),
    ("plan", "--allow-destroy=-1"),
    ("plan", "--as-of", "yesterday"),
    ("plan", "--max-wait", "-1"),
    ("apply",),
    ("apply", "one", "two"),
    ("apply", "--auto-approve", "--lock-timeout", "soon"),
    ("apply", "plan.json", "--target", "XAdsABTest/a"),
    ("drift", "--format", "pdf"),
    ("state",),
    ("state", "show"),
    ("state", "show", "nonsense"),
    ("state", "show", "XAdsABTest/nobody"),
    ("state", "rm", "XAdsABTest/nobody"),
    ("state", "mv", "XAdsABTest/a"),
    ("state", "mv", "XAdsABTest/a", "LinkedInExperiment/a"),
    ("emulator", "--port", "70000"),
    ("emulator", "clock", "soon"),
    ("emulator", "show", "facebook"),
    ("-C", "nowhere", "plan"),
    ("--env",),
)


@pytest.mark.parametrize("words", BAD, ids=" ".join)
def test_bad_usage_exits_1(lab: Lab, words: tuple[str, ...]) -> None:
    ran = lab.run(*words).must(1)
    assert ran.err.strip()
    assert lab.requests == []


def test_a_misspelt_command_is_answered_with_the_nearest(lab: Lab) -> None:
    assert "did you mean plan" in lab.run("plam").must(1).err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(lab: Lab, command: str) -> None:
    ran = lab.run(command, "--help").must(0)
    assert ran.out.startswith("Usage: reconciler") and command in ran.out and ran.err == ""


@pytest.mark.parametrize(
    "words", [("state", name) for name in ("list", "show", "rm", "mv", "unlock")], ids=lambda words: words[1]
)
def test_every_subcommand_has_help(lab: Lab, words: tuple[str, ...]) -> None:
    assert "Usage:" in lab.run(*words, "--help").must(0).out


def test_help_and_version(lab: Lab) -> None:
    out = lab.run("--help").must(0).out
    assert all(command in out for command in COMMANDS)
    assert lab.run("--version").must(0).out.startswith("reconciler 0.")


def test_no_words_at_all_give_the_help(lab: Lab) -> None:
    ran = lab.run()
    assert ran.code in (0, 1) and "Usage:" in ran.out + ran.err


def test_no_word_names_an_empty_project(lab: Lab) -> None:
    """A project without manifests and without a state: an error that says so, or an empty plan; never a crash."""
    ran = lab.run("plan")
    assert "Traceback" not in ran.err and ran.code in (0, 1)
    assert main(["state", "list"]) == 0
