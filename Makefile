# The three commands of the README, and what stands behind them. A fresh machine needs Python 3.11+, make, git
# and a package index; everything else is installed into .venv from the hash-locked files in requirements/.
PYTHON ?= python3
BIN := .venv/bin
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-central-1} .sam/bin/sam
ENV ?= dev
EDITABLE := --no-deps --no-build-isolation -e layers/relay -e .

.PHONY: run client maintain test test-as-built stand-in check check-template build emulated deploy delete demo demo-aws-local aws-stores fmt lint lint-zk audit advisories sbom licences openapi conformance-table lies access mutate prove leaks leaks-table fuzz bench bench-guard bench-scale bench-snapshot bench-alike bench-shards bench-dynamodb bench-lambda events lock clean

run: .venv/.run  ## start the embedded relay and print its URL
	@$(BIN)/sync-relay-server serve

client: .venv/.dev  ## install the client and its command: .venv/bin/sync-relay

maintain: .venv/.run  ## run retention once on the configured stores
	@$(BIN)/sync-relay-server maintain

# Files go out in order of collection: by its own order xdist would leave those of few and long tests for the end.
test: .venv/.dev .sam/.made stand-in emulated  ## every test, with branch coverage
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=90

test-as-built: .venv/.dev stand-in emulated  ## of the end-to-end tests, what is run against what sam built; `make test` runs that, too
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder tests/e2e -m as_built

# The DynamoDB of the tests. Its Cargo.lock pins it; where there is no cargo those tests are skipped, and fail in CI.
stand-in: $(if $(shell command -v cargo),.stand-in/.built)

.stand-in/.built: $(addprefix tools/stand_ins/dynamodb/,Cargo.toml Cargo.lock src/main.rs)
	@echo "Building the DynamoDB of the tests: a few minutes, once"
	@cargo build -q --locked --release --manifest-path tools/stand_ins/dynamodb/Cargo.toml --target-dir .stand-in
	@touch $@

demo: .venv/.dev  ## devices sync a real ledger; one joins from a snapshot, one is revoked
	@$(BIN)/python -m demo

demo-aws-local: .venv/.dev stand-in emulated  ## the demo against the functions as sam built them, on stand-ins for AWS
	@$(BIN)/python -m demo --aws-local

aws-stores: .venv/.dev stand-in emulated  ## stand-ins for AWS, for `sam local` (docs/aws-local.md)
	@$(BIN)/python -m tools.emulator.stores

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

# What can be judged with a package index alone. Advisories need more: they have a target of their own.
audit: .venv/.dev .audit/.made  ## bandit, secrets in files and history, licences, bills of materials that are valid
	.audit/bin/bandit -q -c pyproject.toml -r layers client functions local
	$(BIN)/python -m tools.audit.secrets
	$(BIN)/python -m tools.audit.licences
	.audit/bin/python -m tools.audit.sbom .audit/sbom

advisories: .audit/.made  ## known vulnerabilities of every lock; fails where the service that knows can't be reached
	@.audit/bin/python -m tools.audit.advisories

sbom: .audit/.made  ## build/sbom/: what server, layer and client are made of (CycloneDX)
	@.audit/bin/python -m tools.audit.sbom build/sbom

licences: .venv/.dev  ## write docs/licences.md anew
	@$(BIN)/python -m tools.audit.licences --write

openapi: .venv/.dev  ## write schema/openapi.json anew
	$(BIN)/python -m tools.openapi > schema/openapi.json

access: .venv/.dev  ## write docs/who-may-do-what.md anew
	$(BIN)/python -m tools.access > docs/who-may-do-what.md

lies: .venv/.dev  ## write the table of lies in docs/threat-model.md anew
	$(BIN)/python -m tests.lying_relay.table

conformance-table: .venv/.dev  ## write docs/conformance.md anew
	$(BIN)/python -m tools.conformance > docs/conformance.md

events: .venv/.dev  ## write events/ anew: a signature is good for five minutes
	$(BIN)/python -m tools.events

mutate: .venv/.dev stand-in  ## seed bugs, and see the tests and the conformance kit fail
	$(BIN)/python -m tools.mutate

FUZZ_SECONDS ?= 300
fuzz: .fuzz/.made  ## the targets of tests/fuzz under a coverage-guided fuzzer, FUZZ_SECONDS long in all (Linux)
	@.fuzz/bin/python -m tools.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_OPTIONS)

