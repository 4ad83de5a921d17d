# SPDX-License-Identifier: GPL-2.0-only
#
# The front door.  "make" alone says what there is.  The kernel's build system
# reads the file Kbuild and nothing of this one.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

JOBS  ?= $(shell nproc)
BUILD := $(CURDIR)/build

# ---- kernels ---------------------------------------------------------------
# Every kernel whose headers are installed; the newest of each line is tested.
KVERS   := $(shell tests/vm/kernels)
KVER    ?= $(or $(filter $(shell uname -r),$(KVERS)),$(lastword $(KVERS)))
KDIR    ?= /lib/modules/$(KVER)/build
# KDIR= may name any build tree, of a kernel that is not installed, too.
release := $(or $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null),$(KVER))
# DEBUG=1: with the sysctl error_inject (kernel/glue/inject.h), beside the usual build.
DEBUG   :=
MODDIR  := $(BUILD)/module-$(release)$(if $(DEBUG),-debug)
# A warning of the compiler, objtool or modpost fails the build.  STRICT= : no.
STRICT  ?= 1

# ---- installation ----------------------------------------------------------
DESTDIR ?=
PREFIX  ?= /usr

##@ Build
.PHONY: all module modules-all tools user
all: modules-all user ## everything below
module: ## flashcache.ko for one kernel, in build/module-<release>/ [KVER=... or KDIR=... DEBUG=1: with error_inject, in ...-debug/]
	@test -d "$(KDIR)" || { echo "no kernel headers in $(KDIR): make deps, or give KVER= or KDIR=" >&2; exit 1; }
	@packaging/link-sources "$(MODDIR)"
	@echo "  MODULE  $(release)"
	@$(MAKE) --no-print-directory -C "$(KDIR)" M="$(MODDIR)" $(if $(DEBUG),FLASHCACHE_DEBUG=1) modules 2>&1 | tee "$(MODDIR)/build.log"
	@if [ -n "$(STRICT)" ] && grep -aE 'warning:|WARNING:' "$(MODDIR)/build.log" \
		| grep -avE '^make|compiler differs' >/dev/null; then \
		echo "$(MODDIR): built with warnings (STRICT= lets them pass)" >&2; \
		find "$(MODDIR)" -name '*.o' -delete; rm -f "$(MODDIR)/flashcache.ko"; exit 1; fi

modules-all: $(addprefix .module-,$(KVERS)) ## flashcache.ko for every kernel whose headers are installed
	@test -n "$(KVERS)" || { echo "no kernel headers installed: make deps" >&2; exit 1; }
.PHONY: $(addprefix .module-,$(KVERS))
$(addprefix .module-,$(KVERS)): .module-%:
	@$(MAKE) --no-print-directory module KVER=$* KDIR=/lib/modules/$*/build

tools: $(BUILD)/user/build.ninja ## the command-line tools, in build/user/tools/
	@cmake --build "$(BUILD)/user" --target programs
user: $(BUILD)/user/build.ninja ## the tools and the test programs, in build/user/
	@cmake --build "$(BUILD)/user"
$(BUILD)/user/build.ninja:
	@cmake -S . -B "$(BUILD)/user" -G Ninja $(CMAKE_ARGS)

##@ Test
.PHONY: check unit check-vm check-kernels checked-modules check-clang check-style coverage
.PHONY: sanitizers vm-images soak
check: ## install what is missing, build everything, run every test
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory deps; fi
	@$(MAKE) --no-print-directory .check
# A make of its own, so that kernels installed just now are seen.
.PHONY: .check
.check: modules-all user sanitizers checked-modules
	@cmake "$(BUILD)/user" >/dev/null
	@ctest --test-dir "$(BUILD)/user" -j$(JOBS) --output-on-failure $(CTEST_ARGS)
unit: user ## the unit tests and the simulator only: seconds
	@ctest --test-dir "$(BUILD)/user" -j$(JOBS) --output-on-failure -L 'unit|sim' $(CTEST_ARGS)
check-vm: modules-all user ## the tests in virtual machines only
	@ctest --test-dir "$(BUILD)/user" -j$(JOBS) --output-on-failure -L vm $(CTEST_ARGS)
