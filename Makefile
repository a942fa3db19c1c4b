# Everything happens in .venv, which is made on first use; only python3 (3.11 or later) with venv is needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
TIME ?= 300
# tests that go through all of a long list there, and through some of it in `make test`
LONG := $(addprefix tests/test_,prove.py conform.py mutants.py planted_traces.py museum.py c_implementation.py spec_text.py linux.py protocol.py generated.py \
	search.py symmetry.py liveness.py batch_reading.py compiled_reading.py readings_agree.py hostile_adapters.py)

.PHONY: check test lint fuzz mutants bench cross large huge museum generated clean

check: $(STAMP)
	$(BIN)/oneowner check

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

fuzz: $(STAMP)
	$(BIN)/oneowner fuzz py:oneowner.reference_impl --time $(TIME)
	ONEOWNER_DRAWN=1500 ONEOWNER_DRAWN_FROM=$$(date +%s) $(BIN)/python -m pytest -n 2 tests/test_random_specs.py
	ONEOWNER_DRAWN=10000 ONEOWNER_DRAWN_FROM=$$(date +%s) $(BIN)/python -m pytest -n 2 tests/test_histories.py
	ONEOWNER_SANITIZED=1 $(BIN)/python -m pytest tests/test_compiled_reading.py -k sanitizers
	ONEOWNER_EVERY=1 $(BIN)/python -m pytest -n 2 tests/test_device_search.py -k "whole_system"
	ONEOWNER_EVERY=1 $(BIN)/python -m pytest -n 2 $(LONG)
	ONEOWNER_WRONG=200 ONEOWNER_WRONG_FROM=$$(date +%s) $(BIN)/python -m pytest -n 2 tests/test_wrong_specs.py

# docs/teeth*.md: what suite, fuzzing and proof notice of small changes of the two implementations and of the specification; goes on
# where it was stopped.  Of mutants drawn at random, in seconds of one core: 120 in Python 27 s in the suite, which 13 survived; 60 in C
# 16 s, which 9 survived; 24 of the specification 147 s, which one survived.  What survives the suite is fuzzed for a minute each
mutants: $(STAMP)
	$(BIN)/python bench/mutants.py --write
	$(BIN)/python bench/mutants.py c --write
	$(BIN)/python bench/mutants.py spec --write

bench: $(STAMP)
	$(BIN)/python bench/bench.py
	$(BIN)/python bench/line.py
	$(BIN)/python bench/versus.py > benchmarks.new
	$(BIN)/python bench/limit.py >> benchmarks.new
	$(BIN)/python bench/whole.py >> benchmarks.new
	$(BIN)/python bench/card.py >> benchmarks.new
	$(BIN)/python bench/rooms.py >> benchmarks.new
	mv benchmarks.new docs/benchmarks.md

# every obligation by two solvers
cross: $(STAMP)
	$(BIN)/oneowner prove --second-solver cvc5 --format json > cross.json
	$(BIN)/python tools/cross.py < cross.json > docs/second-solver.md
	rm cross.json

large: $(STAMP)
	$(BIN)/oneowner explore --large --symmetry --can-return --leads-to --deadlock

# ends with 3, as it is stopped at its limit
huge: $(STAMP)
	cd bench && ../$(BIN)/oneowner explore --spec core:CORE_ORDERED --scope partitions=3,regions=4,ports=6,depth=2 \
		--max-states 1000000000 --memory 20 || test $$? -eq 3

museum: $(STAMP)
	$(BIN)/oneowner museum

# everything that is generated from the specification: pages, counts, the suite, figures in the documentation
generated: $(STAMP)
	$(BIN)/python tools/generated.py

clean:
	rm -rf .venv .oneowner .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)
