# Every target sets itself up: Python 3.11+ and make are all that is needed.
.DEFAULT_GOAL := help
.PHONY: help install alone demo dev test test-all lint format bench dashboards docs clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Sizes of the demo, by their students without Cornell's. From `sample` on there are enough
# students to show every headline row.
SIZE ?= sample
students_small := 400
students_sample := 1200
students_county := 25000
STUDENTS := $(or $(students_$(SIZE)),$(error SIZE is small, sample or county, not $(SIZE)))
WAREHOUSE := $(or $(OUTCOMES_WAREHOUSE_DIR),.warehouse)
# As Settings.files_dir.
FILES := $(WAREHOUSE)$(addprefix /databases/,$(filter-out outcomes,$(OUTCOMES_PG_DATABASE)))
DEMO := $(FILES)/demo$(if $(filter-out sample,$(SIZE)),-$(SIZE))
# Invented people are never linked with others: a demo of another size, or what has landed
# here without the demo.
OTHERS := $(filter-out $(DEMO),$(wildcard $(FILES)/demo*)) \
	$(if $(wildcard $(DEMO)),,$(wildcard $(or $(OUTCOMES_ARCHIVE_DIR),$(FILES)/archive)))

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=python3.x" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

# Without a prerequisite, because it may have a person's own connection.
profiles.yml:
	cp profiles.example.yml profiles.yml

install: $(VENV)/installed profiles.yml  ## Make the virtual environment and the dbt profile

$(DEMO)/drops: | $(VENV)/installed
	$(BIN)/python -m demo $(DEMO) --students $(STUDENTS)

alone:
	@test -z "$(strip $(OTHERS))" || { echo "error: other deliveries are in this warehouse:" \
		"$(strip $(OTHERS)). Give the demo a warehouse of its own, for example" \
		"\`export OUTCOMES_WAREHOUSE_DIR=~/demo-$(SIZE) OUTCOMES_PG_PORT=54330\`. Or, if nothing" \
		"here is real, delete it: \`$(BIN)/outcomes warehouse reset --yes && rm -r $(FILES)\`." \
		>&2; exit 1; }

demo: alone install $(DEMO)/drops  ## From nothing to marts on invented deliveries; SIZE=small, sample or county
	@$(BIN)/outcomes warehouse start
	@$(BIN)/outcomes access apply > /dev/null
	@$(BIN)/outcomes weekly $(DEMO)/drops || [ $$? -eq 3 ]

# What changed since this commit is built; everything else is read from what is published.
BASE ?= main

dev: install  ## Build what you changed since BASE=main, and what reads it, into your own schemas
	@rm -rf target/base && mkdir -p target/base
	@git archive $$(git merge-base HEAD $(BASE)) | tar -x -C target/base
	@$(BIN)/dbt --quiet parse --target in_place --project-dir target/base --profiles-dir . \
		--target-path $(CURDIR)/target/published
	$(BIN)/dbt build --select state:modified+ --defer --state target/published

PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

test: install  ## Run the tests, on two cores
	$(PYTEST)

test-all: install  ## Run those, too, that are long by nature, and try more examples
	$(PYTEST) -m '' --hypothesis-profile many

lint: install  ## Check style and types
	$(BIN)/ruff check scripts tests
	$(BIN)/ruff format --check scripts tests
	$(BIN)/mypy
	$(BIN)/sqlfluff lint models tests functions

format: install  ## Put style right where a tool can
	$(BIN)/ruff check --fix scripts tests
	$(BIN)/ruff format scripts tests
	$(BIN)/sqlfluff fix models tests functions

bench: install  ## Measure speed; figures under target/bench.json
	$(BIN)/python -m bench

dashboards: install  ## Serve the dashboards, in a browser
	@$(BIN)/outcomes dashboards

docs: install  ## Describe the models and their lineage, in a browser
	$(BIN)/dbt docs generate --target in_place
	$(BIN)/dbt docs serve

clean:  ## Remove what can be made again; the warehouse stays
	rm -rf $(VENV) target logs .pytest_cache .mypy_cache .ruff_cache
