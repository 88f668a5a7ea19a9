# Everything from a bare clone. Needed: make, git and Python 3.11 or newer with its venv module; the rest is fetched.
#
#   make run     start the product on this machine, with a demo in it
#   make test    the whole test suite, on SQLite and on PostgreSQL
#   make check   tests, lint, types and the layer contracts

SHELL := /bin/sh
UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3
# The first interpreter that fits; "make PYTHON=/path/to/python" decides otherwise.
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then command -v $$p; break; fi; done)

PO_FILES := $(wildcard translations/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format types contracts check bench translations screenshots clean

help:
	@echo "make setup         build the environment (.venv) from uv.lock"
	@echo "make run           start the product on this machine, with a demo in it"
	@echo "make test          run every test, on SQLite and on PostgreSQL"
	@echo "make check         test, lint, types and contracts"
	@echo "make lint          ruff and djlint        make format   put files into the common layout"
	@echo "make types         mypy                   make contracts  who may import whom"
	@echo "make bench         the benchmarks         make translations  collect and compile the words"
	@echo "make screenshots   the pictures of the README"
	@echo "make clean         remove everything that was made, except your data in instance/"

setup: .venv/.ready

$(UV):
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python from 3.11 to 3.14 was found. On Debian: apt-get install python3 python3-venv; or: make PYTHON=/path/to/python" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$(PYTHON) has no venv module. On Debian: apt-get install python3-venv" >&2; exit 1; fi
	@echo "Fetching uv $(UV_VERSION) ..."
	@rm -rf .uv
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)" || { rm -rf .uv; exit 1; }

.venv/.ready: pyproject.toml uv.lock hatch_build.py $(PO_FILES) | $(UV)
	@echo "Installing from uv.lock ..."
	@$(UV) sync --quiet --frozen --python "$(PYTHON)" --reinstall-package insureflow
	@touch $@

run: setup
	@exec $(BIN)/insureflow run $(RUN_OPTIONS)

test: setup
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report= $(PYTEST_OPTIONS)
	@$(BIN)/coverage report --include='insureflow/domain/*' --fail-under=100 --precision=2

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@if [ -d insureflow/templates ]; then $(BIN)/djlint insureflow/templates --lint --quiet; fi

format: setup
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports

check: test lint types contracts

bench: setup
	@$(BIN)/python -m pytest --no-header -s tests/benchmarks $(PYTEST_OPTIONS)

# Collects every marked string, brings each language up to date and compiles it.
translations: setup
	@$(BIN)/pybabel --quiet extract -F translations/babel.cfg -k _l -k marked -k lazy_gettext -k npgettext:1c,2,3 -k pgettext:1c,2 -k lazy_pgettext:1c,2 --no-location --sort-output \
		--project InsureFlow --copyright-holder "InsureFlow" -o translations/messages.pot .
	@$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -i translations/messages.pot -d translations
	@$(BIN)/pybabel --quiet extract -F translations/documents.cfg --no-default-keywords -k phrase -k phrases:1,2 -k phrased --no-location --sort-output \
		--project InsureFlow --copyright-holder "InsureFlow" -o translations/documents.pot .
	@$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -D documents -i translations/documents.pot -d translations
	@$(BIN)/pybabel --quiet compile --statistics -D "messages documents flask_security" -d translations

screenshots: setup
	@if [ -f scripts/screenshots.py ]; then $(BIN)/python scripts/screenshots.py; \
	else echo "There is no scripts/screenshots.py in this version." >&2; exit 1; fi

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov dist build test-artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find translations -name '*.mo' -delete
