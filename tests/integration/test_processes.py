"""The command as a process of its own: killed, interrupted, without a terminal, into pipes, in odd surroundings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab
from running import COMMAND, alive, environment, future, run, slow, start, until

# --- killed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [pytest.param(case, id=case.kind) for case in CASES])
def test_kill_9_in_the_middle_then_apply_again(lab: Lab, case: Case) -> None:
    """Killed while the platform works on a create: the next apply finds what came of it, and makes nothing twice."""
    keys = [lab.manifest(case.kind, future(case, number), name=f"e{number}") for number in range(3)]
    lab.faults(slow(case, delay=0.6, times=3, after=1))
    process = start(lab, "apply", "--auto-approve")
    until(lambda: len([one for one in lab.writes if one.method == "POST"]) >= 2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    code, out, err = run(lab, "apply", "--auto-approve")
    assert code == 0, out + err
    assert len(alive(lab, case)) == 3
    listed = json.loads(run(lab, "state", "list", "--format", "json")[1])
    assert sorted(record["remoteId"] for record in listed.values()) == sorted(str(r["id"]) for r in alive(lab, case))
    assert set(listed) == set(keys)
    code, out, _ = run(lab, "plan", "--format", "json")
    assert code == 0 and json.loads(out)["changes"] == []


def test_a_lock_held_by_a_living_process(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, future(X_ADS))
    lab.faults(slow(X_ADS, delay=2.0))
    first = start(lab, "apply", "--auto-approve")
    until(lambda: lab.writes)
    began = time.monotonic()
    code, _, err = run(lab, "apply", "--auto-approve")
    assert code == 1 and f"pid {first.pid}" in err and "locked" in err
    assert time.monotonic() - began < 2.0, "it fails at once"
    assert run(lab, "state", "unlock")[0] == 1
    assert run(lab, "plan")[0] == 0, "a plan takes no lock"
    code, out, err = run(lab, "apply", "--auto-approve", "--lock-timeout", "20")
    assert code == 0, out + err
    first.communicate(timeout=20)
    assert first.returncode == 0
    assert len(lab.writes) == 1


# --- interrupted -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_the_call_in_flight(lab: Lab, number: signal.Signals) -> None:
    """What was under way is finished and recorded, the rest is listed as not tried, the next apply goes on."""
    for index in range(8):
        lab.manifest(SALESFORCE.kind, future(SALESFORCE, index), name=f"e{index}")
    lab.faults(slow(SALESFORCE, delay=1.0, times=100))
    process = start(lab, "apply", "--auto-approve")
    until(lambda: lab.writes)
    time.sleep(0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in err
    assert "stopping" in err
    made = alive(lab, SALESFORCE)
    assert 0 < len(made) < 8
    assert "not tried" in (out + err).lower()
    lab.faults()
    listed = json.loads(run(lab, "state", "list", "--format", "json")[1])
    assert sorted(r["remoteId"] for r in listed.values() if r.get("remoteId")) == sorted(r["id"] for r in made)
    code, out, err = run(lab, "apply", "--auto-approve")
    assert code == 0, out + err
    assert len(alive(lab, SALESFORCE)) == 8


def test_a_second_interrupt_breaks_off(lab: Lab) -> None:
    lab.manifest(LINKEDIN.kind, future(LINKEDIN))
    lab.faults(slow(LINKEDIN, delay=15.0))
    process = start(lab, "apply", "--auto-approve")
    until(lambda: lab.writes)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1 and "Traceback" not in err and "interrupted" in err


# --- terminals and pipes ---------------------------------------------------------------------------------------------


def test_without_a_terminal_apply_wants_approval(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, future(X_ADS))
    code, out, err = run(lab, "apply")
    assert code == 1 and "--auto-approve" in err and out == ""
    assert lab.requests == []
    code, out, err = run(lab, "apply", "--auto-approve")
    assert code == 0 and "\x1b" not in out + err
    assert len(lab.writes) == 1


def test_a_reader_that_goes_away(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, future(X_ADS))
    command = " ".join(COMMAND) + " schema | head -c 10; exit ${PIPESTATUS[0]}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=lab.dir, env=environment(lab), capture_output=True, text=True, timeout=30
    )
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
    assert len(done.stdout) == 10


@pytest.mark.parametrize("form", ["text", "json"])
def test_letters_that_the_terminal_does_not_have(lab: Lab, form: str) -> None:
    """Nothing fails for a letter: where the stream is ASCII, click writes UTF-8 all the same."""
    lab.manifest(SALESFORCE.kind, {**future(SALESFORCE), "label": "Größe – 100 %"})
    code, out, _ = run(
        lab, "plan", "--format", form, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert code == 0 and "Größe – 100 %" in out


@pytest.mark.parametrize(("variables", "coloured"), [({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False), ({}, False)])
def test_colours(lab: Lab, variables: dict[str, str], coloured: bool) -> None:
    lab.manifest(SALESFORCE.kind, future(SALESFORCE))
    _, out, err = run(lab, "plan", **variables)
    assert ("\x1b[" in out + err) is coloured


def test_asked_at_a_terminal(lab: Lab) -> None:
    """At a terminal it asks; `n` sends nothing, `y` carries out."""
    import pty

    lab.manifest(X_ADS.kind, future(X_ADS))
    for answer, sent in ((b"n\n", 0), (b"y\n", 1)):
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "apply"],
            cwd=lab.dir,
            env=environment(lab, TERM="xterm"),
            stdin=child,
            stdout=child,
            stderr=child,
        )
        os.close(child)
        shown = b""
        try:
            while b"[y/N]" not in shown:
                shown += os.read(parent, 4096)
            os.write(parent, answer)
            while True:
                shown += os.read(parent, 4096)
        except OSError:  # the other end is closed: the command is done
            pass
        os.close(parent)
        assert process.wait(timeout=20) == (1 if sent == 0 else 0), shown.decode()
        assert b"Traceback" not in shown
        assert len(lab.writes) == sent


# --- exit codes, elsewhere -------------------------------------------------------------------------------------------


def test_exit_codes_of_the_process(lab: Lab) -> None:
    key = lab.manifest(LINKEDIN.kind, future(LINKEDIN))
    assert run(lab, "plan", "--detailed-exitcode")[0] == 2
    assert run(lab, "apply", "--auto-approve")[0] == 0
    assert run(lab, "drift")[0] == 0
    assert run(lab, "plan", "--no-such-option")[0] == 1
    record = json.loads(run(lab, "state", "show", key)[1])
    lab.by_hand("linkedin", record["remoteId"], name="by hand")
    assert run(lab, "drift")[0] == 2
    lab.manifest(LINKEDIN.kind, {**future(LINKEDIN), "account": "urn:li:sponsoredAccount:500000001"})
    assert run(lab, "plan")[0] == 3


def test_acting_in_another_folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    lab.manifest(X_ADS.kind, future(X_ADS))
    done = subprocess.run(
        [*COMMAND, "-C", str(lab.dir), "plan", "--out", "plan.json"],
        cwd=elsewhere,
        env=environment(lab),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert (lab.dir / "plan.json").exists() and list(Path(elsewhere).iterdir()) == []


def test_a_project_with_the_embedded_platforms(lab: Lab) -> None:
    """`--emulator` from an empty folder to drift and back, no account and no variable anywhere."""
    folder = lab.dir / "starter"

    def command(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [*COMMAND, "-C", str(folder), *words],
            env={"PATH": os.environ["PATH"], "HOME": str(lab.dir)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    assert subprocess.run([*COMMAND, "init", str(folder)], env=environment(lab), capture_output=True).returncode == 0
    sequence: Sequence[tuple[tuple[str, ...], int]] = (
        (("validate",), 0),
        (("plan", "--emulator", "--detailed-exitcode"), 2),
        (("apply", "--emulator", "--auto-approve"), 0),
        (("plan", "--emulator", "--detailed-exitcode"), 0),
        (("drift", "--emulator"), 0),
        (("emulator", "edit", "linkedin", "40001", "name=by hand"), 0),
        (("drift", "--emulator"), 2),
        (("apply", "--emulator", "--auto-approve"), 0),
        (("drift", "--emulator"), 0),
        (("emulator", "clock", "8d"), 0),
        (("drift", "--emulator"), 0),
        (("plan", "--emulator", "--detailed-exitcode"), 0),
        (("state", "list"), 0),
    )
    for words, code in sequence:
        got, text = command(*words)
        assert got == code, f"{' '.join(words)}: {got}\n{text}"
