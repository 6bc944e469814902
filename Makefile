# `make demo` and `make test` work in a fresh clone. They need Python 3.11, 3.12 or 3.13 and the package registries.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup shell installed dev try demo quick registrations test newest shuffled coverage lint slither flows serve artifacts gas bench pages lock clean

help:  ## Show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: installed  ## Install what the service and the demonstration need, into this folder only; takes some minutes
	@echo 'Installed. The command is $(BIN)/pingzheng. To type only its name, paste this line, or run `make shell`:'
	@echo '  export PATH="$(CURDIR)/$(BIN):$$PATH"'
	@echo 'Next: `make try` (a minute) or `make demo` (one or two minutes).'

shell: installed  ## Start a shell that finds the command pingzheng
	@exec "$${SHELL:-$$(command -v bash || echo /bin/sh)}"

installed: .venv/ready node_modules/ready

dev: .venv/dev node_modules/dev  ## Install what tests and checks need as well

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) scripts/setup.py python

# Node comes from a Python package in .venv, so no Node of the system is used.
node_modules/ready: package-lock.json .venv/ready
	@$(PYTHON) scripts/setup.py node

.venv/dev: requirements-dev.lock .venv/ready
	@$(PYTHON) scripts/setup.py dev

node_modules/dev: package-lock.json .venv/ready
	@$(PYTHON) scripts/setup.py node-dev

# Slither needs an older web3 than the project, so it has its own environment.
.venv-slither/ready: requirements-slither.lock
	$(PYTHON) -m venv .venv-slither
	.venv-slither/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-slither.lock
	@touch $@

# The generator of the tests' API clients needs an older typer than the project, so it has its own environment.
.venv-clients/ready: requirements-clients.lock
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-clients.lock
	@touch $@

HINT := 用 `make shell` 打开能找到 pingzheng 命令的终端。 `make shell` starts a shell that finds the command pingzheng.

try: installed  ## Issue one certificate and verify it offline, in about a minute; results in try-out/
	$(BIN)/pingzheng try
	@echo '$(HINT)'

demo: installed  ## Run the pilot on real data; results in demo-out/
	$(BIN)/pingzheng demo
	@echo '$(HINT)'

# The quick run leaves out the tests that are marked `slow` (thousands of cases of the second verifier, fuzz tests,
# files that unpack to gigabytes, and whole flows with other signature suites), and the tests of proposals, each of
# which makes a ledger.
QUICK := $(addprefix tests/,domain proof connectors wallet parties) --ignore=tests/parties/proposals

quick: dev  ## Run the tests of domain, proof, connectors, wallet and parties in a minute: without proposals, and what is marked slow
	$(BIN)/pytest -n 2 -m "not slow" $(QUICK)

# These tests fail if a table, a route, a command, an error or a page is not registered in every place that needs it.
REGISTRATIONS := $(addprefix tests/,store api/http/test_openapi.py api/http/test_problems.py \
	api/http/test_security_schemes.py api/permissions parties/test_permissions.py cli/test_commands.py \
	cli/test_no_ledger.py installation/test_explanations.py installation/recovery/test_restore.py docs/test_documents.py \
	docs/test_generated_pages.py docs/test_contributing.py)

registrations: dev  ## Run the tests that check whether a new table, route, command, error or page is registered everywhere
	$(BIN)/pytest -n 2 $(REGISTRATIONS)

# Three workers for two cores, because many tests wait for a process. tests/support/sharing.py assigns tests to workers.
test: dev .venv-clients/ready bench/node_modules/ready  ## Run every test and name the ten slowest; the coverage of contracts and ledger/domain is one of them
	$(BIN)/pytest -n 3 --durations=10

# Runs the tests of domain, proof and wallet. If the machine has no newer Python, nothing is run.
newest: dev  ## Run fast tests on the newest allowed Python of this machine, if it is newer than the one in use
	$(BIN)/python scripts/newest.py

SEED ?= 1
ROOM ?= tests

# Both the order of the files and the order of the tests in each file are random. A file's tests stay together, because
# they share slow fixtures.
shuffled: dev .venv-clients/ready bench/node_modules/ready  ## Run every test in a random order: SEED=2 for another one, ROOM=tests/proof for one room
	$(BIN)/pytest -n 2 --random-order-bucket=module --random-order-seed=$(SEED) $(ROOM)

coverage: dev  ## Measure what the tests cover of contracts and ledger/domain
	$(BIN)/python scripts/cover.py

lint: dev slither  ## Check style, types, layers, contracts, packaged artifacts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npx --no-install solhint --max-warnings 0 'contracts/**/*.sol'
	$(BIN)/python scripts/compile.py --check
	$(BIN)/python scripts/openapi.py --check

slither: dev .venv-slither/ready  ## Look for known faults in the contracts
	$(BIN)/python scripts/slither.py

flows: dev  ## Show through which rooms three flows go, and what climbs back up
	$(BIN)/python scripts/flows.py

serve: installed  ## Start the API on the local ledger
	$(BIN)/pingzheng serve

artifacts: dev  ## Compile the contracts into the package
	$(BIN)/python scripts/compile.py

# This does not write docs/demo.md, which needs a run of the demonstration: python scripts/demo_page.py demo-out
pages: dev  ## Write the generated pages of docs/: commands, settings, the verifier in Python, gas, the schema of the API
	$(BIN)/python scripts/commands.py
	$(BIN)/python scripts/configuration.py
	$(BIN)/python scripts/python_page.py
	$(BIN)/python -c "from scripts.gas.page import write; write()"
	$(BIN)/python scripts/openapi.py

gas: dev  ## Measure gas into contracts/gas.json and docs/gas.md
	$(BIN)/python -m scripts.gas

SIZE ?= 3000

# `make setup` does not install the packages of the compared products. npm reads bench/.npmrc, and runs no script of
# these packages.
bench/node_modules/ready: bench/package-lock.json .venv/ready
	@echo 'Installing the packages of the compared products (0.5 GB) …'
	@cd bench && npm ci --ignore-scripts --loglevel=error
	@touch $@

# Where the packages for development are installed, `bench` needs `dev` and not `installed`, because `installed` would
# remove some of these packages after a change of a lock file.
bench: $(if $(wildcard .venv/dev),dev,installed) bench/node_modules/ready  ## Measure this project beside other products in five minutes; SIZE=1000000 for the long run
	$(BIN)/python -m bench --size $(SIZE)

# The lock files keep extras such as `coverage[toml]`. If they pinned only `coverage`, an older pip would not count
# `coverage[toml]` as pinned: it would choose the newest release, whose hash is not in the file, and would refuse it.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header

lock:  ## Resolve the Python locks again, for running and for development (needs uv)
	$(COMPILE) --all-extras --group build pyproject.toml -o requirements-dev.lock
	$(COMPILE) --extra sm --extra service --extra connectors --extra demo --group build -c requirements-dev.lock \
		pyproject.toml -o requirements.lock
	$(COMPILE) --group slither -o requirements-slither.lock
	$(COMPILE) --group clients -o requirements-clients.lock

clean:  ## Remove what was built; keeps the ledger in var/
	rm -rf .venv .venv-slither .venv-clients .venv-newest node_modules bench/node_modules build cache coverage demo-out try-out \
		bench-out
