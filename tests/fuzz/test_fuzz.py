"""The fuzz targets over what fuzzing starts from and what it has found, without atheris; then the tools themselves."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from mutators import ODD, changed, mutator
from seeds import CORPUS, seeds
from targets import TARGETS

HERE = Path(__file__).parent
ROUNDS = 30
"""Changes made to each input, one on top of the other."""


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds_its_corpus_and_changes_of_them(name: str) -> None:
    draw = random.Random(7)
    for data in seeds(name):
        TARGETS[name](data)
        for _ in range(ROUNDS):
            data = mutator(name)(data, 8192, draw.randrange(2**32)) or data
            TARGETS[name](data)


def test_every_file_of_the_corpus_belongs_to_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= TARGETS.keys()


def test_changes_keep_json_and_leave_the_odd_values_alone() -> None:
    """One put into itself once made the fuzzer, and not the product, run out of memory."""
    before = json.dumps(ODD)
    draw = random.Random(3)
    value = [[[]], {"id": 1}]
    for _ in range(5_000):
        value = changed(value, draw)
        value = value if len(json.dumps(value)) < 2_000 else [[[]], {"id": 1}]
    assert json.dumps(ODD) == before


def test_a_guided_run_counts_what_it_did_and_keeps_what_it_found(tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    record = tmp_path / "fuzz.jsonl"
    words = [sys.executable, str(HERE / "fuzz.py"), "--seconds", "1", "--corpus", str(tmp_path / "corpus")]
    ran = subprocess.run([*words, "--record", str(record), "journal"], capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    fact = json.loads(record.read_text("utf-8"))
    assert fact["target"] == "journal" and fact["executions"] > 0 and fact["edges"] > 0 and fact["findings"] == 0
    assert list((tmp_path / "corpus" / "journal").iterdir()), "seeds and what was found on the way"


def test_a_target_that_there_is_not_is_told() -> None:
    ran = subprocess.run([sys.executable, str(HERE / "fuzz.py"), "nothing"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2 and "no target is called nothing; there are manifest, expression," in ran.stderr
