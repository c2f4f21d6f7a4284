# SPDX-License-Identifier: MIT
# A thin front door: what each target does is in CMake, the runners and tools/. On Debian and
# Ubuntu the targets install what they need; elsewhere they say what to install.

.DEFAULT_GOAL := help
.PHONY: bench bench-scale bench-short clean conformance coverage demo dist docs explore \
        format fuzz guard help hostile lint mutate setup-bench setup-build setup-fuzz \
        setup-lint setup-net setup-test setup-wheels simulate site soak test test-c \
        test-compat test-examples test-fuzz test-hostile test-interpreters test-kit test-lua \
        test-net test-package test-python test-ruby test-soak test-systems test-tools \
        test-wheels wheels

VENV := build/venv
PREFIX := build/prefix
BIN := $(VENV)/bin
HOURS := 1
MINUTES := 10
LUAS := 5.1 jit
SOAKED := --python $(BIN)/python --c build/dev/tests/soak_server
MUTATE_SHORT := --sample 100 --fail-under 95 --again --work build/mutation-short
TESTEES := --python $(BIN)/python --c build/dev/tests/testee_c
# The column of Ruby, where its module is built; looked at when it is needed. Its scenarios wait
# more than they compute.
RUBY_TESTEE = $(shell [ ! -e $(PREFIX)/ruby ] || echo '-j 3 --testee luasocket,c,lua,python,ruby \
    --command "ruby=tools/ruby.sh $(PREFIX) tests/conformance/testee.rb"')
# The tools of the environment come first, and a module path of the user's does no harm.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export LUA_PATH := $(CURDIR)/$(PREFIX)/share/lua/5.4/?.lua;$(CURDIR)/$(PREFIX)/share/lua/5.4/?/init.lua;;
export LUA_CPATH := $(CURDIR)/$(PREFIX)/lib/lua/5.4/?.so;;
unexport PYTHONPATH

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1:/' | \
	    awk -F: '{printf "  make %-14s %s\n", $$1, $$2}'

demo: setup-build $(PREFIX)/done $(VENV)/module ## build both modules; a Lua and a Python program talk
	@tools/demo.sh lua5.4 $(BIN)/python

SUITES := test-c test-fuzz test-lua test-python test-ruby test-examples test-tools conformance \
    test-kit test-compat test-hostile test-soak guard test-package test-wheels

test: setup-test ## run every test; a line for each suite at the end
	+@MAKE="$(MAKE)" tools/suites.sh $(SUITES)

test-c: setup-test $(VENV)/tools ## the C units, also under ASan and UBSan; those with threads under TSan
	cmake --preset dev --log-level=WARNING && cmake --build --preset dev
	ctest --preset dev
	cmake --preset asan --log-level=WARNING && cmake --build --preset asan
	ctest --preset asan
	cmake --preset tsan --log-level=WARNING && cmake --build --preset tsan
	ctest --preset tsan

test-fuzz: setup-fuzz $(VENV)/tools ## the fuzzers in short; only their seeds where CI is set: their seeds, and inputs made of them
	cmake --preset fuzz --log-level=WARNING && cmake --build --preset fuzz
	tools/fuzz.sh short

fuzz: setup-fuzz $(VENV)/tools ## each fuzzer for MINUTES=10, two at a time
	cmake --preset fuzz --log-level=WARNING && cmake --build --preset fuzz
	tools/fuzz.sh $(MINUTES)

coverage: setup-test $(VENV)/coverage ## lines of the core that its tests run; at least 97 %
	tools/coverage.sh

test-lua: setup-test $(PREFIX)/done ## the tests of the Lua module
	busted --lua=$$(command -v lua5.4) -o plainTerminal tests/lua
	tests/lua/versions.sh $(LUAS)

test-python: setup-test $(VENV)/module ## the tests of the Python module
	$(BIN)/python -m pytest

test-ruby: setup-test $(PREFIX)/ruby ## the tests of the Ruby module; skipped where there is no Ruby
	if [ -e $(PREFIX)/ruby ]; then tools/ruby.sh $(PREFIX) -w tests/ruby/all.rb; fi

test-examples: setup-test $(PREFIX)/done $(VENV)/module ## the code in README and guides; servers against clients that behave badly
	$(BIN)/python -m pytest -n 8 tests/examples

