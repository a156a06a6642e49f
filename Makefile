# The front door. Each target is at most three lines; whatever is longer is a script with a docstring.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help up test ui services compose check fix simulate chaos bench docs screenshots protos lock
help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

up:  ## install what is missing and start LinkFlow with its own PostgreSQL on :8000 (LINKFLOW_PORT)
	@$(PYTHON) scripts/prepare.py run
	@exec $(BIN)/linkflow up

test:  ## set up what is missing and run every test (ARGS="tests/unit -k join" for some)
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not alone" $(ARGS)
	@$(BIN)/python -m pytest -m alone $(ARGS)

ui:  ## build the editor again, and say why where it cannot be built
	@$(PYTHON) scripts/prepare.py run

services:  ## start real Redis and RabbitMQ for the tests, installing them when missing (ARGS=--install-only)
	@$(PYTHON) scripts/prepare.py dev
	@exec $(BIN)/python scripts/services.py $(ARGS)

compose:  ## build the image and start every service in a container of its own, with secrets made up once
	@$(PYTHON) scripts/compose.py $(ARGS)

check:  ## ruff, types, import contracts, links in the docs, dependencies
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python scripts/check.py

fix:  ## mend what ruff can mend, and format
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

simulate:  ## live through many simulated failures of the engine (SEEDS=10000)
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python -m linkflow.testing.simulation $(or $(SEEDS),10000)

chaos:  ## kill, wipe, cut and restart everything while work goes on (FULL=1 for the promised numbers)
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python -m pytest tests/faults tests/split $(if $(FULL),--full) $(ARGS)

bench:  ## measure LinkFlow and this machine's limits; a table and JSON (minutes)
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python -m bench $(ARGS)

docs:  ## write the generated reference pages again
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python scripts/docs.py

screenshots:  ## take the pictures of README and docs again (ARGS="home editor" for some)
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python scripts/screenshots.py $(ARGS)

protos:  ## compile proto/ again into src/linkflow/adapters/grpc/_gen
	@$(PYTHON) scripts/prepare.py dev
	@$(BIN)/python scripts/protos.py

lock:  ## pin dependencies again after a change in pyproject.toml (ARGS=--upgrade for newer ones)
	@$(PYTHON) scripts/lock.py $(ARGS)
