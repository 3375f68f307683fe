# Everything a newcomer runs. `make demo` and `make test` set up all they need, from a lock file.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TOOLS  := $(VENV)/.ready-dev
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Most tests wait for time-outs of brokers and groups. Each worker starts servers of its own; a file's tests stay together,
# and files come in the order of tests/conftest.py.
PARALLEL ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder

# The peers of the benchmarks: their newest releases do not all fit into one environment.
PEERS   := .venv-bench-peers/.ready .venv-bench-arroyo/.ready
TRACING := .venv-bench-tracing/.ready

.PHONY: help install tools demo test test-browser pictures test-monitoring test-tools check docs unit integration e2e faults-short faults faults-unprotected soak mutants fuzz contracts reference sbom audit-dependencies bench bench-large lock format clean

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## make .venv from requirements.lock: all that runs

tools: $(TOOLS) ## the same, and what tests and checks need, from requirements-dev.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Runledger needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@echo "Installing into $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): requirements-dev.lock $(READY)
	@echo "Installing the tools for tests and checks ..."
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@

demo: install ## start a real Kafka and Postgres, replay 40 real agent runs, verify, print, stop
	@exec $(BIN)/runledger demo

test: check docs unit integration e2e faults-short ## everything below

check: tools ## format, lint, types, import layers, the topics' contracts, the reference
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -p runledger
	$(BIN)/mypy tests
	$(BIN)/mypy -p benchmarks
	$(BIN)/mypy -p reference
	$(BIN)/mypy examples/python
	$(BIN)/lint-imports
	$(BIN)/python -m runledger.contracts check
	$(BIN)/python -m reference check

docs: tools ## the documentation as a site, in build/docs; a warning, such as a broken link, is an error
	$(BIN)/sphinx-build -W -n --keep-going -q -E -a -d build/doctrees docs build/docs
	@echo "build/docs/index.html is written"

unit: tools ## tests that need no server
	$(BIN)/pytest $(PARALLEL) tests/unit tests/contract

integration: tools ## tests on the real broker and the real database
	$(BIN)/python -m tests.steady $(PARALLEL) tests/integration

e2e: tools ## tests of the whole pipeline, killed at random
	$(BIN)/pytest $(PARALLEL) tests/e2e

faults-short: tools ## the quicker ones of the faults that Runledger survives
	$(BIN)/pytest $(PARALLEL) -m "faults and not slow" tests/faults

test-browser: tools ## the dashboard in a real browser (chromium, or RUNLEDGER_CHROMIUM); screenshots in build/screenshots; not in test
	$(BIN)/python -m tests.steady tests/browser

test-monitoring: tools ## each alert comes to fire, in a real Prometheus (on the PATH, or RUNLEDGER_PROMETHEUS); not in test
	$(BIN)/python -m tests.steady tests/monitoring

pictures: tools ## renew the documentation's pictures of the dashboard (docs/images) from a stack of its own; needs chromium
	$(BIN)/python -m tests.browser.pictures

NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --prefix
test-tools: tools ## what needs Node 20.11 or newer: the subscriber in TypeScript, AsyncAPI's official schema; not in test
	$(NPM_CI) examples/typescript
	$(NPM_CI) tests/tools
	$(BIN)/pytest tests/tools

faults: tools ## all 31 faults, on real servers; writes docs/reliability.md (RUNLEDGER_FAULTS_SEED chooses the seed)
	rm -f build/faults.jsonl
	RUNLEDGER_FAULTS_REPORT=$(CURDIR)/build/faults.jsonl $(BIN)/pytest $(PARALLEL) -m "faults and not unprotected" tests/faults
	$(BIN)/python -m tests.faults $(wildcard build/unprotected.jsonl build/soak.jsonl) build/faults.jsonl

faults-unprotected: tools ## switch each protection off, and see that its faults do harm
	rm -f build/unprotected.jsonl
	RUNLEDGER_FAULTS_REPORT=$(CURDIR)/build/unprotected.jsonl $(BIN)/pytest $(PARALLEL) -m unprotected tests/faults

soak: tools ## half an hour of faults at random at 1,000 events a second; draws docs/soak-memory.svg
	rm -f build/soak.jsonl
	RUNLEDGER_SOAK_SECONDS=1800 RUNLEDGER_SOAK_RATE=1060 RUNLEDGER_SOAK_MEMORY=$(CURDIR)/build/soak-memory.json \
	  RUNLEDGER_FAULTS_REPORT=$(CURDIR)/build/soak.jsonl $(BIN)/pytest -m soak tests/faults
	$(BIN)/python -m tests.faults --graph build/soak-memory.json

mutants: tools ## break the reducers on purpose, one defect at a time: do the unit tests notice? (minutes; not in test)
	$(BIN)/python -m tests.mutants

fuzz: tools ## throw hostile input at every reader and listener, FUZZ_SECONDS (120) each; names in FUZZ (all)
	$(BIN)/python -m tests.fuzz $(FUZZ)

reference: tools ## write the pages of docs/reference that the code makes (tables.md: python -m reference tables, beside a database)
	$(BIN)/python -m reference write

contracts: tools ## write the topics' contracts as the code has them: contracts/topics, contracts/asyncapi.json
	$(BIN)/python -m runledger.contracts write

SBOM ?= sbom.cdx.json
sbom: tools ## write the parts of requirements.lock as CycloneDX JSON, the same bytes for the same lock file
	@$(BIN)/python -W ignore::UserWarning -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application \
	  --spec-version 1.6 --output-format JSON --output-reproducible --validate --output-file $(SBOM) requirements.lock
	@echo "$(SBOM) is written"

audit-dependencies: tools ## which locked packages have known flaws? (asks the network; not in test)
	@$(BIN)/python -m tests.audit_dependencies

bench: install $(PEERS) ## measure our parts beside their peers; writes benchmarks/results.json, docs/benchmarks.md
	$(BIN)/python -m benchmarks

bench-large: install $(PEERS) $(TRACING) ## recovery, ten million rows, tracing back ends, growth
	$(BIN)/python -m benchmarks --large

.venv-bench%/.ready:
	@echo "Installing the peers into $(@D) ..."
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --requirement $(filter %.lock,$^)
	@touch $@

.venv-bench-peers/.ready: benchmarks/requirements/peers.lock
.venv-bench-arroyo/.ready: benchmarks/requirements/arroyo.lock
.venv-bench-tracing/.ready: benchmarks/requirements/tracing.lock

LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate
lock: ## renew both lock files (needs uv); what runs has the same versions in each
	$(LOCK) --extra dev pyproject.toml --output-file requirements-dev.lock
	$(LOCK) --extra checkout --extra stack --constraint requirements-dev.lock pyproject.toml --output-file requirements.lock

format: tools ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-bench-* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
