# make run     build what is needed and serve on 127.0.0.1:8000
# make demo    the same with invented data and simulated agents at work
# make test    the whole suite: SQLite, then PostgreSQL, a browser, a real OpenClaw gateway, the real Claude Code and Codex
#              (each where it can be had)
# make check   format, lint, types, templates, then `make test`
# make lock    lock what pyproject.toml asks for

SHELL := /bin/bash
VENV := .venv
# Compiled modules are kept: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
PYTHON := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null)
CHROMIUM ?= $(shell for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	command -v $$name && break; done)
# A Python 3.13 or newer that can build a virtual environment; the first `python3` may be older.
SYSTEM_PYTHON = $(shell for name in python3.14 python3.13 python3 /usr/bin/python3; do \
	$$name -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1 && command -v $$name && break; done)

.PHONY: run demo test test-sqlite test-postgres test-browser test-gateway test-programs check checks lock long drift bench screenshots format clean
.DELETE_ON_ERROR:

run: $(VENV)/.installed
	@echo "Starting Mission Control. Ctrl-C stops it; its data is in $(or $(DATA_DIR),data/)."
	@exec $(VENV)/bin/mission-control serve

demo: $(VENV)/.installed
	@echo "Starting a demo of Mission Control. Ctrl-C stops it; \`$(VENV)/bin/mission-control demo --wipe\` removes its data."
	@exec $(VENV)/bin/mission-control demo

$(PYTHON):
ifdef UV
	@tools/step "Making a virtual environment in $(VENV)" $(UV) venv --quiet --python '>=3.13' $(VENV)
else
	@test -n "$(SYSTEM_PYTHON)" || { echo "Mission Control needs Python 3.13 or newer with its venv module" \
		"(on Debian: apt install python3 python3-venv), or uv."; exit 1; }
	@tools/step "Making a virtual environment in $(VENV) with $(SYSTEM_PYTHON)" $(SYSTEM_PYTHON) -m venv $(VENV)
endif

$(VENV)/.installed: pyproject.toml requirements/run.txt | $(PYTHON)
	$(call install,run)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements/dev.txt | $(PYTHON)
	$(call install,dev)
	@touch $@ $(VENV)/.installed

INSTALL = $(if $(UV),$(UV) pip install --quiet --python $(PYTHON),$(PYTHON) -m pip install --quiet --disable-pip-version-check)
# Exactly what is locked, checked by its hashes; then this checkout, built by the locked builder.
define install
@tools/step "Installing the $$(grep -c '^[a-z].*==' requirements/$(1).txt) packages of requirements/$(1).txt" \
	$(INSTALL) --require-hashes --requirement requirements/$(1).txt
@tools/step "Installing Mission Control" $(INSTALL) --no-deps --no-build-isolation --editable .
endef

# Lock what pyproject.toml asks for, after it was changed; `make lock LOCK=--upgrade` takes newer releases.
lock: $(PYTHON)
	@$(PYTHON) -c 'import packaging' 2>/dev/null || $(MAKE) $(VENV)/.installed-dev
	$(PYTHON) -m tools.lock write $(LOCK)

