"""
Coverage-guided fuzzing with atheris, which is the extra `fuzz` (it has wheels for Linux only).

    python tests/fuzz/fuzz.py --seconds 60 --corpus FOLDER --record FILE [TARGET ...]

Runs the targets one after the other, each in a process of its own, and leaves what was done as a line of FILE for
`docs/reliability.md`. An input that a target does not take (an exception, more than 20 seconds or 2 GiB) stays in
`FOLDER/TARGET.findings/`; the exit code is then 1. Put it into `tests/fuzz/corpus/TARGET/` once it is repaired: the
usual tests try everything in there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "plan"), str(HERE.parents[1])]

_LONGEST = {"plan": 32_768}
_LIMITS = ("-timeout=20", "-rss_limit_mb=2048")


def fuzz(target: str, corpus: Path, options: list[str]) -> None:
    """Run one target in this process until libFuzzer is done; does not come back."""
    import atheris

    with atheris.instrument_imports(include=["reconciler"]):
        import targets
    import mutators
    import seeds

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        """Change the data as what it is three times out of four, else byte by byte."""
        found = mutators.mutator(target)(bytes(data), limit, seed) if seed % 4 else None
        return bytes(atheris.Mutate(data, limit)) if found is None else found

    findings = corpus.with_name(f"{corpus.name}.findings")
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for data in seeds.seeds(target):
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    longest = _LONGEST.get(target, 8192)
    told = [f"-artifact_prefix={findings}/", f"-max_len={longest}", "-print_final_stats=1", *_LIMITS]
    atheris.Setup([sys.argv[0], *told, *options, str(corpus)], targets.TARGETS[target], custom_mutator=mutate)
    atheris.Fuzz()


def record(target: str, commit: str, corpus: Path, seconds: int, seed: int) -> dict[str, str | int]:
    """Run one target in a process of its own; give what came of it, as a fact for the page."""
    findings = corpus.with_name(f"{corpus.name}.findings")
    before = set(findings.glob("*"))
    words = [sys.executable, __file__, "--one", "--corpus", str(corpus), "--", target]
    began = time.monotonic()
    ran = subprocess.run(
        [*words, f"-max_total_time={seconds}", f"-seed={seed}"], capture_output=True, text=True, errors="replace"
    )
    took = round(time.monotonic() - began)
    found = len(set(findings.glob("*")) - before)
    (corpus.with_name(f"{corpus.name}.log")).write_text(ran.stderr)
    if ran.returncode and not found:
        sys.exit(f"{target} did not run: {ran.stderr[-2000:]}")
    executions = re.search(r"stat::number_of_executed_units:\s+(\d+)", ran.stderr) or re.search(
        r"#(\d+)\s[^#]*\Z", ran.stderr
    )
    edges = [int(number) for number in re.findall(r"\bcov: (\d+)", ran.stderr)]
    peak = re.search(r"stat::peak_rss_mb:\s+(\d+)", ran.stderr)
    return {
        "target": target,
        "commit": commit,
        "executions": int(executions[1]) if executions else 0,
        "edges": max(edges, default=0),
        "inputs kept": len(list(corpus.glob("*"))),
        "seconds": took,
        "peak MiB": int(peak[1]) if peak else 0,
        "findings": found,
    }


def main() -> int:
    """Run the targets that are named, by default all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=Path(".venv/fuzz"), help="where inputs are gathered")
    parser.add_argument("--record", type=Path, help="a file to which a line of JSON a target is added")
    parser.add_argument(
        "--one", action="store_true", help="in this process; what follows TARGET after -- goes to libFuzzer"
    )
    chosen = parser.parse_args()
    if chosen.one:
        fuzz(chosen.targets[0], chosen.corpus, chosen.targets[1:])
    from targets import TARGETS

    unknown = set(chosen.targets) - TARGETS.keys()
    if unknown:
        parser.error(f"no target is called {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    words = ["git", "-C", str(HERE), "describe", "--always", "--abbrev=12", "--dirty"]
    commit = subprocess.run(words, capture_output=True, text=True).stdout.strip() or "not in git"
    bad = 0
    for target in chosen.targets or TARGETS:
        fact = record(target, commit, chosen.corpus / target, chosen.seconds, chosen.seed)
        sys.stdout.write(json.dumps(fact) + "\n")
        sys.stdout.flush()
        bad += int(fact["findings"])
        if chosen.record:
            with chosen.record.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(fact) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
