# Every target sets up what it needs, once. `make` alone prints what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
# A lock file names every package there is to install, so pip has nothing to resolve: asked to, it takes a newer
# release of a package that it meets without its pin, and then refuses it because it has no hash.
INSTALL_LOCKED := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement
INSTALL_PROJECT := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell command -v $(p) 2>/dev/null)))
ONCE ?=
COMPILE := env -u PIP_INDEX_URL -u PIP_FIND_LINKS -u UV_INDEX_URL $(BIN)/uv pip compile \
	--python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet
RUN_LOCK := $(COMPILE) pyproject.toml

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 13

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11: say make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

# The programs alone: all that `make demo` and `make up` need.
$(VENV)/.athlete: requirements/athlete.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked packages (about two minutes the first time) …"
	$(INSTALL_LOCKED) requirements/athlete.txt --requirement requirements/build.txt
	$(INSTALL_PROJECT)
	@touch $@

# The programs and the tools that check them.
$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked packages and tools (about three minutes the first time) …"
	$(INSTALL_LOCKED) requirements/dev.txt
	$(INSTALL_PROJECT)
	@touch $@ $(VENV)/.athlete

# The emulator of BigQuery that the tests ask, in an environment of its own: its pins are not ours.
EMULATOR := $(VENV)/bigquery-emulator
$(EMULATOR)/.made: requirements/bigquery-emulator.txt | $(VENV)/.dev
	@echo "Installing the BigQuery emulator (half a minute the first time) …"
	$(BIN)/python -m venv --clear --without-pip $(EMULATOR)
	$(BIN)/uv pip install --quiet --no-deps --require-hashes --python $(EMULATOR)/bin/python \
		--requirement requirements/bigquery-emulator.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/.dev ## Make the virtual environment with programs and tools

.PHONY: demo
demo: $(VENV)/.athlete ## Run everything against a Strava simulator (ONCE=1: a scripted life that checks itself)
	@$(BIN)/athlete demo $(if $(ONCE),--once)

.PHONY: import
import: $(VENV)/.athlete ## Import your export from Strava, or recordings (FILE=export_1234567.zip)
	@$(BIN)/athlete import $(FILE)

.PHONY: up
up: $(VENV)/.athlete ## Run everything against the real Strava, with the settings in .env
	@$(BIN)/athlete up

# A program keeps what its modules are compiled to, also where the environment forbids it: the tests start many.
unexport PYTHONDONTWRITEBYTECODE

# Tests write many small databases: in memory, where there is room for them.
MEMORY := $(shell df --output=avail -B1G /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 >= 6 {print "/dev/shm"}')
# One process more than there are processors: a test waits for a program, an answer or the disk in a quarter of its time.
PROCESSES := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PYTEST := $(if $(MEMORY),PYTEST_DEBUG_TEMPROOT=$(MEMORY)) $(BIN)/python -m pytest --numprocesses $(PROCESSES)

.PHONY: test
test: $(VENV)/.dev $(EMULATOR)/.made ## Run all tests, on all processors (ARGS="-k name" runs some)
	@$(PYTEST) --durations 25 -m "not images" $(ARGS)

.PHONY: test-images
test-images: $(VENV)/.dev $(EMULATOR)/.made ## Build the images and run them, for minutes (Debian, as root: apt-get install buildah)
	@$(BIN)/python -m pytest -m images tests/images $(ARGS)

.PHONY: test-fast
test-fast: $(VENV)/.dev ## Run what needs neither dbt, a browser, whole programs or pages nor half a second: for the work in between
	@$(PYTEST) --ignore tests/transforms --ignore tests/end_to_end --ignore tests/worker/test_warm_dbt.py \
		-m "not slow and not browser and not images" $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Read 10,000 files that are damaged by chance (INPUTS=50000 SEED=8 reads more, and others)
	@FUZZ_INPUTS=$(or $(INPUTS),10000) FUZZ_SEED=$(or $(SEED),7) $(PYTEST) tests/strava/test_recordings_fuzz.py tests/strava/test_archive_fuzz.py

.PHONY: lint lint-python lint-sql
lint: $(VENV)/.dev ## Check packages, style, types, imports between rooms, and the SQL
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint-python lint-sql

lint-python: $(VENV)/.dev
	$(BIN)/uv pip check --python $(BIN)/python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile.*
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-sql: $(VENV)/.dev
	DBT_TARGET_PATH=$(abspath $(VENV))/sqlfluff DBT_LOG_PATH=$(abspath $(VENV))/sqlfluff $(BIN)/python -m tests.lint_sql

.PHONY: format
format: $(VENV)/.dev ## Format the Python
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.dev ## Measure, side by side, what the README promises
	@$(BIN)/python -m benchmarks

.PHONY: screenshots
screenshots: $(VENV)/.dev ## Take the pictures in docs/images of the demo's pages (PAGES="overview map" takes some)
	@$(BIN)/python -m tests.end_to_end.screenshots $(PAGES)

.PHONY: lock
lock: $(VENV)/.dev ## Choose the newest versions that pyproject.toml allows, with hashes
	$(RUN_LOCK) $(LOCK_FLAGS) --extra athlete --extra gcp --group build --group dev --output-file requirements/dev.txt
	$(RUN_LOCK) --constraint requirements/dev.txt --extra athlete --output-file requirements/athlete.txt
	$(RUN_LOCK) --constraint requirements/dev.txt --group build --output-file requirements/build.txt
	$(RUN_LOCK) --constraint requirements/dev.txt --extra transform --extra embedded --output-file requirements/transform.txt
	for program in service worker dashboard; do \
		$(RUN_LOCK) --constraint requirements/dev.txt --extra $$program --output-file requirements/$$program.txt || exit 1; \
	done
	$(RUN_LOCK) --constraint requirements/dev.txt --extra service --extra service-gcp --output-file requirements/service-gcp.txt
	$(RUN_LOCK) --constraint requirements/dev.txt --extra worker --extra transform --extra embedded --extra recordings --extra gcp \
		--output-file requirements/worker-gcp.txt
	$(RUN_LOCK) --constraint requirements/dev.txt --extra dashboard --extra dashboard-gcp \
		--output-file requirements/dashboard-gcp.txt
	$(RUN_LOCK) --constraint requirements/dev.txt --extra athlete --extra gcp --output-file requirements/athlete-gcp.txt
	$(COMPILE) $(LOCK_FLAGS) requirements/bigquery-emulator.in --output-file requirements/bigquery-emulator.txt

.PHONY: clean
clean: ## Remove the virtual environment and every cache; your data stays
	rm -rf $(VENV) .ruff_cache .pytest_cache .hypothesis .import_linter_cache transforms/target transforms/logs
