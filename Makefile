# What a developer needs; each target sets up what it uses. Another interpreter: `make setup PYTHON=python3.12`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.complete
# Twice quiet: errors only.
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
# Test processes share the cores, so each computes on one.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: setup demo test lint clean

setup: $(STAMP)

# Brought up to date in place when a requirement changes; the stamp is missing while that has not succeeded.
$(STAMP): pyproject.toml constraints.txt $(wildcard src/neumatc/_*.[ch])
	@echo "Setting up .venv (torch is large: this can take some minutes) ..."
	@rm -f $(STAMP)
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(PIP) install -c constraints.txt pip setuptools
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[cli,plots,test]' --group lint --group bench
	@touch $(STAMP)

demo: setup
	@$(BIN)/neumatc demo --output demo-output

test: setup
	$(ONE_THREAD) $(BIN)/pytest -q -n auto

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf .venv build dist demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	find src -name '*.so' -delete
