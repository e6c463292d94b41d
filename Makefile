# Two commands matter: `make demo` and `make test`. Each does all of its own set-up; a second run skips what is done.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8080
SEED ?= 1
SPEED ?= 120
BIN := $(VENV)/bin
# Tests wait for servers and clocks about as much as they compute: one process more than there are cores.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 1) + 1)
# Debian names of the real servers that the system tests run against.
SERVERS := $(shell cat tests/system/debian-packages.txt)

.PHONY: help demo test check bench servers axe format clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: $(VENV)/.demo ## run a simulated district: make demo [PORT=8080] [SEED=1] [SPEED=120]
	@exec $(BIN)/vitals demo --port $(PORT) --seed $(SEED) --speed $(SPEED)

test: $(VENV)/.dev servers axe check ## everything that must hold: format, lint, types, imports, tests against real servers
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(VENV)/.dev
	@echo "== format and lint" && $(BIN)/ruff format --check . && $(BIN)/ruff check .
	@echo "== types" && $(BIN)/mypy
	@echo "== who may import whom" && $(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev servers ## every figure that the README quotes, as a table and as JSON
	@$(BIN)/python -m benchmarks

format: $(VENV)/.dev ## write the code as ruff wants it
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## remove what set-up and runs left behind (not the demo's data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info benchmarks/results

# The real servers come from Debian. Where they cannot be installed, their tests skip and the summary names the package.
servers:
	@missing=$$(for package in $(SERVERS); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "== installing for the system tests:" $$missing; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null \
	    || echo "== could not install" $$missing "- tests that need them will say so"; \
	else echo "== not installed, tests that need them will skip:" $$missing; fi

# What checks the pages' accessibility comes from npm, pinned with its digest in package-lock.json.
axe:
	@cd tests/system/axe && if [ node_modules/.package-lock.json -nt package-lock.json ]; then exit 0; fi; \
	if command -v npm >/dev/null; then \
	  echo "== installing axe-core for the accessibility tests"; \
	  npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json \
	    || echo "== could not install axe-core - the tests of accessibility will say so"; \
	else echo "== npm is not installed, the tests of accessibility will skip"; fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Vitals needs Python 3.11 or newer; '$(PYTHON)' is not. Name another one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; } \
	  || { echo "Python's venv module is missing; install it first: apt-get install python3-venv"; exit 1; }
	@echo "== virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "The virtual environment could not be written to '$(VENV)': is this folder read-only or the disk full?"; exit 1; }

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "== installing Vitals with its demo (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "== installing Vitals with its development tools (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.demo