leaks: .venv/.dev stand-in  ## seed leaks of sealed values, and see that audit, types or canaries catch each (half an hour)
	$(BIN)/python -m tools.leaks

leaks-table: .venv/.dev  ## write the table of leaks in docs/threat-model.md anew
	$(BIN)/python -m tools.leaks.document

bench-alike: .venv/.dev stand-in  ## whether a guesser can tell a vault by time, the figures of docs/threat-model.md
	$(BIN)/python -m bench.alike

# As many times the default's examples and kills. RELAY_TEST_SEED=… draws a run again.
TIMES ?= 10
prove: .venv/.dev stand-in  ## the model, histories, kills and faults at length: about an hour; the figures stand at the end
	@RELAY_TEST_PROVE=$(TIMES) $(BIN)/python -m pytest tests/model tests/history tests/kills tests/contract/test_dynamodb_faults.py tests/contract/test_sqlite_every_call.py tests/contract/test_sqlite_torn.py tests/contract/test_filesystem_every_call.py tests/contract/test_s3_faults.py tests/e2e/test_cut_connections.py

# Linux: what the kernel tells of processes is read from /proc. BENCH_OPTIONS=--quick takes three minutes, not twenty.
bench: .bench/.made bench/beside/peers_npm/node_modules/.made  ## our relay and its peers at the same work, in one run: bench/results/ and the README's table
	@.bench/bin/python -m bench.beside $(BENCH_OPTIONS)

bench-snapshot: .venv/.dev  ## a snapshot of 1 GiB from one device to another, and the memory that it takes
	$(BIN)/python -m bench.snapshot

# AGAINST=commit measures that one, too; ACCEPT=1 writes a new baseline; PROVE=1 seeds slow-downs (half an hour).
bench-guard: .venv/.dev  ## instructions of each kind of request, against bench/guard/baseline.json (five minutes; needs valgrind)
	$(BIN)/python -m bench.guard $(if $(AGAINST),--against $(AGAINST)) $(if $(ACCEPT),--accept) $(if $(PROVE),--prove)

# PARTS: growth vaults retention dynamodb, or ten-million, which is measured when it is named.
bench-scale: .venv/.dev .bench/.made stand-in  ## what requests cost as stores grow: bench/results/scale.* (half an hour; PARTS=… for some)
	@$(BIN)/python -m bench.scale $(PARTS)
	@$(BIN)/python -m bench.scale.report
	@.bench/bin/python -m bench.scale.plots

bench-shards: .venv/.dev  ## what the shards of SQLite allow, the table of docs/adr/0013 (a local disk; strace adds trips)
	$(BIN)/python -m bench.shards $(SHARDS_OPTIONS)

bench-dynamodb: .venv/.dev stand-in  ## units and trips of each request, the table of docs/adr/0012
	$(BIN)/python -m bench.dynamodb

# On an otherwise idle machine. LAMBDA_OPTIONS=--quick for a look at it.
bench-lambda: .venv/.dev .sam/.made .bench/.made stand-in emulated  ## starts, requests and costs on Lambda, the tables of docs/operations.md (half an hour)
	$(BIN)/python -m bench.on_lambda $(LAMBDA_OPTIONS)
	.bench/bin/python -m bench.on_lambda.plots

# What CI runs: all that must hold. The tests come last, so that their closing line ends it.
check: lint lint-zk
	$(BIN)/python -m tools.openapi | diff schema/openapi.json -
	$(BIN)/python -m tools.access | diff docs/who-may-do-what.md -
	$(BIN)/python -m tools.events --check
	$(MAKE) --no-print-directory audit
	$(MAKE) --no-print-directory check-template
	$(MAKE) --no-print-directory test

check-template: .sam/.made .checkov/.made  ## the template, without an account; .checkov.yaml says what is not asked
	$(SAM) validate --lint
	.sam/bin/cfn-lint --non-zero-exit-code informational template.yaml
	.checkov/bin/checkov --config-file .checkov.yaml

# The architecture that functions run on: where they are deployed, samconfig.toml's or the template's; in the runtime's
# emulator, this machine's. sam takes Python 3.13 from the path.
ARCHITECTURE ?= $(or $(shell sed -n '/^\[$(ENV).deploy/,/^\[/s/.*\bArchitecture=\([a-z0-9_]*\).*/\1/p' samconfig.toml),arm64)
HERE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
RUNTIME_PYTHON = $(shell $(PYTHON) -m tools.layer.lambda_python 2>/dev/null)
SAM_BUILD = ARCHITECTURE=$(1) PATH="$(dir $(RUNTIME_PYTHON)):$$PATH" $(SAM) build --parameter-overrides Architecture=$(1)