test-tools: setup-test $(VENV)/tools ## the checks of make lint find what they should
	$(BIN)/python -m pytest tests/tools
	$(BIN)/python tests/mutation/test_mutation.py

conformance: setup-test $(PREFIX)/done $(PREFIX)/ruby $(VENV)/module build/dev/tests/testee_c ## all languages, C and LuaSocket alike; writes a report
	$(BIN)/python tests/conformance/test_driver.py
	$(BIN)/python tests/conformance/explore.py --budget 20 $(TESTEES)
	$(BIN)/python tests/conformance/run.py --report build/conformance $(TESTEES) $(RUBY_TESTEE)
	$(BIN)/python tests/conformance/pages.py --results build/conformance/report.json --check

test-kit: setup-test $(VENV)/module ## the suite as a package of its own, and the starter of its page
	$(BIN)/python tests/conformance/test_kit.py
	$(BIN)/python tests/conformance/test_package.py $(BIN)/python

explore: setup-test $(PREFIX)/done $(VENV)/module build/dev/tests/testee_c ## random dialogues in all languages, for HOURS=1
	$(BIN)/python tests/conformance/explore.py $(TESTEES) --seed $$$$ \
	    --budget $$(($(HOURS) * 3600))

simulate: setup-test $(VENV)/tools ## the core in simulated worlds with every fault, for HOURS=1; a failing one is shortened
	cmake --preset dev --log-level=WARNING && cmake --build --preset dev --target simulate
	build/dev/tests/simulate/simulate --random --tally --seconds $$(($(HOURS) * 3600))

mutate: setup-test $(VENV)/tools ## do the tests find small faults in the code? hours; continues where it stopped; SHORT=1: a sample
	$(BIN)/python tests/mutation/mutate.py $(if $(SHORT),$(MUTATE_SHORT))

test-compat: setup-test $(PREFIX)/done $(VENV)/tools ## programs made for LuaSocket, on both libraries
	$(BIN)/python tests/compat/run.py

test-soak: setup-test $(PREFIX)/done $(VENV)/module build/dev/tests/soak_server ## servers whose clients reset, or read slowly; 3 s each
	$(BIN)/python tests/soak/soak.py --seconds 3 $(SOAKED)

soak: setup-test $(PREFIX)/done $(VENV)/module build/dev/tests/soak_server ## the same, a minute each
	$(BIN)/python tests/soak/soak.py $(SOAKED)

test-hostile: setup-test $(PREFIX)/done $(VENV)/module build/dev/tests/testee_c ## peers that mean no good; no descriptors, memory, threads
	$(BIN)/python -m pytest tests/hostile

hostile: setup-test $(PREFIX)/done $(VENV)/module build/dev/tests/testee_c ## the same, twenty times as much; and a fork before every instruction of calls
	$(BIN)/python -m pytest tests/hostile --long
	build/dev/tests/core/test_fork_steps 1

test-net: setup-net $(PREFIX)/done $(VENV)/module build/dev/tests/testee_c ## bad networks and name servers, in network namespaces; 5 minutes
	$(BIN)/python tests/net/run.py $(if $(ONLY),-k "$(ONLY)")

test-package: setup-test $(VENV)/tools ## the ways to install: pip, luarocks, cmake
	tools/test_packages.sh

test-wheels: setup-test ## build and test wheels for the installed interpreters and this machine
	python3 tools/wheels.py --short

wheels: setup-wheels ## the same for manylinux2014 and musllinux, x86_64 and aarch64; in build/wheels/dist
	python3 tools/wheels.py

test-interpreters: setup-test ## the tests of the Python module with each installed interpreter, and FREE_THREADED=PATH
	python3 tools/interpreters.py

# What a machine cannot install it cannot test, and the systems that need it are skipped.
test-systems: setup-test $(VENV)/tools ## other systems and other versions of Lua; SHORT=1: in minutes
	-@tools/setup.sh systems$(if $(SHORT),-short)
	-@$(BIN)/pip install -q --disable-pip-version-check ziglang==0.15.1
	$(BIN)/python tools/test_systems.py $(if $(SHORT),--short)

