# Everything a person or a CI job does with this repository. `make` alone lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
LOCK_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-find-links --no-emit-index-url

# A file of stamps says what is installed, so that a second `make` does nothing.
STAMPS := $(VENV)/stamps
BOOTSTRAPPED := $(STAMPS)/bootstrap
INSTALLED := $(STAMPS)/runtime
INSTALLED_DEV := $(STAMPS)/dev

# Read by scripts: PYTHON names the interpreter of the environment, ASK is a question for the demo, taken as it stands.
override ASK := $(value ASK)
export PYTHON ASK

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# --- set-up ----------------------------------------------------------------------------------------------------------

.PHONY: setup setup-dev
setup: $(INSTALLED) ## Make .venv and install what Lorekeeper needs to run
setup-dev: $(INSTALLED_DEV) ## The same, with everything for development

$(BIN)/python:
	@scripts/make_venv.sh $(VENV)

$(BOOTSTRAPPED): requirements-bootstrap.lock | $(BIN)/python
	@mkdir -p $(STAMPS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@touch $@

$(INSTALLED): $(BOOTSTRAPPED) requirements.lock pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED_DEV): $(BOOTSTRAPPED) requirements-dev.lock pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@ $(INSTALLED)

# --- use -------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: setup ## Ask three questions of examples/quickstart; ASK="..." asks yours instead
	@$(BIN)/python -m scripts.demo

# --- checks ----------------------------------------------------------------------------------------------------------

.PHONY: test e2e lint types layers generated unit
test: setup-dev ## Lint, types, layers, generated files and the whole test suite with coverage
	@$(BIN)/python -m scripts.check

e2e: setup-dev ## What only a real Kubernetes can show: the CRDs and their rules; KUBECONFIG names the cluster
	@test -n "$(KUBECONFIG)" || { echo "KUBECONFIG is not set: name a cluster that the tests may write to" >&2; exit 1; }
	@$(BIN)/python -m pytest -q -m cluster tests/e2e

lint: setup-dev ## Format and lint rules (ruff)
	@$(BIN)/python -m scripts.check format lint

types: setup-dev ## Types (mypy --strict)
	@$(BIN)/python -m scripts.check types

layers: setup-dev ## Which package may import which (import-linter)
	@$(BIN)/python -m scripts.check layers

generated: setup-dev ## Whether the generated files are current
	@$(BIN)/python -m scripts.check generated

unit: setup-dev ## The unit tests alone, without coverage
	@$(BIN)/python -m pytest -q tests/unit

.PHONY: format generate lock bench clean
format: setup-dev ## Write files the way `make lint` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: setup-dev ## Write the generated files: the CRDs, the list of codes, docs/openapi.json
	$(BIN)/python -m lorekeeper_api.generate
	$(BIN)/python -m lorekeeper_runtime.query > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

lock: $(BOOTSTRAPPED) ## Resolve the dependencies again and write the lock files
	$(UV) pip compile $(LOCK_FLAGS) --all-extras pyproject.toml -o requirements.lock >/dev/null
	$(UV) pip compile $(LOCK_FLAGS) --all-extras --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock >/dev/null
	$(UV) pip compile $(LOCK_FLAGS) -c requirements-dev.lock requirements-bootstrap.in -o requirements-bootstrap.lock >/dev/null

bench: setup-dev ## Benchmarks against the libraries people use otherwise; ARGS=--quick for a short run
	$(BIN)/python -m bench $(ARGS)

clean: ## Remove everything that make made: environment, caches, the demo's data
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