build: .venv/.run .sam/.made  ## what is deployed, into .aws-sam/build
	@$(PYTHON) -m tools.layer.lambda_python >/dev/null
	$(call SAM_BUILD,$(ARCHITECTURE))

# What the tests run under the runtime's emulator. Without Python 3.13 they are skipped, and fail in CI.
emulated: $(if $(RUNTIME_PYTHON),.aws-sam/emulated/.built .lambda/.made)

.aws-sam/emulated/.built: template.yaml requirements/layer.lock requirements/aws.lock layers/relay/Makefile \
		$(shell find layers/relay functions tools/layer schema/sqlite -name '*.py' -o -name '*.sql') | .venv/.run .sam/.made
	@$(call SAM_BUILD,$(HERE)) --build-dir .aws-sam/emulated >.aws-sam.log 2>&1 || { cat .aws-sam.log; exit 1; }
	@rm .aws-sam.log
	@touch $@

# What stands for the Lambda runtime: its Python, its interface client, and the SDK that it brings.
.lambda/.made: requirements/runtime.lock
	@$(RUNTIME_PYTHON) -m venv --clear .lambda
	@.lambda/bin/python -m pip install -q --no-deps --require-hashes -r requirements/runtime.lock
	@touch $@

deploy: build  ## to your account: make deploy ENV=prod
	$(SAM) deploy --config-env $(ENV)

delete: .sam/.made  ## the stack; what is in table, bucket and file system stays (docs/operations.md)
	$(SAM) delete --config-env $(ENV)

lock: .venv/.dev  ## resolve requirements/*.in anew
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -U -o dev.lock dev.in
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c dev.lock -o run.lock run.in
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c dev.lock -o aws.lock aws.in
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -U -o sam.lock sam.in
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -U -o checkov.lock checkov.in
	cd requirements && for name in client fuzz bench; do ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c dev.lock -o $$name.lock $$name.in; done
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -U -o audit.lock audit.in
	cd requirements && for name in layer runtime; do ../$(BIN)/uv pip compile -q --python-version 3.13 --python-platform x86_64-manylinux_2_34 --generate-hashes --no-annotate --no-header -c dev.lock -o $$name.lock $$name.in; done

clean:
	rm -rf .venv .sam .checkov .fuzz .bench bench/beside/peers_npm/node_modules .audit .lambda .aws-sam .stand-in .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

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

# Tools that are not among the tests': beside the server's own packages, each in an environment of its own.
.fuzz/.made .bench/.made: .%/.made: requirements/run.lock requirements/%.lock
	@$(PYTHON) -m venv .$*
	@.$*/bin/python -m pip install -q --no-deps --require-hashes -r requirements/run.lock
	@.$*/bin/python -m pip install -q $(EDITABLE)
	@.$*/bin/python -m pip install -q --no-deps --require-hashes -r requirements/$*.lock
	@touch $@

# The peers, by the hashes of package-lock.json, and the Node that they want. Nothing that they bring is run but the build
# of SQLite's binding, from the sources in its package against that Node's headers (needs a C++ compiler).
bench/beside/peers_npm/node_modules/.made: bench/beside/peers_npm/package-lock.json
	@[ "$$(uname -s)" = Linux ] || { echo "make bench reads what Linux tells of processes, and this is no Linux" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "make bench needs npm, and did not find it" >&2; exit 1; }
	@command -v c++ >/dev/null || { echo "make bench needs a C++ compiler, c++, and did not find it" >&2; exit 1; }
	@cd $(@D)/.. && npm ci --silent --ignore-scripts --no-audit --no-fund
	@cd $(@D) && PATH="$$PWD/.bin:$$PATH" npm_config_nodedir="$$(dirname "$$(dirname "$$(readlink -f .bin/node)")")" \
		npm_config_build_from_source=true npm rebuild --silent --prefix .. better-sqlite3
	@touch $@

# AWS's tool, checkov and the audit's tools pin what others must not have: each has an environment of its own.
.sam/.made .checkov/.made .audit/.made: .%/.made: requirements/%.lock
	@$(PYTHON) -m venv .$*
	@.$*/bin/python -m pip install -q --no-deps --require-hashes -r requirements/$*.lock
	@touch $@
