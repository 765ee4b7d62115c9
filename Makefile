# FleetFlow's commands; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test faults mutants chaos acceptance lint fmt bench pictures lock clean setup setup-dev
PYTHON := .venv/bin/python

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

run: setup ## Run everything on this machine: Postgres, API, workers, dashboard. Ctrl-C stops it.
	@$(PYTHON) -m fleetflow up

test: setup-dev ## Check the code and run all tests, against real services (ARGS="-k word" chooses tests).
	@scripts/install-services
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@scripts/test $(ARGS)

faults: setup-dev ## Run the tests that kill, freeze or cut off processes, and all that `make test` has no time for.
	@scripts/install-services
	@$(PYTHON) -m pytest -m "faults or long" $(ARGS)

mutants: setup-dev ## Switch off each guard in a copy of the source; the test that watches it must turn red (ARGS="queue").
	@scripts/install-services
	@$(PYTHON) -m tests.faults.mutants $(ARGS)

chaos: setup-dev ## Kill, freeze and restart everything at random under load; nothing may be lost (ARGS="--seconds 600").
	@scripts/install-services
	@$(PYTHON) -m tests.faults.chaos $(ARGS)

acceptance: setup-dev ## Measure or try every figure that is promised, one after the other (ARGS="--seconds 600 load").
	@scripts/install-services
	@$(PYTHON) -m tests.faults.acceptance $(ARGS)

lint: setup-dev ## Check style and types.
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy

fmt: setup-dev ## Format the code and fix what can be fixed.
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

bench: setup-dev ## Measure speed as ratios to a floor of the same run; the table goes to benchmarks/results/.
	@scripts/install-services
	@$(PYTHON) -m benchmarks $(ARGS)

pictures: setup-dev ## Draw every page of the dashboard over the demo fleet, into docs/pictures/.
	@scripts/install-services
	@$(PYTHON) -m tests.support.pictures

lock: ## Pin the requirements anew, from pyproject.toml.
	@scripts/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		pyproject.toml -o requirements.txt
	@scripts/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		-c requirements.txt --extra dev pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and all caches; the data in .data stay.
	rm -rf .venv .tools .ruff_cache .mypy_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@scripts/setup

setup-dev:
	@scripts/setup dev
