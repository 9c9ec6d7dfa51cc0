# The two commands of README.md, and what they are made of. Each does its own set-up (Debian 12, root).

PYTHON := /usr/bin/python3

release := .build/release/runtime-manager
# Run-time checks of exclusive access are a fifth of a relayed call's instructions. Debug builds have them, and so all
# tests; nearly everything here is confined to one event loop.
# And libstdc++ linked in, of which a fifth is used, takes 1 MB less memory than the shared one: it is looked for where
# there is no shared one.
static := $(CURDIR)/.build/static
release-flags := -c release --static-swift-stdlib --disable-local-rpath -Xswiftc -enforce-exclusivity=unchecked \
  -Xlinker -L$(static)
debug := .build/debug/runtime-manager
SUITES := Tests/CommandLine Tests/Wire Tests/Admin Tests/Containerd Tests/Faults Tests/Security Tests/Bench Tests/Soak Tests/Node Tests/Upgrade Tests/Package Tests/Documentation

# Those that run the binary under test. Of the others, Package runs the packaged one, Bench, Soak and Documentation none.
INSTRUMENTED := $(filter-out Tests/Bench Tests/Soak Tests/Package Tests/Documentation,$(SUITES))

.DEFAULT_GOAL := help
.PHONY: help run test bench scale soak fuzz test-asan test-tsan prove build deb check clean \
  setup setup-build setup-deb setup-package setup-bench setup-sanitize swift
MAKEFLAGS += --no-print-directory

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: swift setup build ## show one pod through RuntimeManager on a private containerd; RUNTIME=<socket> uses that one, ONCE=1 ends after the pod
	@RUNTIME="$(RUNTIME)" ONCE="$(ONCE)" RUNTIME_MANAGER="$(CURDIR)/$(release)" $(PYTHON) Tests/Demo/run.py

test: swift setup-package deb ## run every test, those on a real containerd included
	swift test --disable-xctest
	RUNTIME_MANAGER="$(or $(RUNTIME_MANAGER),$(CURDIR)/$(debug))" $(PYTHON) -m pytest $(SUITES)

bench: swift setup-bench build ## compare speed and memory with other ways to stand there; BENCH="--only unary" and such
	@$(PYTHON) Tests/Bench/run.py $(BENCH)

scale: swift setup-bench build ## cost as containers, plugins, calls in flight and messages grow
	@$(PYTHON) Tests/Bench/scale.py $(SCALE)

soak: swift setup-bench build ## ten minutes of a kubelet's load with restarts; MINUTES=60 for longer, SEED= to repeat one
	@$(PYTHON) Tests/Soak/run.py --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(SOAK)

fuzz: swift setup-sanitize ## fuzz every target for five seconds; SECONDS_EACH=600 for longer
	Tests/Fuzz/run --seconds $(or $(SECONDS_EACH),5)

test-asan: swift setup-sanitize ## run the suites under the address sanitizer (a build of its own)
	Tests/Sanitizers/run address $(INSTRUMENTED)

test-tsan: swift setup-sanitize ## run the suites under the thread sanitizer (a build of its own)
	Tests/Sanitizers/run thread $(INSTRUMENTED)

prove: ## every check of docs/PROOF.md, hours; MODEL_RUNS, SECONDS_EACH, MINUTES lengthen it, DOCUMENT=1 records it
	@Tests/prove

build: swift setup-build ## build the release binary, the Swift library linked in
	@mkdir -p $(static)
	@ln -sf "$$(clang -print-file-name=libstdc++.a)" $(static)/
	swift build $(release-flags) --product $(or $(PRODUCT),runtime-manager)

check: swift ## format lint and import checks
	swift format lint --strict --recursive Package.swift Sources Tests
	.ci/check-imports
	.ci/check-files

deb: swift setup-deb build ## make the Debian package of the release binary, in .build/deb
	@deploy/debian/build $(release) .build/deb

clean: ## remove everything that was built
	rm -rf .build

setup:
	@Tests/setup

setup-build setup-deb setup-package setup-bench setup-sanitize:
	@Tests/setup $(@:setup-%=%)

swift:
	@command -v swift >/dev/null || { echo "make: no swift in PATH: install a Swift 6.2 toolchain or newer (swift.org/install)" >&2; exit 1; }
