# Everything a developer or a newcomer needs. `make help` lists it.

SWIFT ?= swift
# The programs that people run carry the Swift libraries with them: they start faster and need nothing but libpq, libzstd, zlib and libstdc++; the service needs libarchive and libcurl, too.
RELEASE := -c release -Xswiftc -static-stdlib
RELEASE_FOLDER = $$($(SWIFT) build $(RELEASE) --show-bin-path)
# PROGRAMS=wazo-call-logs leaves the service out.
PROGRAMS ?= wazo-call-logs wazo-call-logd
SOURCES := Package.swift Sources Tests sql
SCALE ?= medium

.PHONY: help demo test test-web screenshots chromium soak soak-follow stress bench bench-follow lint format deps release install clean

help: ## Show this.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: release-wazo-call-logs $(if $(SERVE),release-wazo-call-logd) ## Build, then make call logs of simulated calls in a PostgreSQL of its own, and show them (SERVE=1: by the REST API, too).
	@$(SWIFT) build $(RELEASE) --product demo-call-logs
	@$(RELEASE_FOLDER)/demo-call-logs $(if $(STAY),--stay) $(if $(SERVE),--serve)

test: deps ## Run the tests, against a PostgreSQL that they start themselves.
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build

WEB := .build/web-venv
# A virtual environment that is only half made has no mark, and is made anew.
$(WEB)/made: Tests/Web/requirements.txt
	@rm -rf $(WEB)
	@python3 -m venv $(WEB) || { echo "test-web needs a virtual environment: apt install python3-venv" >&2; exit 1; }
	@$(WEB)/bin/pip install -q --disable-pip-version-check --no-deps -r $<
	@touch $@

chromium:
	@for program in chromium chromedriver; do command -v $$program >/dev/null || { echo "this needs $$program: apt install chromium chromium-driver" >&2; exit 1; }; done

WEB_PROGRAMS := wazo-call-logs wazo-call-logd private-server
IN_BROWSER = PROGRAMS=$$($(SWIFT) build --show-bin-path) PYTHONPATH=Tests/Web .build/debug/private-server $(WEB)/bin/python -B

test-web: deps chromium $(WEB)/made ## Test the search page in a browser (needs chromium, chromium-driver and python3-venv; WEB_TESTS=test_list: one file).
	@for program in $(WEB_PROGRAMS); do $(SWIFT) build --product $$program || exit; done
	$(IN_BROWSER) -m unittest $(or $(WEB_TESTS),discover -s Tests/Web) -v

SCREENSHOTS ?= .build/screenshots
screenshots: deps chromium $(WEB)/made ## Take pictures of the search page's states on simulated calls, into SCREENSHOTS=folder (.build/screenshots).
	@for program in $(WEB_PROGRAMS) demo-call-logs; do $(SWIFT) build --product $$program || exit; done
	PROGRAMS=$$($(SWIFT) build --show-bin-path) $(WEB)/bin/python -B Tests/Web/screenshots.py $(SCREENSHOTS)

KILLS ?= 1000
soak: deps ## Kill a thousand runs (KILLS=100: fewer), start each again, and compare the tables with undisturbed ones.
	SOAK_KILLS=$(KILLS) $(SWIFT) test --filter CommandLineTests.KillTests/kills

CALLS ?= 100000
# KILLS of `make soak` are for short runs: a day has fewer, unless they are given.
DAY_KILLS = $(if $(filter file,$(origin KILLS)),120,$(KILLS))
soak-follow: release ## A day of 100,000 calls in ten minutes, with followers and services that are killed and frozen (CALLS=, KILLS=).
	$(SWIFT) build $(RELEASE) --product simulate-calls
	SOAK_PROGRAMS="$(RELEASE_FOLDER)" FOLLOW_CALLS=$(CALLS) FOLLOW_KILLS=$(DAY_KILLS) $(SWIFT) test --filter CommandLineTests.FollowSoakTests

ROUNDS ?= 60
stress: deps ## Random work of every verb at once, disturbed (ROUNDS=10: fewer), and compare the tables with undisturbed ones.
	STRESS_ROUNDS=$(ROUNDS) $(SWIFT) test --filter 'WholeTests.(StressTests|EdgeStressTests)'

bench: release-wazo-call-logs ## Measure against what PostgreSQL itself takes (SCALE=large: 1,000,000 calls).
	@$(SWIFT) build $(RELEASE) --product bench-call-logs
	@$(RELEASE_FOLDER)/bench-call-logs --scale $(SCALE)

lint: ## Check the format of the sources.
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format: ## Put the sources into that format.
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

deps: ## Install the Debian packages that are missing.
	@.ci/deps

release: $(PROGRAMS:%=release-%) ## Build the programs: wazo-call-logs and the service (PROGRAMS=wazo-call-logs: without it).

release-%: deps
	$(SWIFT) build $(RELEASE) --product $*

PREFIX ?= /usr/local
install: release ## Install the programs, without their symbols, below PREFIX (/usr/local); PROGRAMS as for release.
	for program in $(PROGRAMS); do \
	  install -D -s -m 755 "$(RELEASE_FOLDER)/$$program" "$(DESTDIR)$(PREFIX)/bin/$$program" || exit; \
	done

clean: ## Remove what was built.
	rm -rf .build

bench-follow: release ## Measure how soon follow makes call logs (SHORT=1: 20 seconds).
	@$(SWIFT) build $(RELEASE) --product bench-follow
	@$$($(SWIFT) build $(RELEASE) --show-bin-path)/bench-follow $(if $(SHORT),--short)