# Databases of tests are in memory where that is a folder with room.
MEMORY := $(shell df --output=avail -k /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 2000000 {print "/dev/shm"}')
ifneq ($(MEMORY),)
export PYTEST_DEBUG_TEMPROOT ?= $(MEMORY)
endif
# Tests wait half of the time, for processes and clocks: three for each two cores. JOBS=0 runs them in one process, for
# a debugger. Those with a browser use the cores alone.
CORES := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
JOBS ?= $(shell expr '(' $(CORES) '*' 3 + 1 ')' / 2)
PYTEST = $(PYTHON) -m pytest --maxprocesses 8 --dist worksteal -n

test:
	@tools/parts all $(MAKE) --no-print-directory test-sqlite test-postgres test-browser test-gateway test-programs

test-sqlite: $(VENV)/.installed-dev
	@tools/parts one SQLite env -u TEST_DATABASE_URL $(PYTEST) $(JOBS) -m "not browser and not postgres"

# Only what uses a database, and says something about it: not what is marked `once`. Exit code 69 says that no server could be had; the reason was printed.
test-postgres: $(VENV)/.installed-dev
	@tools/parts one PostgreSQL $(PYTHON) -m tests.databases postgres -- $(PYTEST) $(JOBS) -m "database and not browser and not once"; code=$$?; \
	if [ $$code = 69 ]; then echo "LEFT OUT: the suite on PostgreSQL (reason above)."; else exit $$code; fi

test-browser: $(VENV)/.installed-dev
	@if [ -n "$(CHROMIUM)" ]; then \
		tools/parts one Browser env -u TEST_DATABASE_URL CHROMIUM="$(CHROMIUM)" $(PYTEST) $(if $(filter 0,$(JOBS)),0,auto) -m browser tests/browser; \
	else echo "LEFT OUT: browser tests, no Chromium found (set CHROMIUM=/path/to/chromium)."; fi

# One real OpenClaw gateway, installed from npm into ~/.cache (850 MB). Exit code 69 says that it cannot be had; in CI
# that fails.
test-gateway: $(VENV)/.installed-dev
	@$(PYTHON) -m tests.gateways.real_programs; code=$$?; \
	if [ $$code = 69 ]; then echo "LEFT OUT: tests with a real OpenClaw gateway (reason above)."; [ -z "$$CI" ]; \
	elif [ $$code = 0 ]; then \
		tools/parts one "OpenClaw gateway" env -u TEST_DATABASE_URL $(PYTHON) -m pytest -m gateway tests/gateways; \
	else exit $$code; fi

# The real Claude Code and Codex, installed from npm into ~/.cache with the other programs (1 GB).
test-programs: $(VENV)/.installed-dev
	@$(PYTHON) -m tests.programs.installing; code=$$?; \
	if [ $$code = 69 ]; then echo "LEFT OUT: tests with the real Claude Code and Codex (reason above)."; [ -z "$$CI" ]; \
	elif [ $$code = 0 ]; then \
		tools/parts one "Claude Code and Codex" env -u TEST_DATABASE_URL \
			$(PYTHON) -m pytest -m programs tests/programs; \
	else exit $$code; fi

check:
	@tools/parts all $(MAKE) --no-print-directory checks

checks: $(VENV)/.installed-dev
	@tools/parts one "Lock files" $(PYTHON) -m tools.lock check
	@tools/parts one Format $(PYTHON) -m ruff format --check .
	@tools/parts one Lint $(PYTHON) -m ruff check .
	@tools/parts one Types $(PYTHON) -m mypy
	@tools/parts one Ratchet $(PYTHON) -m tools.ratchet
	@tools/parts one "Layout of templates" $(PYTHON) -m djlint templates --check
	@tools/parts one Templates $(PYTHON) -m djlint templates --lint --quiet
	@tools/parts one "Rules of templates" $(PYTHON) -m pytest -q tests/contract/test_templates.py
	@$(MAKE) --no-print-directory test

# The long forms of tests: crash loop, hang-ups, restarts, soak, fuzzing, races for work, programs of others. Run by hand, an hour for each database;
# ROUNDS=50 makes them longer, SEED=n repeats what was printed.
LONG_TESTS := tests/long tests/database/test_database_cancellation.py tests/contract/test_fuzz.py tests/live/test_runs_machine.py \
	tests/runs/test_claims_races.py
long: $(VENV)/.installed-dev
	env -u TEST_DATABASE_URL LONG=1 $(PYTHON) -m pytest -s -m "not postgres" $(LONG_TESTS)
	@LONG=1 $(PYTHON) -m tests.databases postgres -- $(PYTHON) -m pytest -s $(LONG_TESTS); code=$$?; \
	if [ $$code = 69 ]; then echo "LEFT OUT: PostgreSQL (reason above)."; else exit $$code; fi

# What the newest Claude Code, Codex, opencode, Gemini CLI and adapters of ACP do differently; some minutes.
drift: $(VENV)/.installed-dev
	env -u TEST_DATABASE_URL $(PYTHON) -m tests.programs.drift

# One table of figures: req/s, latencies, CPU and SQL of a request, streams. BENCH="--database postgres" and others.
bench: $(VENV)/.installed-dev
	$(PYTHON) -m bench $(or $(BENCH),--keep .bench.json)

# The pictures of README.md and docs/, from the demo; Chromium is needed.
screenshots: $(VENV)/.installed-dev
	CHROMIUM="$(CHROMIUM)" $(PYTHON) -m tools.screenshots $(PICTURES)

format: $(VENV)/.installed-dev
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m djlint templates --reformat --quiet

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
