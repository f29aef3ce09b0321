# Everything here runs on a machine with only Python 3.11 or later and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Lists in pyproject.toml by their two names, such as `project dependencies`.
LISTED := $(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))[sys.argv[1]][sys.argv[2]])'
# Without a linker on the machine, a package brings one.
LINKER := $(if $(foreach name,cc gcc clang ld ld.lld,$(shell command -v $(name))),,ziglang)

# Installed again only when what to install has changed, so that a second `make demo` starts at once. The kernels are
# compiled while pip installs the libraries. The compiler is used once here, so pip need not compile its modules.
PROGRAM := $(VENV)/.program
KERNELS := setup.py $(wildcard converter/kernels/*.py converter/kernels/*/*.py) converter/schema/magnitudes.py converter/schema/tags.py
DEVELOPMENT := $(VENV)/.development

# The servers that tests talk to. Each has an environment of its own: what they need doesn't go together.
SERVERS := .servers
MINISTACK := $(SERVERS)/ministack/.installed
SWIFT := $(SERVERS)/swift/.installed
# Not servers, but kept apart for the same reason: what looks over the templates and state machines of schedules.
LINTERS := $(SERVERS)/cfn-lint/.installed $(SERVERS)/asl-validator/.installed

PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal --quiet

# Without bytecode, each process would compile the program and the tests again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo kernels check test lint test-slow test-faults test-examples docs servers bench fixtures clean

help:
	@echo 'make demo        convert a small export and show what came out'
	@echo 'make kernels     compile the kernels again, after a change of their sources'
	@echo 'make check       lint, types and the tests that need no server: what to run after each change'
	@echo 'make test        lint, types and all quick tests'
	@echo 'make test-slow   the tests that take longer'
	@echo 'make test-faults bad networks, kills, races and signals, in full'
	@echo 'make test-examples the properties, on all their examples'
	@echo 'make docs        build the documentation as a site, in build/docs'
	@echo 'make fuzz        damage lines for FUZZ_SECONDS (300), and compare what all paths make of them'
	@echo 'make servers     install the servers that tests start, and linters'
	@echo 'make bench       measure, beside what else one could use (about two and a half hours)'
	@echo 'make fixtures    make fixtures/, what they must become, the golden files and the reference pages again'
	@echo 'make clean       remove everything that was made here'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(PROGRAM): pyproject.toml constraints.txt $(KERNELS) | $(BIN)/python
	@echo 'installing into $(VENV) ...'
	@$(PIP) --no-compile $$($(LISTED) build-system requires) $(LINKER)
	@$(BIN)/python -m converter.kernels.toolchain.build > $(VENV)/kernels & compiler=$$!; \
		$(PIP) $$($(LISTED) project dependencies) || { kill $$compiler; exit 1; }; \
		wait $$compiler
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(DEVELOPMENT): $(PROGRAM)
	@$(PIP) --no-build-isolation --editable '.[dev,bench]'
	@touch $@

demo: $(PROGRAM)
	@rm -rf demo-output
	$(BIN)/ddb-convert convert fixtures/orders demo-output --key order_id
	@echo
	@cd demo-output && find dt=* _exports -name '*.parquet' -o -name '*.json' | sort | sed 's|^|  demo-output/|'
	@echo
	@$(BIN)/python -c "import converter; print(converter.scan('demo-output').head(5).collect())"

$(SERVERS)/%/.installed: tests/servers/%.txt
	@echo 'installing into $(@D) ...'
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# npm comes with Node: where there is none, tests with it are skipped.
$(SERVERS)/asl-validator/.installed: tests/servers/asl-validator.json
	@echo 'installing into $(@D) ...'
	@mkdir -p $(@D)
	@cp $< $(@D)/package.json
	@npm install --prefix $(@D) --no-package-lock --no-audit --no-fund --silent
	@touch $@

servers: $(MINISTACK) $(SWIFT) $(LINTERS)

kernels: $(DEVELOPMENT)
	@rm -f converter/kernels/native/*.so
	$(BIN)/python -m converter.kernels.toolchain.build

lint: $(DEVELOPMENT)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy --no-error-summary

check: lint
	$(PYTEST) -m 'not slow and not server' tests/unit tests/conformance tests/golden

test: lint $(MINISTACK)
	$(PYTEST) -m 'not slow'

# Some test is always slow: when none is collected, pytest's exit code 5 is the failure that it should be.
test-slow: $(DEVELOPMENT) $(MINISTACK)
	@$(MAKE) --no-print-directory $(SWIFT) || { test -z "$$CI" && echo 'Swift cannot be installed: no tests with it'; }
	@$(MAKE) --no-print-directory $(LINTERS) || { test -z "$$CI" && echo 'a linter cannot be installed: no tests with it'; }
	$(PYTEST) -m slow

# All faults that the slow tests play a part of.
test-faults: $(DEVELOPMENT) $(MINISTACK)
	FAULTS=all $(PYTEST) -m slow tests/faults

# All examples that the properties try a third of.
test-examples: $(DEVELOPMENT) $(MINISTACK)
	EXAMPLES=all $(PYTEST) -m 'hypothesis or slow' tests/properties
	EXAMPLES=all $(PYTEST) -m hypothesis tests/unit tests/end_to_end

# Without --quiet, which would hide warnings from --strict too.
docs: $(PROGRAM)
	@$(PIP) --no-build-isolation --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Prints its seed; FUZZ_SEED=N gives the same lines again.
FUZZ_SECONDS ?= 300
fuzz: $(DEVELOPMENT)
	$(BIN)/python -m tests.properties.fuzz_lines --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

# One measure alone: .venv/bin/python -m benchmarks.run startup
bench: $(DEVELOPMENT) $(MINISTACK)
	$(BIN)/python -m benchmarks

fixtures: $(DEVELOPMENT)
	$(BIN)/python -m fixtures.make
	$(BIN)/python -m fixtures.expect
	$(BIN)/python -m tests.golden.make_recipes
	$(BIN)/python -m tests.golden.make_schedules
	$(BIN)/python -m tests.golden.make_reference
	$(BIN)/python -m tests.golden.make_pictures

clean:
	rm -rf $(VENV) $(SERVERS) demo-output build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
