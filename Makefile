# Two commands for a newcomer: `make demo` (set up, run the main job) and `make test` (set up, pass the tests).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test fuzz setup docs bench lock format clean

demo: $(VENV)/.ready
	$(BIN)/ruleforge sample indiana sample --pupils 500 --seed 1
	$(BIN)/ruleforge check indiana.special_education sample --set school_year=2023-24 \
	  --set count_date=2023-12-01 --as-of 2023-12-05 --fail-on never

test: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ruleforge fmt --check rulebooks
	$(BIN)/pytest
	$(BIN)/ruleforge test rulebooks --coverage

# 100,000 rulebooks with something wrong in them, in some minutes: none may crash, take a second or be told a mistake
# without a place. Another set of them: make fuzz SEED=2.
SEED ?= 1
fuzz: $(VENV)/.ready
	$(BIN)/python tests/fuzz/fuzz_load.py --inputs 100000 --seed $(SEED)

setup: $(VENV)/.ready

# The pages under docs/, as a site in site/.
docs: $(VENV)/.ready
	$(BIN)/mkdocs build --strict

$(VENV)/.ready: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

# RuleForge beside Polars and DuckDB by hand; benchmarks/README.md has the figures of larger districts.
bench: $(VENV)/.ready
	$(BIN)/python benchmarks/indiana.py --pupils 100000 --repeat 3

# The versions that the tests run with, as of now. Run it to move them.
lock:
	$(PYTHON) -m venv --clear $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet hatchling editables
	$(VENV)-lock/bin/pip install --quiet --upgrade pip
	$(VENV)-lock/bin/pip install --quiet --group dev -e .
	$(VENV)-lock/bin/pip freeze --exclude-editable --exclude pip --exclude setuptools > requirements-dev.txt

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/ruleforge fmt rulebooks

clean:
	rm -rf $(VENV) sample build dist site
