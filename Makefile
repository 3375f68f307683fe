# Everything a newcomer runs. `make demo` and `make test` set up all they need, from a lock file.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Most tests wait for time-outs of brokers and groups. Each worker starts servers of its own; a file's tests stay together.
PARALLEL ?= --numprocesses 3 --dist loadfile

.PHONY: help install demo test check unit integration e2e lock format clean

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## make .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Runledger needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@echo "Installing into $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## start a real Kafka and Postgres, replay 40 real agent runs, verify, print, stop
	@exec $(BIN)/runledger demo

test: check unit integration e2e ## everything below

check: install ## format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -p runledger
	$(BIN)/mypy tests
	$(BIN)/lint-imports

unit: install ## tests that need no server
	$(BIN)/pytest $(PARALLEL) tests/unit tests/contract

integration: install ## tests on the real broker and the real database
	$(BIN)/pytest $(PARALLEL) tests/integration

e2e: install ## tests of the whole pipeline, killed at random
	$(BIN)/pytest $(PARALLEL) tests/e2e

lock: install ## renew requirements.lock (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --extra dev pyproject.toml --output-file requirements.lock

format: install ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what the targets above made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
