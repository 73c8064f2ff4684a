# `make demo` and `make test` need Python 3.11 or newer, make, and pip's way to the package index; nothing else.

ifeq ($(origin PYTHON), undefined)
# The first of these that is new enough.
PYTHON := $(shell for each in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
endif

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PYTEST_ARGS ?=
# Further tests that leave records for docs/reliability.md, such as long runs.
DEEP ?=
# What `make fuzz` runs, and how long each.
TARGETS ?=
SECONDS ?= 60
# How many changes `make mutation` tries.
SAMPLE ?= 240
# How many experiments `make bench` measures with, and how often.
COUNTS ?= 100 1000 10000
RUNS ?= 5

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format types audit lock schemas golden reliability fuzz mutation bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/runtime.stamp ## watch experiments on three emulated platforms, from a manifest to drift and back
	@RECONCILER=$(abspath $(BIN))/reconciler bash examples/demo.sh

test: $(VENV)/dev.stamp ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

coverage: $(VENV)/dev.stamp ## run all tests, and tell which branches none of them takes
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

lint: $(VENV)/dev.stamp ## check style, layout and which way imports point
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## lay out the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/dev.stamp ## check the types, strictly
	$(BIN)/mypy

audit: $(VENV)/dev.stamp ## look for patterns that are known to be unsafe
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml reconciler

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: $(VENV)/dev.stamp ## choose versions of all dependencies anew, and keep them with their hashes in requirements/
	$(LOCK) pyproject.toml requirements/build.in --extra dev --upgrade --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --constraint requirements/dev.txt --upgrade --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --extra object-store --extra otel --extra policy --constraint requirements/dev.txt --upgrade \
		--output-file requirements/all.txt
	$(LOCK) requirements/build.in --constraint requirements/dev.txt --upgrade --output-file requirements/build.txt

schemas: $(VENV)/dev.stamp ## make schemas/ anew
	$(BIN)/reconciler schema --out schemas

golden: $(VENV)/dev.stamp ## write the expected texts of reports and README anew; read the difference before you commit it
	$(BIN)/python -m pytest tests/report --renew
	RENEW_README=1 $(BIN)/python -m pytest tests/test_readme.py

reliability: $(VENV)/dev.stamp ## try every fault, record what came of it, and write docs/reliability.md and docs/faults.md
	@rm -rf $(VENV)/reliability && mkdir -p $(VENV)/reliability
	RELIABILITY_DIR=$(abspath $(VENV)/reliability) $(BIN)/python -m pytest -n 2 tests/conformance/test_fault_table.py $(DEEP)
	$(BIN)/python tests/reliability/page.py collect $(VENV)/reliability
	$(BIN)/python tests/reliability/page.py write

fuzz: $(VENV)/fuzz.stamp ## fuzz every reader of outside text (SECONDS=60 each, TARGETS="plan state"), and record it
	@rm -f $(VENV)/fuzz/fuzz.jsonl && mkdir -p $(VENV)/fuzz
	$(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS) --corpus $(VENV)/fuzz --record $(VENV)/fuzz/fuzz.jsonl $(TARGETS)
	$(BIN)/python tests/reliability/page.py collect $(VENV)/fuzz
	$(BIN)/python tests/reliability/page.py write

mutation: $(VENV)/mutation.stamp ## change planning and the rule tables on purpose (SAMPLE=240), and record what tests notice
	$(BIN)/python tests/mutation/mutation.py --sample $(SAMPLE) --record $(VENV)/mutation
	$(BIN)/python tests/reliability/page.py collect $(VENV)/mutation
	$(BIN)/python tests/reliability/page.py write

bench: $(VENV)/bench.stamp ## measure against floors and a peer (COUNTS="100 1000 10000", RUNS=5), and write docs/performance.md
	cd benchmarks && ../$(BIN)/python run.py $(COUNTS) --runs $(RUNS)

clean: ## remove what can be made again
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment: made once, and again when pyproject.toml changes -------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer was found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# Every file that is installed is one whose hash is in requirements/, which is complete: nothing is resolved again. (pip
# 23.2, which Python 3.11 brings, takes `coverage[toml]>=7` for the newest coverage there is, pinned or not, and refuses.)
# The project itself is built by what is there.
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --editable .

$(VENV)/runtime.stamp: pyproject.toml requirements/runtime.txt requirements/build.txt | $(BIN)/python
	@echo "installing reconciler into $(VENV)"
	@$(PIP) install --no-deps --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(INSTALL_SELF)
	@touch $@

$(VENV)/dev.stamp: pyproject.toml requirements/dev.txt | $(BIN)/python
	@echo "installing reconciler and the tools of development into $(VENV)"
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@$(INSTALL_SELF)
	@touch $@ $(VENV)/runtime.stamp

$(VENV)/mutation.stamp: $(VENV)/dev.stamp
	@echo "installing mutmut into $(VENV)"
	@$(PIP) install --no-build-isolation --editable '.[mutation]'
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	@echo "installing octoDNS, which is measured beside us, into $(VENV)"
	@$(PIP) install --no-build-isolation --editable '.[bench]'
	@touch $@

$(VENV)/fuzz.stamp: $(VENV)/dev.stamp
	@echo "installing the fuzzer into $(VENV)"
	@$(PIP) install --no-build-isolation --editable '.[fuzz]'
	@touch $@
