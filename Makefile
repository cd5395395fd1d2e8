# make demo   set up, then the main job on a simulated cohort
# make test   set up, then every check: lint, types, import contracts, tests
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
BIN := .venv/bin
DEMO ?= demo

.PHONY: help env demo test lint types contracts tests bench drill fuzz test-old-kernel test-oldest test-pythons pictures lock licences wheel audit docs clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 18

env: .venv/.ready  ## The environment, from requirements.lock

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "uglyduck needs Python 3.11 or newer; set PYTHON=..."; exit 2; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.ready: requirements.lock pyproject.toml $(UV)
	$(UV) venv --quiet --allow-existing --python $$(.uv/bin/python -c 'import sys; print(sys.executable)') .venv
	$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

demo: env  ## Simulate a cohort, run every stage, say where things are
	$(BIN)/uglyduck demo --out $(DEMO)

test: lint types contracts tests  ## Every check

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env
	$(BIN)/mypy

contracts: env
	$(BIN)/lint-imports

tests: env
	$(BIN)/pytest -n 2

bench: env  ## Full-size timing, memory and figures; writes docs/performance.md and tables of other pages
	$(BIN)/pytest tests/benches -m bench -s

fuzz: env  ## 200,000 files changed at random through every reader
	$(BIN)/pytest tests/fuzz -m bench -s

test-old-kernel: env  ## The bundle's kernel on old libraries without network; downloads them
	$(BIN)/pytest tests/benches/test_old_kernel_bench.py -m bench -s

drill: env  ## Every fault at every moment (Linux, root; an hour of processor time); writes the table of docs/trust.md
	$(BIN)/python -m tests.faults

pictures: env  ## The picture of the README, from a simulated run
	$(BIN)/uglyduck demo --out build/pictures
	cp build/pictures/overview.svg docs/pictures/overview.svg

docs: env  ## The API reference from docstrings, as HTML; start at build/api/index.html
	$(BIN)/python -c 'import uglyduck; [getattr(uglyduck, name) for name in uglyduck.__all__]; from pdoc.__main__ import cli; cli()' \
	    --docformat google --math --output-directory build/api engine cohort cv_folds features image_embeddings ensemble \
	    submissions uglyduck '!image_embeddings.networks'
	echo '<!doctype html><title>uglyduck</title><meta http-equiv="refresh" content="0; url=uglyduck.html">' > build/api/index.html

lock: $(UV)  ## Resolve requirements.lock again (universal, hashes, no addresses)
	$(UV) pip compile pyproject.toml --extra images --group dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --custom-compile-command "make lock" --output-file requirements.lock --quiet

licences: env  ## docs/licences.md from what the locked packages state
	$(BIN)/python -m tests.supply_chain.locked

wheel: env  ## The wheel, with a CycloneDX SBOM of the locked packages in it
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null
	$(BIN)/python -m tests.supply_chain.sbom dist/*.whl

audit: $(UV)  ## Known weaknesses of the locked packages, where a database can be reached
	@$(UV) tool run --quiet pip-audit --vulnerability-service osv --disable-pip --no-deps --requirement requirements.lock \
	    --format json --output build-audit.json; status=$$?; \
	if [ -s build-audit.json ]; then cat build-audit.json; rm build-audit.json; exit $$status; \
	else rm -f build-audit.json; echo "skipped: no database of known weaknesses can be reached"; fi

test-pythons: env  ## The same submission on every installed Python, with the same libraries
	$(BIN)/pytest tests/benches/test_pythons_bench.py -m "bench or not bench" -s

# The resolution of every direct dependency to the oldest version that pyproject.toml allows.
test-oldest: $(UV)  ## The tests with the oldest direct dependencies; PYTESTS="tests/cohort" for some of them
	rm -rf .venv-oldest
	$(UV) venv --quiet --python $$(.uv/bin/python -c 'import sys; print(sys.executable)') .venv-oldest
	$(UV) pip compile --quiet pyproject.toml --extra images --group dev --universal --python-version 3.11 --resolution lowest-direct \
	    --no-annotate --no-header --output-file .venv-oldest/requirements.txt
	$(UV) pip install --quiet --python .venv-oldest/bin/python --requirement .venv-oldest/requirements.txt
	$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv-oldest/bin/python --editable .
	.venv-oldest/bin/pytest -n 2 $(PYTESTS)

clean:  ## Remove what make made
	rm -rf .venv .venv-oldest .uv build dist *.egg-info demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
