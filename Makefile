# The three commands of the README, and what stands behind them. A fresh machine needs Python 3.11+, make, git
# and a package index; everything else is installed into .venv from the hash-locked files in requirements/.
PYTHON ?= python3
BIN := .venv/bin
EDITABLE := --no-deps --no-build-isolation -e layers/relay -e .

.PHONY: run client maintain test stand-in check demo fmt lint lint-zk openapi mutate bench bench-dynamodb lock clean

run: .venv/.run  ## start the embedded relay and print its URL
	@$(BIN)/sync-relay-server serve

client: .venv/.dev  ## install the client and its command: .venv/bin/sync-relay

maintain: .venv/.run  ## run retention once on the configured stores
	@$(BIN)/sync-relay-server maintain

test: .venv/.dev stand-in  ## every test, with branch coverage
	@$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term --cov-fail-under=90

# The DynamoDB of the tests. Its Cargo.lock pins it; where there is no cargo those tests are skipped, and fail in CI.
stand-in: $(if $(shell command -v cargo),.stand-in/.built)

.stand-in/.built: $(addprefix tests/dynamodb_stand_in/,Cargo.toml Cargo.lock src/main.rs)
	@echo "Building the DynamoDB of the tests: a few minutes, once"
	@cargo build -q --locked --release --manifest-path tests/dynamodb_stand_in/Cargo.toml --target-dir .stand-in
	@touch $@

demo: .venv/.dev  ## devices sync a real ledger; one joins from a snapshot, one is revoked
	@$(BIN)/python -m demo

fmt: .venv/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-zk: .venv/.dev  ## the zero-knowledge audit on the syntax tree
	$(BIN)/python -m tools.lint_zk layers/relay functions local

openapi: .venv/.dev  ## write schema/openapi.json anew
	$(BIN)/python -m tools.openapi > schema/openapi.json

mutate: .venv/.dev  ## seed bugs in the crypto, the chain and the audit, and see the tests fail
	$(BIN)/python -m tools.mutate

bench: .venv/.dev  ## the figures of docs/operations.md, measured here
	$(BIN)/python -m bench

bench-dynamodb: .venv/.dev stand-in  ## units and trips of each request, the table of docs/adr/0012
	$(BIN)/python -m bench.dynamodb

# What CI runs: all that must hold. The tests come last, so that their closing line ends it.
check: lint lint-zk
	$(BIN)/python -m tools.openapi | diff schema/openapi.json -
	$(MAKE) --no-print-directory test

lock: .venv/.dev  ## resolve requirements/*.in anew
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -U -o dev.lock dev.in
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c dev.lock -o run.lock run.in
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c dev.lock -o aws.lock aws.in

clean:
	rm -rf .venv .stand-in .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@touch $@

# The locks name every package: --no-deps, so that pip asks for nothing newer than they hold.
.venv/.run: .venv/.made requirements/run.lock pyproject.toml layers/relay/pyproject.toml
	@$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements/run.lock
	@$(BIN)/python -m pip install -q $(EDITABLE)
	@touch $@

.venv/.dev: .venv/.run requirements/dev.lock client/pyproject.toml
	@$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install -q $(EDITABLE) -e client
	@touch $@
