# Antiphon. `make help` lists the targets; every one of them sets the checkout up first.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
# Processes are started by the dozen: without kept bytecode each of them compiles its libraries again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## install everything into .venv and the cache (quick when repeated)
	@$(PYTHON) scripts/setup.py

.PHONY: run
run: setup ## start the whole line and feed it: REPLAY=file.jsonl RATE=per-second ONCE=1 PROMETHEUS=1 SCENARIO=hijack
	@$(BIN)/python -m antiphon_local run $(if $(REPLAY),--replay "$(REPLAY)") $(if $(RATE),--rate $(RATE)) $(if $(ONCE),--once) $(if $(PROMETHEUS),--prometheus) $(if $(SCENARIO),--scenario "$(SCENARIO)")

.PHONY: test
test: setup ## everything that must hold: lint, types, contract, tests (SEED=n replays the random choices)
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -n 2 --no-loadscope-reorder $(if $(SEED),--seed $(SEED)) $(TESTS)

.PHONY: check
check: lint types ## lint, types and the freshness of what is generated
	@$(BIN)/python proto/generate.py --check
	@$(BIN)/python scripts/describe.py --check
	@$(BIN)/python deploy/grafana/build.py --check

.PHONY: lint
lint: setup ## ruff and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

.PHONY: types
types: setup ## mypy --strict
	@$(BIN)/mypy

KILLS := $(addprefix tests/integration/,ingest/test_faults.py engine/test_engine_survives.py rules_api/test_kill_after_write.py \
	publisher/test_kill_points.py publisher/campaigns/test_journey.py)

.PHONY: chaos
chaos: setup ## the whole kill matrix, ROUNDS times over, and every kill point of each service (samples of them are part of test)
	@$(BIN)/pytest tests/e2e/test_kill_matrix.py $(KILLS) --rounds $(or $(ROUNDS),20) $(if $(SEED),--seed $(SEED))

.PHONY: proto
proto: setup ## generate the contract's classes
	@$(BIN)/python proto/generate.py

.PHONY: openapi
openapi: setup ## describe the services' APIs in docs/openapi
	@$(BIN)/python scripts/describe.py

.PHONY: dashboards
dashboards: setup ## write Grafana's dashboards from their tables in deploy/grafana
	@$(BIN)/python deploy/grafana/build.py

.PHONY: bench
bench: setup ## measure; writes var/bench.json and docs/benchmarks.md (SAMPLE=0.1 for a smoke run, ONLY="match live" for parts)
	@$(BIN)/python -m bench $(if $(SAMPLE),--sample $(SAMPLE)) $(addprefix --only ,$(ONLY))

.PHONY: browser
browser: ## install the browser that the page tests use, with the system's packages (as root)
	@command -v chromium || apt-get install -y --no-install-recommends chromium

.PHONY: services
services: setup ## only the backing services, until Ctrl-C
	@$(BIN)/python -m antiphon_local services up

.PHONY: lock
lock: setup ## resolve the dependencies again
	@$(BIN)/python scripts/lock.py

.PHONY: clean
clean: ## remove what was made here, except the shared cache
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
