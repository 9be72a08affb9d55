# Two commands start everything: make run (the product) and make test (the proof). "make help" lists the rest.
# Needs Python 3.11 or newer, git and make; everything else is installed into .venv and .cache of this folder.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
PYTEST := $(BIN)/pytest
SEMGREP := .cache/scanners/bin/semgrep scan --quiet --metrics=off --disable-version-check
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard translations/*/LC_MESSAGES/*.po))
WORKERS ?= 2
# Tests run in a random order that is the same each time; choose another one with make test SEED=1.
SEED ?= 2026

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-postgresql check test-n8n test-browser bench bench-repair screenshots sbom translations lock n8n FORCE

help: ## list the commands
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: .venv/.project static/vendor/.fingerprint $(CATALOGUES) ## install everything that is locked; quick when nothing changed

run: setup ## start the hub on http://127.0.0.1:8000
	@$(BIN)/hub db upgrade
	@$(BIN)/hub db seed
	@exec $(BIN)/hub run

demo: setup n8n ## start a real n8n with failing workflows beside the hub, connected and synced
	@exec $(BIN)/python -m hub.demo

test: setup ## run the test suite on SQLite
	$(PYTEST) -q -n $(WORKERS) --randomly-seed=$(SEED) -m "not n8n and not browser"

test-postgresql: setup ## run the test suite on a PostgreSQL that is started from a wheel
	HUB_TEST_DATABASE=postgresql $(PYTEST) -q -n $(WORKERS) --randomly-seed=$(SEED) -m "not n8n and not browser"

test-n8n: setup n8n ## walk the main road against a real n8n
	$(PYTEST) -q -n $(WORKERS) --dist loadfile --randomly-seed=$(SEED) -m n8n tests/n8n

test-browser: setup ## open every page in Chromium: axe, CSP, widths, both languages
	$(PYTEST) -q -n $(WORKERS) --dist loadfile --randomly-seed=$(SEED) -m browser tests/browser

bench: bench-repair ## print how good the repairs are, and what a page, an analysis, a worker, a sync and a request cost
	$(PYTEST) -q -s -p no:randomly tests/benchmarks/test_page_costs.py
	$(BIN)/python -m tests.benchmarks.analyzer_cpu
	$(BIN)/python -m tests.benchmarks.worker_memory
	$(BIN)/python -m tests.benchmarks.sync_cpu
	$(BIN)/python -m tests.benchmarks.exchange_cost
	$(BIN)/python -m tests.benchmarks.run_pages

bench-repair: setup n8n ## print how often diagnosis and repair are right, on a real n8n
	$(BIN)/python -m tests.benchmarks.repair

screenshots: setup ## write pictures of every page to tmp/screenshots
	$(BIN)/python -m tests.browser.screenshots tmp/screenshots

check: setup .cache/scanners/.installed ## lint, format, types, import walls, migrations, templates, translations, scanners
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_migrations.py
	$(BIN)/python tools/check_templates.py
	$(BIN)/python tools/translations.py check
	$(BIN)/python tools/asvs.py check
	.cache/scanners/bin/bandit --quiet --severity-level medium --configfile tools/scanners/bandit.yml --recursive hub plugins
	$(SEMGREP) --error --config tools/scanners/semgrep --exclude tools/scanners --exclude static/vendor \
		hub plugins static templates tools wsgi.py gunicorn.conf.py
	$(SEMGREP) --test tools/scanners/semgrep

sbom: .cache/scanners/.installed ## write the list of everything that is installed (CycloneDX) to tmp/sbom.json
	@mkdir -p tmp
	.cache/scanners/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-file tmp/sbom.json

translations: setup ## bring the .po files up to date with the code
	$(BIN)/python tools/translations.py update

n8n: .venv/.project ## install the n8n of the tests and the demo into a cache outside of this folder
	@$(BIN)/python tools/install_n8n.py

lock: .venv/.project ## choose versions anew and write requirements.lock
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --target .cache/uv uv
	.cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--group dev pyproject.toml -o requirements.lock
	.cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		tools/scanners/requirements.txt -o tools/scanners/requirements.lock

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it or say: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.dependencies: requirements.lock | .venv/bin/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	@touch $@

# Scanners need other versions of what the hub uses too, so they live apart from it. The lock names everything, extras among it,
# which pip would look for once more.
.cache/scanners/.installed: tools/scanners/requirements.lock | .venv/bin/python
	rm -rf .cache/scanners
	$(BIN)/python -m venv .cache/scanners
	.cache/scanners/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r $<
	@touch $@

.venv/.project: pyproject.toml .venv/.dependencies
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

static/vendor/.fingerprint: FORCE | .venv/bin/python
	@$(BIN)/python tools/vendor.py

%.mo: %.po .venv/.dependencies
	@$(BIN)/pybabel --quiet compile --input-file=$< --output-file=$@
