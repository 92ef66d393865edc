# Everything runs in .venv, made on first use from a bare clone: Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

# .venv keeps the Python that it was made with, until another one is asked for: make test PYTHON=python3.13
version = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifeq ($(origin PYTHON),file)
READY := $(firstword $(wildcard .venv/ready-*) .venv/ready-$(version))
else
READY := .venv/ready-$(version)
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test newest check bench accept gpu clean

help:
	@echo "make demo    capture a trained model over your Python's standard library and browse it"
	@echo "make test    run the tests"
	@echo "make newest  on the newest Python here and the newest releases: the tests that need no PyTorch, without it"
	@echo "make check   ruff, ruff format, mypy --strict"
	@echo "make bench   measure speed against named peers"
	@echo "make accept  measure losses on the paper's texts, where they are, and hold them to their figures"
	@echo "make gpu     on a machine with a GPU: all tests and benches that need one, in one go"
	@echo "make clean   remove .venv and caches"

# rnnviz scores n-grams itself; KenLM is there for the tests that compare with it, and does not compile on Python 3.13.
# It fixes its greatest order when it is compiled, and 21 is what a 20-gram in the paper's sense needs; pip's wheel cache
# knows nothing of MAX_ORDER, hence --no-cache-dir.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "'$(PYTHON)' does not run a Python 3.11 or later; name one: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 2; }
	@test -e $(READY) || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@! $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || \
	  MAX_ORDER=21 $(BIN)/python -m pip install --quiet --no-cache-dir --editable '.[kenlm]' >.venv/kenlm.log 2>&1 || \
	  echo "KenLM could not be built (.venv/kenlm.log says why): n-grams are scored by rnnviz itself" >&2
	@touch $(READY)

setup: $(READY)

demo: $(READY)
	@$(BIN)/rnnviz demo

test: $(READY)
	@$(BIN)/python -m pytest --ignore=tests/bench --ignore=tests/accept --numprocesses 4

newest:
	@.ci/newest

check: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python -m pytest tests/bench -s -q

accept: $(READY)
	@$(BIN)/python -m pytest tests/accept -s -q

gpu: $(READY)
	@$(BIN)/rnnviz doctor
	@$(BIN)/python -m pytest -m gpu tests -s -q

clean:
	rm -rf .venv .venv-newest .mypy_cache .ruff_cache .pytest_cache .hypothesis
