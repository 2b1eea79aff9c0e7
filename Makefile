# Every target does its own set-up from a fresh clone: Python 3.11 or newer, make and network are all it takes.
# `make demo ARGS="--customers 500 --exit-when-done"` passes arguments on.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN := $(VENV)/ready-to-run
DEV := $(VENV)/ready-to-develop
COMPILED := $(CURDIR)/build/compiled
SOURCES := setup.py pyproject.toml $(shell find schemas alerting streams sinks deploy -type f ! -name '*.pyc' 2>/dev/null)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

.PHONY: demo test test-long lint format docs bench compiled lock clean

demo: $(RUN)
	@$(BIN)/fenghuo demo $(ARGS)

# Measures the compiled core, as it is installed for production; without a C compiler the core as it is.
bench: compiled
	@PYTHONPATH=$(COMPILED) $(BIN)/fenghuo bench $(ARGS)

test: lint
	@$(BIN)/python -m pytest -m "not long" -n 2 --dist loadfile $(ARGS)

test-long: $(DEV)
	@$(BIN)/python -m pytest -m long --timeout 3600 $(ARGS)

lint: $(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > /dev/null || $(BIN)/lint-imports --no-cache

format: $(DEV)
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

compiled: $(COMPILED)/ready

$(COMPILED)/ready: $(SOURCES) | $(DEV)
	@rm -rf $(COMPILED) build/lib*; begun=$$(date +%s); printf '… compiling the core\r'; \
	if ! command -v $${CC:-cc} > /dev/null; then echo "no C compiler (cc): the core runs uncompiled; on Debian and Ubuntu: apt install gcc" >&2; mkdir -p $(@D); exit 0; fi; \
	FENGHUO_COMPILE=1 $(PIP) install --no-deps --no-build-isolation --no-warn-script-location --target $(COMPILED) . && \
	touch $@ && echo "✓ core compiled ($$(( $$(date +%s) - begun )) s)   "

docs: $(DEV)
	@$(BIN)/python -m deploy.documentation

# Writes the two lock files anew, with the newest versions that pyproject.toml allows.
lock: $(DEV)
	@$(COMPILE) --upgrade pyproject.toml --extra build --output-file requirements.lock
	@$(COMPILE) --upgrade pyproject.toml --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(RUN): requirements.lock pyproject.toml
	@$(call install,requirements.lock)

$(DEV): requirements-dev.lock pyproject.toml
	@$(call install,requirements-dev.lock)
	@touch $(RUN)

define install
set -e; begun=$$(date +%s); \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
  { echo "fenghuo needs Python 3.11 or newer; name one with make PYTHON=/path/to/python" >&2; exit 2; }; \
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
  { echo "python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }; \
printf '… preparing the environment\r'; \
$(PIP) install --require-hashes --requirement $(1); \
$(PIP) install --no-deps --no-build-isolation --editable .; \
touch $@; echo "✓ environment ready ($$(( $$(date +%s) - begun )) s)   "
endef
