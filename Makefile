# Everything happens in .venv, with the versions of constraints.txt.
# Another interpreter: make PYTHON=/path/to/python3.12
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install -qq --disable-pip-version-check

# Two threads in each of two jobs are slower than one in each.
export OMP_NUM_THREADS ?= 1

# Finished studies, for `make pictures`: the default one, and those of the pages.
RESULTS ?= results/default

EXTRAS_run :=
EXTRAS_dev := [test,dev,docs,excel,outputs,parquet,postgresql,rocrate]

.PHONY: run test test-kernels faults lint docs package generate pictures constraints clean help

run: $(VENV)/.installed-run ## Run the study of config.yaml; ARGS="--cores 4" goes to `clusterflow run`
	@$(BIN)/clusterflow run $(ARGS)

test: $(VENV)/.installed-dev ## Run all tests; ARGS="-k sites" goes to pytest
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# Processors have kernels of BLAS that round differently. Every x86-64 has this one,
# and none that is sold today takes it by itself.
test-kernels: $(VENV)/.installed-dev ## Run the tests that rounding may turn, with another BLAS kernel
	@if [ -n "$$OPENBLAS_CORETYPE" ]; then \
	  echo "OPENBLAS_CORETYPE is set to $$OPENBLAS_CORETYPE: no tests with another kernel"; else \
	  OPENBLAS_CORETYPE=Prescott $(BIN)/python -m pytest -q -n 2 --dist worksteal -m rounding $(ARGS); fi

faults: $(VENV)/.installed-dev ## Kill, spoil and starve studies for an hour or more, with a table at the end
	CLUSTERFLOW_FAULTS=long $(BIN)/python -m pytest tests/faults $(ARGS)

lint: $(VENV)/.installed-dev ## Check style, types, workflow and spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --snakefile Snakefile --lint
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/codespell

docs: $(VENV)/.installed-dev ## Build the site of the documentation into build/docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs build/docs
	$(BIN)/clusterflow list clusters --html build/docs/clusters.html

package: $(VENV)/.installed-dev ## Build sdist and wheel into dist, and try the wheel in an empty folder
	PYTHON=$(PYTHON) .ci/package

generate: $(VENV)/.installed-run ## Write the schema of the settings anew
	$(BIN)/python -m clusterflow.study.template

pictures: $(VENV)/.installed-dev ## Make the pictures of README.md and docs/ from RESULTS=results/default, with Chromium
	@$(BIN)/python docs/make_pictures.py $(RESULTS)

constraints: ## Resolve all dependencies anew into constraints.txt
	@$(call need_python)
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python $(PIP_INSTALL) '.[test,dev,docs,excel,outputs,parquet,postgresql,rocrate,slurm]'
	{ sed -n '/^#/p' constraints.txt; build/constraints/bin/python -m pip freeze --exclude clusterflow; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints

clean: ## Remove .venv, builds and caches; results stay
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

# One stamp for each set of extras: pip runs only when what it would read has changed.
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing clusterflow$(EXTRAS_$*) into $(VENV) (one to three minutes the first time)"
	@$(BIN)/python $(PIP_INSTALL) --no-compile -c constraints.txt -e '.$(EXTRAS_$*)'
	@# On all cores, which pip does not; some packages carry files of other versions.
	@$(BIN)/python -m compileall -qq -j 0 src $(VENV)/lib || true
	@touch $@

$(VENV)/.created:
	@$(call need_python)
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: $(PYTHON) cannot make a virtual environment; install its venv module" >&2; exit 1; }
	@touch $@

define need_python
$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
  echo "error: $(PYTHON) is missing or is not Python 3.11 to 3.13; install Python 3.11," >&2; \
  echo "or name another one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
endef