check-kernels: user ## all of these on kernels with KASAN, lockdep, KCSAN; an hour each [KERNELS=6.12-kasan SUITES=Flush]
	@tests/vm/check-kernels $(KERNELS)
# For the checked kernels that are in the cache; no kernel is built.
checked-modules:
	@for k in $$(tests/vm/checked-kernel --list); do \
		dir=$$(tests/vm/checked-kernel --cached $$k) || continue; \
		$(MAKE) --no-print-directory module KDIR="$$dir/build"; done
soak: user modules-all ## the long searches, for HOURS=n; stops at the first finding
	@tests/soak "$(or $(HOURS),1)"
check-clang: ## the clang build, with its thread-safety analysis
	@tests/variant clang
check-style: ## the rules of the source tree (tests/style/check)
	@tests/style/check
coverage: ## lines and branches of the core that the simulator and the unit tests reach [SIM_SECONDS=60]
	@tests/coverage $(SIM_SECONDS)
sanitizers: ## the variants that the tests use: clang, address+undefined, thread, fuzz
	@tests/variant asan
	@tests/variant tsan
	@tests/variant clang
	@tests/variant fuzz
vm-images: modules-all user ## the images that the virtual machines boot
	@for k in $$(tests/vm/kernels --tested); do tests/vm/mkimage $$k >/dev/null; done

##@ Try
.PHONY: demo vm
demo: ## the cache at work in a virtual machine [KVER=...]; for real, overwriting both: HOST=1 SSD=/dev/... DISK=/dev/...
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory deps; fi
	@$(MAKE) --no-print-directory .demo $(if $(HOST),KVER="$$(uname -r)")
.PHONY: .demo
.demo: module tools
	@bench/demo $(if $(HOST),--host $(if $(YES),--yes) "$(SSD)" "$(DISK)",--kernel "$(KVER)")
vm: module tools ## run a command in a virtual machine: make vm CMD='dmsetup targets' [KVER=...]
	@tests/vm/run-vm --kernel "$(KVER)" -- sh -c '$(or $(CMD),dmesg | tail -n 20)'

##@ Measure
# Virtual machines whose time is counted in instructions: the same figures each time, on a busy host, too.
.PHONY: bench bench-compare bench-host profile
bench: module tools ## flashcache beside its peers, in virtual machines: hours; SHORT=1: minutes [KVER=... BENCH_ARGS='--targets ... --workloads ...']
	@bench/run --kernel "$(KVER)" $(if $(SHORT),--short) $(BENCH_ARGS)
bench-compare: ## what differs between two files of results: OLD=file NEW=file
	@bench/compare "$(OLD)" "$(NEW)"

profile: module tools ## guest instructions by function and request [KVER=... ROW=cpu/cpu-read-hit-4k-d32 TARGETS=dm-linear,flashcache-back]
	@bench/profile --kernel "$(KVER)" $(if $(ROW),--row "$(ROW)") $(if $(TARGETS),--targets "$(TARGETS)")
bench-host: tools ## the jobs of bench on this machine, overwriting both: SSD=/dev/... DISK=/dev/... [YES=1 SHORT=1]
	@$(MAKE) --no-print-directory module KVER="$$(uname -r)"
	@bench/host $(if $(YES),--yes) "$(SSD)" "$(DISK)" $(if $(SHORT),--short) $(BENCH_ARGS)

##@ Install
.PHONY: install install-module install-tools deps
install: install-module install-tools ## module and tools [DESTDIR= KVER=... PREFIX=/usr]
install-module: module
	install -D -m 644 "$(MODDIR)/flashcache.ko" "$(DESTDIR)/lib/modules/$(release)/updates/flashcache.ko"
	if [ -z "$(DESTDIR)" ]; then depmod "$(release)"; fi
install-tools: tools
	DESTDIR="$(DESTDIR)" cmake --install "$(BUILD)/user" --prefix "$(PREFIX)"
deps: ## the Debian packages that building and testing need (packaging/deps.txt)
	@packaging/install-deps

##@ Other
.PHONY: clean help
clean: ## remove build/
	rm -rf "$(BUILD)"
help: ## this text
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@printf '\nkernels with headers here: %s\n' "$(or $(KVERS),none (make deps))"
