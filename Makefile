# Everything runs in .venv, made on first use from a bare clone: Python >= 3.11, a C++ compiler and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench gpu clean

help:
	@echo "make demo    capture a trained model over your Python's standard library and browse it"
	@echo "make test    run the tests"
	@echo "make check   ruff, ruff format, mypy --strict"
	@echo "make bench   measure speed against named peers"
	@echo "make gpu     on a machine with a GPU: all tests and benches that need one, in one go"
	@echo "make clean   remove .venv and caches"

# KenLM fixes its greatest order when it is compiled; 21 is what a 20-gram in the paper's sense needs.
# pip's wheel cache knows nothing of MAX_ORDER, hence --no-cache-dir.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rnnviz needs Python 3.11 or later; say which with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' && \
	  MAX_ORDER=21 $(BIN)/python -m pip install --quiet --no-cache-dir 'kenlm>=0.3,<0.4' || \
	  $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 13))'
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(READY)

setup: $(READY)

demo: $(READY)
	@$(BIN)/rnnviz demo

test: $(READY)
	@$(BIN)/python -m pytest --ignore=tests/bench --numprocesses 2

check: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python -m pytest tests/bench -s -q

gpu: $(READY)
	@$(BIN)/rnnviz doctor
	@$(BIN)/python -m pytest -m gpu tests -s -q

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
