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

.PHONY: help run demo test test-all test-rest test-sqlite test-postgres test-browser test-programs test-gateway check checks \
	further lock long drift bench screenshots format clean
.DELETE_ON_ERROR:

help: ## list what make can do
	@grep -hE '^[a-z-]+:.* ## ' Makefile | awk -F ':.* ## ' '{printf "make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.installed ## install and serve on http://127.0.0.1:8000
	@echo "Starting Mission Control. Ctrl-C stops it; its data is in $(or $(DATA_DIR),data/)."
	@exec $(VENV)/bin/mission-control serve

demo: $(VENV)/.installed ## the same with invented data and simulated agents at work
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
lock: $(PYTHON) ## lock what pyproject.toml asks for; LOCK=--upgrade takes newer releases
	@$(PYTHON) -c 'import packaging' 2>/dev/null || $(MAKE) $(VENV)/.installed-dev
	$(PYTHON) -m tools.lock write $(LOCK)

# Databases of tests are in memory where that is a folder with room.
MEMORY := $(shell df --output=avail -k /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 2000000 {print "/dev/shm"}')
ifneq ($(MEMORY),)
export PYTEST_DEBUG_TEMPROOT ?= $(MEMORY)
endif
# Tests wait half of the time, for processes and clocks: three for each two cores. JOBS=0 runs them in one process, for a
# debugger. Those with a browser use the cores alone.
CORES := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
JOBS ?= $(shell expr '(' $(CORES) '*' 3 + 1 ')' / 2)
PYTEST = $(PYTHON) -m pytest --maxprocesses 8 --dist worksteal -n

# `thorough` tests, what is no matter of the kind of database on PostgreSQL, and programs from npm are `test-rest`.
REST := $(filter rest,$(TESTS))
LESS := $(if $(REST),thorough,not thorough)
ON_POSTGRES := (postgres or dialect) and not thorough
WAYS := test-sqlite test-postgres test-browser
PARTS_OF = tools/parts all $(MAKE) --no-print-directory --keep-going

test: ## run the tests (ten minutes): SQLite, PostgreSQL and a browser where they can be had
	@$(PARTS_OF) $(WAYS) $(if $(ALL),,further)

test-all: ## run all tests (an hour; npm downloads 2 GB into ~/.cache)
	@$(PARTS_OF) ALL=1 test test-rest

test-rest: ## run what `make test` leaves out
	@$(PARTS_OF) TESTS=rest $(WAYS) test-programs test-gateway

further:
	@tools/parts left "further cases on both databases and in a browser, real coding agents and a real OpenClaw gateway: \`make test-all\`"

test-sqlite: $(VENV)/.installed-dev ## the part on SQLite
	@tools/parts one SQLite env -u TEST_DATABASE_URL $(PYTEST) $(JOBS) -m "not browser and not postgres and $(LESS)"

test-postgres: $(VENV)/.installed-dev ## the part on PostgreSQL: what behaves by the kind of database
	@tools/parts one PostgreSQL --or "install PostgreSQL (Debian: apt install postgresql), or name a server's empty database by TEST_DATABASE_URL" \
		$(PYTHON) -m tests.databases postgres -- \
		$(PYTEST) $(JOBS) -m "database and not browser and not once and $(if $(REST),not ($(ON_POSTGRES)),($(ON_POSTGRES)))"

test-browser: $(VENV)/.installed-dev ## the part in a browser: pages live, answer and keep what is typed
	@tools/parts one Browser --or "install Chromium (Debian: apt install chromium), or name it by CHROMIUM=/path/to/chromium" \
		$(if $(CHROMIUM),env -u TEST_DATABASE_URL CHROMIUM="$(CHROMIUM)" \
		$(PYTEST) $(if $(filter 0,$(JOBS)),0,auto) -m "browser and $(LESS)" tests/browser,bash -c "exit 69")

test-programs: $(VENV)/.installed-dev ## real Claude Code and Codex, generated clients and others from npm (2 GB in ~/.cache and build/)
	@tools/parts one "Claude Code and Codex" --or "install npm; the reason is printed above" bash -c \
		'$(PYTHON) -m tests.programs.installing && exec env -u TEST_DATABASE_URL $(PYTHON) -m pytest -m programs tests/programs'
	@tools/parts one "Other programs of npm" --or "install npm" $(if $(shell command -v npm),env -u TEST_DATABASE_URL \
		$(PYTEST) $(JOBS) -m programs --ignore tests/programs,bash -c "exit 69")

test-gateway: $(VENV)/.installed-dev ## a real OpenClaw gateway from npm (850 MB in ~/.cache)
	@tools/parts one "OpenClaw gateway" --or "install npm; the reason is printed above" bash -c \
		'$(PYTHON) -m tests.gateways.real_programs && exec env -u TEST_DATABASE_URL $(PYTHON) -m pytest -m gateway tests/gateways'

check: ## format, lint, types, the ratchet and templates, without tests
	@$(PARTS_OF) checks

checks: $(VENV)/.installed-dev
	@tools/parts one "Lock files" $(PYTHON) -m tools.lock check
	@tools/parts one Format $(PYTHON) -m ruff format --check .
	@tools/parts one Lint $(PYTHON) -m ruff check .
	@tools/parts one Types $(PYTHON) -m mypy
	@tools/parts one Ratchet $(PYTHON) -m tools.ratchet
	@tools/parts one "Layout of templates" $(PYTHON) -m djlint templates --check
	@tools/parts one Templates $(PYTHON) -m djlint templates --lint --quiet

# The long forms of tests: crash loop, hang-ups, restarts, soak, fuzzing, races for work, programs of others. Run by hand, an hour for each database;
# ROUNDS=50 makes them longer, SEED=n repeats what was printed.
LONG_TESTS := tests/long tests/database/test_database_cancellation.py tests/contract/test_fuzz.py tests/live/test_runs_machine.py \
	tests/runs/test_claims_races.py
long: $(VENV)/.installed-dev ## long forms of tests: crashes, races, soak, programs of others (an hour for each database)
	env -u TEST_DATABASE_URL LONG=1 $(PYTHON) -m pytest -s -m "not postgres" $(LONG_TESTS)
	@LONG=1 $(PYTHON) -m tests.databases postgres -- $(PYTHON) -m pytest -s $(LONG_TESTS); code=$$?; \
	if [ $$code = 69 ]; then echo "LEFT OUT: PostgreSQL (reason above)."; else exit $$code; fi

# What the newest Claude Code, Codex, opencode, Gemini CLI and adapters of ACP do differently; some minutes.
drift: $(VENV)/.installed-dev ## what the newest coding agents do differently
	env -u TEST_DATABASE_URL $(PYTHON) -m tests.programs.drift

# One table of figures: req/s, latencies, CPU and SQL of a request, streams. BENCH="--database postgres" and others.
bench: $(VENV)/.installed-dev ## one table of figures
	$(PYTHON) -m bench $(or $(BENCH),--keep .bench.json)

# The pictures of README.md and docs/, from the demo; Chromium is needed.
screenshots: $(VENV)/.installed-dev ## the pictures of README.md and docs/
	CHROMIUM="$(CHROMIUM)" $(PYTHON) -m tools.screenshots $(PICTURES)

format: $(VENV)/.installed-dev ## format Python and templates
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m djlint templates --reformat --quiet

clean: ## remove what was installed and built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
