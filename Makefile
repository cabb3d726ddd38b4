.DEFAULT_GOAL := help
PYTEST_ARGS ?= -n auto --dist loadgroup
BIN := .venv/bin

.PHONY: help run test proof bench lint lock schema openapi clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the demonstration on this machine
	@scripts/setup.sh runtime && exec $(BIN)/permits demo

test: ## Run the tests (style, types and contracts included)
	@scripts/setup.sh dev && $(BIN)/python -m pytest -m "not proof" $(PYTEST_ARGS)

proof: ## Run the proofs: the promises of the README, end to end
	@scripts/setup.sh dev && $(BIN)/python -m pytest -m proof --timeout 3600 -rP --show-capture=stdout $(PYTEST_ARGS)

bench: ## Measure: permits a second beside the plain stack, and where the time goes (under three minutes)
	@scripts/setup.sh dev && $(BIN)/python -m bench.issue

lint: ## Check style, types and the imports' contract
	@scripts/setup.sh dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# uv only writes the lock, so it lives no longer than this recipe. `make lock LOCK_ARGS=--upgrade`
# moves every package to its newest version; without it, only what pyproject.toml asks changes.
UV_LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" "$$dir/bin/uv" pip compile --quiet --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url $(LOCK_ARGS) pyproject.toml

lock: ## Write requirements.txt and requirements-dev.txt from pyproject.toml
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	"$${PYTHON:-python3}" -m venv "$$dir"; "$$dir/bin/pip" install --quiet uv; \
	$(UV_LOCK) --output-file requirements.txt; \
	$(UV_LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

schema: ## Write migrations/schema.sql from the migrations
	@scripts/setup.sh runtime && $(BIN)/permits schema

openapi: ## Write openapi.yaml from the code
	@scripts/setup.sh runtime && $(BIN)/permits openapi

clean: ## Remove the environment and the caches (never the data in var/)
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