guard: setup-test $(PREFIX)/done $(VENV)/module ## count instructions per operation, and compare them with the limits
	$(BIN)/python tests/bench/guard.py --prefix $(PREFIX) --python $(BIN)/python

bench: setup-bench $(PREFIX)/done $(VENV)/module $(VENV)/bench ## measure against the peers; writes docs/benchmarks.md
	$(BIN)/python tests/bench/run.py --prefix $(PREFIX) --python $(BIN)/python

bench-short: setup-bench $(PREFIX)/done $(VENV)/module $(VENV)/bench ## the same in a minute
	$(BIN)/python tests/bench/run.py --short --prefix $(PREFIX) --python $(BIN)/python \
	    --output build/bench-short/benchmarks.md

bench-scale: setup-bench $(PREFIX)/done $(VENV)/module $(VENV)/bench ## measure servers with many connections; writes its section
	$(BIN)/python tests/bench/scale.py --prefix $(PREFIX) --python $(BIN)/python

lint: setup-lint $(VENV)/module $(VENV)/site ## formatters, linters, type checker, both compilers
	tools/lint.sh

format: setup-lint $(VENV)/tools ## format all code
	git ls-files '*.c' '*.h' | xargs clang-format -i
	ruff format . && ruff check --fix .

docs: setup-build $(VENV)/tools ## stubs, annotations and the reference from the interface
	$(BIN)/python swig/stubs.py
	$(BIN)/python tests/conformance/interface.py
	$(BIN)/python tests/conformance/pages.py

site: setup-build $(VENV)/site ## the documents as a site with search, in build/site/html; with the last report
	$(BIN)/python tools/site/build.py

dist: setup-build $(VENV)/tools ## the archives of a release and its rockspec, in build/dist
	tools/dist.sh

clean: ## remove what was built
	rm -rf build

setup-build setup-test setup-fuzz setup-lint setup-bench setup-net setup-wheels: setup-%:
	@tools/setup.sh $*

SOURCES := $(shell find core swig -name '*.[chi]' -o -name '*.def') CMakeLists.txt

$(VENV)/tools: tools/requirements.txt | setup-build
	python3 -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -r tools/requirements.txt
	swig -version | grep -qE 'Version (4\.[1-9]|[5-9])' || \
	    $(BIN)/pip install -q --disable-pip-version-check 'swig>=4.1,<5' # Ubuntu 22.04 has 4.0
	touch $@

$(VENV)/site: $(VENV)/tools
	$(BIN)/pip install -q --disable-pip-version-check 'mkdocs-material>=9.6,<10'
	touch $@

$(VENV)/bench: $(VENV)/tools
	$(BIN)/pip install -q --disable-pip-version-check boltons matplotlib uvloop
	touch $@

$(VENV)/coverage: $(VENV)/tools
	$(BIN)/pip install -q --disable-pip-version-check gcovr
	touch $@

$(PREFIX)/done: $(SOURCES) $(wildcard lua/polysock/*) CMakePresets.json $(VENV)/tools
	cmake --preset release -DPOLYSOCK_PYTHON=OFF && cmake --build --preset release
	cmake --install build/release --prefix $(PREFIX) >/dev/null
	touch $@

# Where Ruby is not to be had, this says why, and there is no such file.
$(PREFIX)/ruby: $(PREFIX)/done $(SOURCES) ruby/polysock.rb | setup-test
	@if tools/ruby.sh --check; then set -e; \
	    cmake --preset release -DPOLYSOCK_PYTHON=OFF -DPOLYSOCK_RUBY=ON; \
	    cmake --build --preset release; \
	    cmake --install build/release --prefix $(PREFIX) --component ruby >/dev/null; touch $@; \
	else echo "the Ruby module is skipped"; fi

build/dev/tests/testee_c build/dev/tests/soak_server: $(SOURCES) tests/conformance/testee.c tests/soak/serve.c $(VENV)/tools
	cmake --preset dev --log-level=WARNING && cmake --build --preset dev

$(VENV)/module: $(SOURCES) $(wildcard python/polysock/* python/polysock/*/*) pyproject.toml $(VENV)/tools
	$(BIN)/pip install -q --disable-pip-version-check --force-reinstall --no-deps .
	touch $@
