# All set-up is done by the targets themselves: `make demo` and `make test` work on a
# machine that has only Python (3.10 or later), make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint check format bench clean

# Trains a small classifier and shows what is recorded.
demo: $(VENV)/.demo
	@TF_CPP_MIN_LOG_LEVEL=$${TF_CPP_MIN_LOG_LEVEL:-3} $(BIN)/modelkb demo

# The whole test suite.
test: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist worksteal

# Formatting, lint, types and the direction of imports.
lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What CI runs.
check: lint test

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Prints what recording costs a training, how fast sources are scanned and stores read, how quickly
# commands start, how fast the viewer is (in Chromium), and what a server answers under load and of
# models.
bench: $(VENV)/.dev
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/recording_cost.py
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/resource_sampling.py
	$(BIN)/python benchmarks/scanner_speed.py
	$(BIN)/python benchmarks/store_scale.py
	$(BIN)/python benchmarks/query_speed.py
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/shared_weights.py
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/bytes_to_regenerate.py
	$(BIN)/python benchmarks/command_start.py
	$(BIN)/python benchmarks/viewer_speed.py
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/viewer_live.py
	$(BIN)/python benchmarks/api_load.py
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/prediction_service.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[tensorflow,demo]'
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[tensorflow,demo,dev]'
	@touch $@
