# Everything a developer or a newcomer needs. `make help` lists it.

SWIFT ?= swift
# The programs that people run carry the Swift libraries with them: they start faster and need nothing but libpq, libzstd, zlib and libstdc++.
RELEASE := -c release -Xswiftc -static-stdlib
SOURCES := Package.swift Sources Tests sql
SCALE ?= medium

.PHONY: help demo test soak stress bench bench-follow lint format deps release install clean

help: ## Show this.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: release ## Build, then make call logs of simulated calls in a PostgreSQL of its own, and show them.
	@$(SWIFT) build $(RELEASE) --product demo-call-logs
	@$$($(SWIFT) build $(RELEASE) --show-bin-path)/demo-call-logs $(if $(STAY),--stay)

test: deps ## Run the tests, against a PostgreSQL that they start themselves.
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build

KILLS ?= 1000
soak: deps ## Kill a thousand runs (KILLS=100: fewer), start each again, and compare the tables with undisturbed ones.
	SOAK_KILLS=$(KILLS) $(SWIFT) test --filter CommandLineTests.KillTests/kills

ROUNDS ?= 60
stress: deps ## Random work of every verb at once, disturbed (ROUNDS=10: fewer), and compare the tables with undisturbed ones.
	STRESS_ROUNDS=$(ROUNDS) $(SWIFT) test --filter 'WholeTests.(StressTests|EdgeStressTests)'

bench: release ## Measure against what PostgreSQL itself takes (SCALE=large: 1,000,000 calls).
	@$(SWIFT) build $(RELEASE) --product bench-call-logs
	@$$($(SWIFT) build $(RELEASE) --show-bin-path)/bench-call-logs --scale $(SCALE)

lint: ## Check the format of the sources.
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format: ## Put the sources into that format.
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

deps: ## Install the Debian packages that are missing.
	@.ci/deps

release: deps ## Build the program.
	$(SWIFT) build $(RELEASE) --product wazo-call-logs

PREFIX ?= /usr/local
install: release ## Install the program, without its symbols, below PREFIX (/usr/local).
	install -D -s -m 755 "$$($(SWIFT) build $(RELEASE) --show-bin-path)/wazo-call-logs" $(DESTDIR)$(PREFIX)/bin/wazo-call-logs

clean: ## Remove what was built.
	rm -rf .build

bench-follow: release ## Measure how soon follow makes call logs (SHORT=1: 20 seconds).
	@$(SWIFT) build $(RELEASE) --product bench-follow
	@$$($(SWIFT) build $(RELEASE) --show-bin-path)/bench-follow $(if $(SHORT),--short)
