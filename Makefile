# Parley. `make help` lists what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT_VERSION := v2.15.0
TOOLS   := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/parley/tools
LINT    := $(TOOLS)/golangci-lint-$(LINT_VERSION)
T       ?= 30s
RUN     ?=
LISTEN  ?= :8443
WEB_SRC := $(shell find web sdk/js -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' -not -name '*.go' 2>/dev/null)
GO_SRC  := $(shell find cmd internal sdk web -name '*.go' -not -name '*_test.go' 2>/dev/null)

.PHONY: help
help: ## Say what each target does.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: run
run: bin/parley ## Build everything and start Parley on http://localhost:8443.
	exec bin/parley serve --listen $(LISTEN)

.PHONY: build
build: bin/parley ## Build bin/parley with the page inside.

bin/parley: web/dist/index.html $(GO_SRC) go.mod go.sum
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X github.com/parley-rtc/parley/internal/cli.Version=$(VERSION)' -o $@ ./cmd/parley

web/dist/index.html: node_modules/.package-lock.json $(WEB_SRC)
	npm run --silent --workspace web build
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json sdk/js/package.json web/package.json test/package.json examples/pong/package.json
	npm ci --no-audit --no-fund
	@touch $@

.PHONY: packages
packages: ## Install the Debian packages that the tests need (when root).
	@test/packages.sh

.PHONY: test
test: packages build lint gen-check unit web-test browser netlab ## All that CI runs: lint, unit, race, fuzz seeds, e2e, real browsers, NATs.
	@echo 'make test: all of it passed'

.PHONY: unit
unit: web/dist/index.html ## Go tests with the race detector, shuffled; fuzz targets run their seeds.
	@# Lint has vetted already, and without the tables for debuggers some sixty programs link faster.
	$(GO) test -race -shuffle=on -vet=off -ldflags=-w -timeout 10m ./...

.PHONY: e2e
e2e: web/dist/index.html ## The whole server in one process, with Go peers.
	$(GO) test -race -shuffle=on -vet=off -ldflags=-w -timeout 10m ./test/e2e/...

.PHONY: web-test
web-test: node_modules/.package-lock.json web/dist/index.html ## TypeScript: types, unit tests, size of the first load.
	npm run --silent --workspaces --if-present check
	npm run --silent --workspaces --if-present unit
	npm run --silent --workspace web size

.PHONY: browser
browser: bin/parley node_modules/.package-lock.json ## Real Chromium and Firefox call each other through the real page.
	npm run --silent --workspace test browser

.PHONY: netlab
netlab: bin/parley node_modules/.package-lock.json ## Real browsers behind real NATs, in network namespaces (root).
	npm run --silent --workspace test netlab

.PHONY: lint
lint: $(LINT) node_modules/.package-lock.json ## golangci-lint and Biome.
	$(LINT) run ./...
	npx biome ci --error-on-warnings

$(LINT):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

.PHONY: format
format: $(LINT) node_modules/.package-lock.json ## Format Go and TypeScript.
	$(LINT) fmt ./...
	npx biome check --write

.PHONY: gen
gen: ## Make the generated files again: TypeScript wire types, docs/config.md.
	$(GO) generate ./...

.PHONY: gen-check
gen-check: gen ## Fail when the generated files differ from the committed ones.
	git diff --exit-code -- sdk/js/src/wire.gen.ts docs/config.md

.PHONY: fuzz
fuzz: ## Fuzz every target for T each (default 30s).
	@for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' internal sdk | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9_]+' $$dir | sed 's/^func //' | sort -u); do \
	    echo "== ./$$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(T) ./$$dir; \
	  done; \
	done

.PHONY: soak
soak: bin/parley ## A file of MIB=1024 between two processes that are killed 20 times at random.
	PARLEY_BINARY=$(abspath bin/parley) PARLEY_SOAK_MIB=$(or $(MIB),1024) $(GO) test -count=1 -timeout 60m -v -run TestKilledTransfer ./test/e2e

.PHONY: bench
bench: bin/parley node_modules/.package-lock.json ## Benchmarks: packet paths, start, idle sessions, time to the first frame.
	bench/run.sh $(RUN)

.PHONY: cover
cover: web/dist/index.html ## Coverage of the Go tests, by function.
	$(GO) test -coverprofile=bin/cover.out -coverpkg=./internal/...,./sdk/... ./...
	$(GO) tool cover -func=bin/cover.out | tail -n 1

.PHONY: check
check: test ## The same as test, plus the longest files.
	@git ls-files '*.go' '*.ts' '*.tsx' | grep -v -E '_test\.go$$|\.gen\.' | xargs wc -l | grep -v total | sort -rn | head -10

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin node_modules web/dist/assets web/dist/index.html*
