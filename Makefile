# Everything from a fresh clone: `make demo`, `make test`. Needs Python 3.11 or newer and the package registries.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo quick test shuffled coverage lint slither flows serve artifacts gas pages lock clean

help:  ## Show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready node_modules/ready  ## Install everything into .venv and node_modules

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Node itself comes from .venv, so nothing is taken from the system.
node_modules/ready: package-lock.json .venv/ready
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Slither cannot live with our web3.
.venv-slither/ready: requirements-slither.lock
	$(PYTHON) -m venv .venv-slither
	.venv-slither/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-slither.lock
	@touch $@

# Makes the clients of the tests from the API's schema; it cannot live with our typer.
.venv-clients/ready: requirements-clients.lock
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-clients.lock
	@touch $@

demo: setup  ## Run the pilot on real data; results in demo-out/
	$(BIN)/pingzheng demo

# Marked slow are thousands of cases of the second verifier, fuzzing, what unpacks to gigabytes, and whole flows under
# other suites; proposals are tested on ledgers of their own.
QUICK := $(addprefix tests/,domain proof connectors wallet parties) --ignore=tests/parties/proposals

quick: setup  ## Run the tests of domain, proof, connectors, wallet and parties in a minute: without proposals, and what is marked slow
	$(BIN)/pytest -n 2 -m "not slow" $(QUICK)

# Two workers, as many as the build machine has cores; tests/support/sharing.py says which tests share one.
test: setup .venv-clients/ready  ## Run every test and name the ten slowest; the coverage of contracts and ledger/domain is one of them
	$(BIN)/pytest -n 2 --durations=10

SEED ?= 1
ROOM ?= tests

# A file's tests stay together, since they share what takes long to make; the files and the tests in each are shuffled.
shuffled: setup .venv-clients/ready  ## Run every test in a random order: SEED=2 for another one, ROOM=tests/proof for one room
	$(BIN)/pytest -n 2 --random-order-bucket=module --random-order-seed=$(SEED) $(ROOM)

coverage: setup  ## Measure what the tests cover of contracts and ledger/domain
	$(BIN)/python scripts/cover.py

lint: setup slither  ## Check style, types, layers, contracts, packaged artifacts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npx --no-install solhint --max-warnings 0 'contracts/**/*.sol'
	$(BIN)/python scripts/compile.py --check

slither: setup .venv-slither/ready  ## Look for known faults in the contracts
	$(BIN)/python scripts/slither.py

flows: setup  ## Show through which rooms three flows go, and what climbs back up
	$(BIN)/python scripts/flows.py

serve: setup  ## Start the API on the local ledger
	$(BIN)/pingzheng serve

artifacts: setup  ## Compile the contracts into the package
	$(BIN)/python scripts/compile.py

# docs/demo.md is written from a run of the demonstration: python scripts/demo_page.py demo-out
pages: setup  ## Write the generated pages of docs/: commands, settings, gas, the schema of the API
	$(BIN)/python scripts/commands.py
	$(BIN)/python scripts/configuration.py
	$(BIN)/python -c "from scripts.gas.page import write; write()"
	$(BIN)/python scripts/openapi.py

gas: setup  ## Measure gas into contracts/gas.json and docs/gas.md
	$(BIN)/python -m scripts.gas

# Extras stay in the locks: else an older pip asks for the hash of a newer release of `coverage[toml]`.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header

lock:  ## Resolve the Python locks again (needs uv)
	$(COMPILE) --all-extras pyproject.toml -o requirements.lock
	$(COMPILE) --group slither -o requirements-slither.lock
	$(COMPILE) --group clients -o requirements-clients.lock

clean:  ## Remove what was built; keeps the ledger in var/
	rm -rf .venv .venv-slither .venv-clients node_modules build cache coverage demo-out
