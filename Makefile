# The two commands of README.md, and what they are made of. Each does its own set-up (Debian 12, root).

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
PYTHON := /usr/bin/python3

release := .build/release/runtime-manager
debug := .build/debug/runtime-manager
SUITES := Tests/Wire Tests/Containerd Tests/Documentation

.DEFAULT_GOAL := help
.PHONY: help run test bench build check install uninstall clean setup setup-build swift
MAKEFLAGS += --no-print-directory

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: swift setup build ## show one pod through RuntimeManager on a private containerd; RUNTIME=<socket> uses that one, ONCE=1 ends after the pod
	@RUNTIME="$(RUNTIME)" ONCE="$(ONCE)" RUNTIME_MANAGER="$(CURDIR)/$(release)" $(PYTHON) Tests/Demo/run.py

test: swift setup ## run every test, those on a real containerd included
	swift test --disable-xctest
	RUNTIME_MANAGER="$(or $(RUNTIME_MANAGER),$(CURDIR)/$(debug))" $(PYTHON) -m pytest $(SUITES)

bench: swift setup build ## compare speed and memory: direct, a byte relay, RuntimeManager
	@RUNTIME_MANAGER="$(CURDIR)/$(release)" $(PYTHON) Tests/Bench/run.py

build: swift setup-build ## build the release binary, the Swift library linked in
	swift build -c release --static-swift-stdlib --product runtime-manager

check: swift ## format lint and import checks
	swift format lint --strict --recursive Package.swift Sources Tests
	.ci/check-imports
	.ci/check-files

install: ## install binary, systemd units and sample files (run make build first; DESTDIR, PREFIX)
	@test -x $(release) || { echo "make: no $(release): run make build first" >&2; exit 1; }
	@test -n "$(DESTDIR)" || test "$$(id -u)" = 0 || { echo "make: installing below / needs root (or DESTDIR)" >&2; exit 1; }
	install -D -m 755 $(release) $(DESTDIR)$(PREFIX)/bin/runtime-manager
	install -d -m 755 $(DESTDIR)$(SYSCONFDIR)/systemd/system/kubelet.service.d $(DESTDIR)$(SYSCONFDIR)/runtime/hookserver.d
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' deploy/runtime-manager.service >$(DESTDIR)$(SYSCONFDIR)/systemd/system/runtime-manager.service
	chmod 644 $(DESTDIR)$(SYSCONFDIR)/systemd/system/runtime-manager.service
	install -m 644 deploy/kubelet.service.d/20-runtime-manager.conf $(DESTDIR)$(SYSCONFDIR)/systemd/system/kubelet.service.d/
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/runtime-manager deploy/crictl.yaml deploy/kubelet-config.yaml hookserver.d/*.json Protos/hook.proto

uninstall: ## remove what install put there; registration files stay
	rm -f $(DESTDIR)$(PREFIX)/bin/runtime-manager $(DESTDIR)$(SYSCONFDIR)/systemd/system/runtime-manager.service
	rm -f $(DESTDIR)$(SYSCONFDIR)/systemd/system/kubelet.service.d/20-runtime-manager.conf
	rm -rf $(DESTDIR)$(PREFIX)/share/runtime-manager

clean: ## remove everything that was built
	rm -rf .build

setup:
	@Tests/setup

setup-build:
	@Tests/setup build

swift:
	@command -v swift >/dev/null || { echo "make: no swift in PATH: install a Swift 6.2 toolchain or newer (swift.org/install)" >&2; exit 1; }
