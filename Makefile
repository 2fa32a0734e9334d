# One command a verb. Each makes what it needs first: on an empty clone `make demo` is enough.
# `make` alone lists the verbs.

# The first interpreter that is new enough; `make test PYTHON=/some/python` takes another one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
# One thread a test process: two processes share the cores, and results do not depend on their number.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST := $(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help install demo test check soak bench docs lessons site lint format clean

help:  ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

install: $(INSTALLED)  ## make the environment .venv with the exact versions of constraints.txt

demo: $(INSTALLED)  ## train on a real table, report, and predict; everything lands in demo/
	mkdir -p demo
	$(BIN)/slalom fit examples/penguins.csv --target species \
		--out demo/penguins.slalom --report demo/penguins.html --store demo/runs
	$(BIN)/slalom predict demo/penguins.slalom examples/penguins.csv --out demo/predictions.csv
	@head -n 4 demo/predictions.csv
	@echo "Open demo/penguins.html in a browser."

test: $(INSTALLED)  ## the whole suite
	$(PYTEST)

check: lint  ## before a commit: the linters and the fast tests, in under a minute
	$(PYTEST) -m "not slow and not soak"

soak: $(INSTALLED)  ## what takes long: thousands of kills, damaged files, settings
	$(ONE_THREAD) $(BIN)/pytest -m soak

bench: $(INSTALLED)  ## every benchmark, one after another, into benchmarks/results/
	$(BIN)/pip install --quiet -c constraints.txt -e '.[bench]'
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

docs: $(INSTALLED)  ## draw the pictures of the README anew
	$(ONE_THREAD) $(BIN)/python docs/make_pictures.py

lessons: $(INSTALLED)  ## all lessons in both languages, as pages with pictures, in gallery/
	$(BIN)/slalom lessons --out gallery

site: $(INSTALLED)  ## the documentation and the lessons, as pages in site/ that need no server
	rm -rf site build/site
	mkdir -p build
	cp -RL docs/site build/site
	$(BIN)/sphinx-build -W --keep-going --quiet -d build/doctrees build/site site
	$(BIN)/slalom lessons --out site/lessons

lint: $(INSTALLED)  ## format, rules, strict types: reads only
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

format: $(INSTALLED)  ## rewrite files as `make lint` wants them, where that is safe
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:  ## remove everything that the other verbs made
	rm -rf .venv demo gallery site dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Slalom needs Python 3.11 or newer; none was found." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev,docs,polars,excel,onnx,tensorboard,mlflow,studio,notebook]'
	touch $@
