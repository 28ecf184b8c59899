# make demo   train, test and use a small X-CLIP, from nothing, in minutes
# make test   the whole test suite
# make quick  what of it needs no training and no other process: before a commit
# make docs   the site, in docs/_build/html
# make lint   what continuous integration checks beside the tests
#
# All of them make a virtual environment in .venv when there is none. Where PyPI's
# torch (with CUDA, several GB) is not wanted:
#     PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := $(BIN)/uv pip install --python $(BIN)/python
# MMPretrain imports it; PyPI's builds do not load beside a torch for the CPU alone.
TORCHVISION := .cache/torchvision
HEADLESS := opencv-contrib-python-headless==4.11.0.86
export OMP_NUM_THREADS ?= 1

.PHONY: demo docs format install lint quick test

demo: install
	PATH="$(abspath $(BIN)):$$PATH" tools/demo.sh

test: install $(TORCHVISION)
	$(BIN)/python -m pytest -n 3 --dist worksteal

# Whoever wants this has an environment, which is taken as it is.
quick: | $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow'

# Warnings are errors. What is installed for it changes no version of the lock.
docs: install
	$(UV) -q -r requirements/docs.txt -c requirements/lock.txt
	$(BIN)/python -m sphinx -qW --keep-going docs docs/_build/html

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(INSTALLED)

$(INSTALLED): requirements/lock.txt setup.py pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info[:2] in [(3, 11), (3, 12)] or sys.exit( \
		"needs Python 3.11 or 3.12, e.g. make PYTHON=python3.11 ...; this is " \
		+ sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	# Which build of torch fits a machine, pip's settings say; uv, which does not read
	# them, installs all else in a tenth of pip's time.
	$(PIP) install --no-compile --no-deps $$(grep -E '^(torch|uv)==' $<)
	$(UV) -r $<
	$(UV) --no-deps --no-build-isolation -e .
	# Machines without a screen may lack libGL, which OpenCV's default build needs.
	$(BIN)/python -c 'import cv2' 2> /dev/null || $(UV) --no-deps $(HEADLESS)
	touch $@

$(TORCHVISION): | $(INSTALLED)
	$(UV) -q --no-deps --target $@ torchvision==0.28.0
