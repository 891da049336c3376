# Each target creates what it needs in .venv; the command is then .venv/bin/edgegan.
# PYTHON=... chooses the interpreter, EXTRAS=... the extras, PIP_FLAGS=... goes to every pip install.

PYTHON ?= $(shell for p in python3.11 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
EXTRAS ?= all,dev
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-all check bench docs clean

help:
	@echo "make demo      train briefly, export, benchmark and edit live, about 6 minutes on two cores; leaves demo/report.html"
	@echo "make test      the tests, without the slow ones, about 30 minutes on two cores"
	@echo "make test-all  every test"
	@echo "make check     lint, format and types"
	@echo "make bench     time the shipped model, then 75 s of the live loop (stages, age, drops, memory), and score how"
	@echo "               steady and true its video is; takes some minutes, leaves benchmarks/results/local*.json"
	@echo "make docs      the documentation as pages; leaves build/docs/index.html"
	@echo "make clean     remove .venv, caches and what make demo wrote"

venv: $(READY)

$(READY): pyproject.toml setup.py
	@test -n "$(PYTHON)" || { \
	  echo "No Python 3.11 or newer is here. Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); edgegan needs Python 3.11 or newer." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@echo "Installing into $(VENV); this takes some minutes and gigabytes, most of them for PyTorch"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) --upgrade pip
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) --editable '.[$(EXTRAS)]'
	@$(BIN)/python -c 'import cv2' 2>$(VENV)/cv2.log || { tail -n 1 $(VENV)/cv2.log >&2; \
	  echo "OpenCV cannot be loaded: it wants system libraries that are not here." >&2; \
	  echo "On Debian or Ubuntu: apt-get install libgl1 libglib2.0-0" >&2; exit 2; }
	@touch $@

demo: $(READY)
	$(BIN)/edgegan demo --out demo

test: $(READY)
	$(BIN)/python -m pytest -m "not slow"

test-all: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -p edgegan

bench: $(READY)
	@mkdir -p benchmarks/results
	$(BIN)/edgegan bench --json benchmarks/results/local.json
	$(BIN)/python benchmarks/budget.py
	$(BIN)/python benchmarks/paced.py --json benchmarks/results/local-live.json
	$(BIN)/python benchmarks/stability.py --json benchmarks/results/local-stability.json

docs: $(READY)
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) build dist demo edgegan.egg-info .mypy_cache .pytest_cache .coverage
	find . -type d \( -name __pycache__ -o -name .ruff_cache \) -prune -exec rm -rf {} +
