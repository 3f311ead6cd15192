# Everything a newcomer or CI runs. `make` alone lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed
# Also where the environment forbids it: without compiled files each of a hundred processes would compile all sources.
export PYTHONDONTWRITEBYTECODE :=

# pip tells everything or nothing: this tells how far it is, a line for every twenty packages.
define PIP_PROGRESS
/^Collecting/ {if (++n % 20 == 0) print "  " n " packages found"}
/^Installing collected/ {print "  installing " n " packages"}
/^FAILED/ {exit 1}
{fflush()}
endef
export PIP_PROGRESS

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Returnflow needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Setting up .venv from requirements.lock (once; a minute or two) ..."
	@$(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian: python3-venv)" >&2; exit 2; }
	@{ $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --require-hashes --requirement requirements.lock \
		|| echo FAILED; } | awk "$$PIP_PROGRESS"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## the virtual environment, from the hashed lock file

demo: $(READY) ## a shop's day of returns through a real Kafka, against the sandbox
	@$(BIN)/returnflow demo

shell: $(READY) ## a shell that finds `returnflow`
	@echo "returnflow is on the PATH of this shell; exit leaves it"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $${SHELL:-/bin/sh}

up: $(READY) ## every process, supervised, in this terminal, with the sandbox
	@$(BIN)/returnflow up --sandbox

test: $(READY) ## the whole suite, on a real local Kafka and PostgreSQL
	@$(BIN)/pytest -q --numprocesses=2 --dist=loadgroup --no-loadscope-reorder --randomly-seed=1

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict, packages and tests
	@$(BIN)/mypy

arch: $(READY) ## import-linter: floors and purity
	@$(BIN)/lint-imports

check: lint types arch test ## all of the above

format: $(READY) ## rewrite the sources in the house format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(READY) ## speed, as ratios within one run
	@$(BIN)/python -m ops.bench

day: $(READY) ## whole days of returns against ReturnGO's limit of calls (an hour)
	@RETURNFLOW_DAY_SCALE=1 $(BIN)/pytest -q --durations=3 tests/unit/sources/test_returngo_day.py

proof: $(READY) ## random orders against every rounding rule, to the cent: make proof ARGS="--orders 500 --seed 7"
	@$(BIN)/python -m ops.proof $(ARGS)

golden: $(READY) ## record the golden conversations and decisions anew; review the diff
	@RETURNFLOW_GOLDEN=write $(BIN)/pytest -q tests/unit/systems tests/unit/domain/test_golden_decisions.py

mutants: $(READY) ## break the decisions in thousands of ways and list what no test notices (hours)
	@$(BIN)/python -c 'import mutmut' 2>/dev/null || { echo "Missing mutmut, which is not in the lock file: $(BIN)/python -m pip install mutmut==3.8.1, then again" >&2; exit 2; }
	@nice -n 10 $(BIN)/mutmut run --max-children 1
	@$(BIN)/mutmut results

lock: ## resolve pyproject.toml into requirements.lock with hashes (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.lock

clean: ## remove what the targets made here (caches outside the checkout stay)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var mutants build dist *.egg-info

.PHONY: help setup demo shell up test lint types arch check format bench day proof golden mutants lock clean
