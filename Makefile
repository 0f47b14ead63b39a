# Two commands do everything on a bare machine: `make quickstart` and `make test`.
.PHONY: quickstart setup test check unit processes browser docker engine packaging soak bench rows mutants

quickstart:
	./setup.sh
	.venv/bin/evalkit run --suite quickstart

setup:
	./setup.sh dev

test: setup check unit processes browser docker engine packaging

check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

unit:
	.venv/bin/pytest tests/unit -n auto

processes:
	.venv/bin/pytest tests/processes tests/notebooks -n auto

# Reports as Chromium and Firefox show them.
browser:
	.venv/bin/pytest tests/browser

# First what needs the daemon for itself; it also makes the images that two workers would make twice.
docker:
	.venv/bin/pytest tests/docker -m alone
	.venv/bin/pytest tests/docker -m "not alone" -n 2 --dist loadfile

# A start takes over a minute, most of it on one core.
engine:
	.venv/bin/pytest tests/engine -m "alone and not soak"
	.venv/bin/pytest tests/engine -m "not alone" -n 2 --dist loadfile

packaging:
	.venv/bin/pytest tests/packaging

# Runs killed at random instants, as many of them as a night holds; each process of an engine, killed and frozen.
soak:
	.venv/bin/pytest tests/engine/test_supervised.py
	.venv/bin/pytest tests/docker/campaign/test_kills.py --kills 200 --timeout 7200

# CHART=FILE draws the table. Over an hour on 2 cores: mini-swe-agent and the real engine take most of it.
bench:
	.venv/bin/python -m tests.benchmarks $(if $(CHART),--chart $(CHART))
	.venv/bin/python -m tests.benchmarks.engine
	.venv/bin/python -m tests.benchmarks.many
	.venv/bin/python -m tests.benchmarks.html_report

# The table of attacks and faults, each row tried; and each defence turned off in a copy.
rows:
	.venv/bin/pytest tests/unit tests/processes tests/docker -m row --rows

mutants:
	.venv/bin/python -m tests.mutants
