# Everything that is done with this repository. Needs Node 20 or later and npm; the Node 24 that runs the sources comes
# with the packages and is put in front of PATH.

SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export SITES PORT_BASE STATE_DIR NATS_SERVER NETNS CUT

STATE := $(or $(STATE_DIR),.tocsin)
STAMP := node_modules/.installed
PEERS := tests/load/node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run demo monitoring test check format faults canary-truth simulate bench bench-registry plan clean

help: ## Show this list
	@printf 'make TARGET [SITES=1..3] [PORT_BASE=8400] [STATE_DIR=.tocsin] [NATS_SERVER=/path/to/nats-server] [NETNS=auto|on|off]\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## Install the packages that the lockfile names, Node 24 among them

run: $(STAMP) ## Start two whole sites and the stand-ins of the push providers; Ctrl-C stops all of it
	@exec node deploy/local/main.ts

demo: $(STAMP) ## Raise the Nice alert to 2,000 simulated devices and kill a dispatcher half-way; CUT=b cuts off a whole site (root)
	@exec node deploy/demo/main.ts

monitoring: $(STAMP) ## Start Prometheus and Alertmanager beside a running system; prints whom they would call
	@exec node deploy/monitoring/main.ts

test: $(STAMP) ## Run every test; suites that need a Docker engine, a browser or Prometheus say so when they are skipped
	@node deploy/local/get-nats-server.ts
	@TESTCONTAINERS_RYUK_DISABLED=true npm test --silent -- $(TESTS)

check: $(STAMP) ## Types, lint and format, import rules, unused code and packages
	tsc --noEmit
	tsc --noEmit -p services/edge/web
	tsc --noEmit -p services/edge/web/tsconfig.worker.json
	tsc --noEmit -p services/canary/probe-page/web
	tsc --noEmit -p services/canary/probe-page/web/tsconfig.worker.json
	biome check .
	npm test --silent -- tests/import-rules
	knip

format: $(STAMP) ## Put sources into the house's format
	biome check --write .

faults: $(STAMP) ## Play every fault many times on real processes; FAULT=F5 RUNS=20 SEED=… for some; writes docs/faults.md
	@node deploy/local/get-nats-server.ts
	@exec env FAULT='$(FAULT)' RUNS='$(RUNS)' SEED='$(SEED)' RUN='$(RUN)' SABOTAGE='$(SABOTAGE)' node tests/failover/main.ts

canary-truth: $(STAMP) ## Break a running system in forty ways and see who says so and who is called; ONLY=, RESUME=1, SIDE_BY_SIDE=2; writes docs/canary-truth.md
	@node deploy/local/get-nats-server.ts
	@exec env ONLY='$(ONLY)' RESUME='$(RESUME)' SIDE_BY_SIDE='$(SIDE_BY_SIDE)' SABOTAGE='$(SABOTAGE)' node tests/canary-truth/main.ts $(if $(HELP),--help)

simulate: $(STAMP) ## Play simulated nights full of faults and look for planted bugs; SEED=n replays one, RUNS=n fresh ones
	@SEED='$(SEED)' STEPS='$(STEPS)' RUNS='$(RUNS)' BUG='$(BUG)' WHOLE='$(WHOLE)' node tests/simulation/main.ts

bench: $(STAMP) $(PEERS) ## Measure ourselves beside the usual packages and the limit; ROUNDS=, SCALE=, SIZE= shorten or widen it; writes docs/benchmarks.md
	@node deploy/local/get-nats-server.ts
	@exec env ROUNDS='$(ROUNDS)' SCALE='$(SCALE)' SIZE='$(SIZE)' node tests/load/main.ts

# One section of it: encryption, web-push, fcm, limit, stuck, profile, ingest, replicas, alert.
bench-%: $(STAMP) $(PEERS)
	@node deploy/local/get-nats-server.ts
	@exec env ROUNDS='$(ROUNDS)' SCALE='$(SCALE)' SIZE='$(SIZE)' node tests/load/main.ts $*

bench-registry: $(STAMP) ## Measure the registry's replicas at 10,000, 100,000 and 1,000,000 devices (SIZE=…: one size)
	@node deploy/local/get-nats-server.ts
	@exec node tests/load/registry.ts

PLAN = --audience '$(or $(AUDIENCE),5000000)' $(if $(FCM_SHARE),--fcm-share '$(FCM_SHARE)') $(if $(PROJECTS),--projects '$(PROJECTS)') \
  $(if $(QUOTA),--quota '$(QUOTA)') $(if $(RAMP),--ramp '$(RAMP)') $(if $(NODES),--nodes '$(NODES)') $(if $(NODE_RATE),--node-rate '$(NODE_RATE)') \
  $(if $(REPLY),--reply '$(REPLY)') $(if $(JSON),--json) $(if $(HELP),--help)

plan: $(STAMP) ## When a very large audience would have been handed over: AUDIENCE=5000000 FCM_SHARE=0.8 PROJECTS=1,2,4; HELP=1 for all, JSON=1
	@exec node services/cli/main.ts plan $(PLAN)

clean: ## Remove the local system's state and the mark of installed packages
	@if [ -e '$(STATE)/run.json' ] && [ -d "/proc/$$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' '$(STATE)/run.json' | head -n 1)" ]; then \
	  echo 'make clean: a system is running from $(STATE); stop it first (Ctrl-C in its terminal)' >&2; exit 1; fi
	@if [ -e '$(STATE)' ] && [ ! -e '$(STATE)/.tocsin-state' ]; then \
	  echo 'make clean: $(STATE) was not made by make run; it is left alone' >&2; exit 1; fi
	@echo 'removing $(STATE) (keys, data and logs of the local system), coverage/ and $(STAMP)'
	@rm -rf -- '$(STATE)' coverage '$(STAMP)'

$(STAMP): package.json package-lock.json .npmrc
	@command -v node >/dev/null && command -v npm >/dev/null || { \
	  echo 'Node 20 or later and npm are needed, and one of them is not on PATH. Debian: apt-get install nodejs npm' >&2; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || { \
	  echo "Node 20 or later is needed; this is $$(node --version)" >&2; exit 1; }
	@echo 'installing packages (npm ci, about half a minute)'
	@npm ci --no-audit --no-fund --loglevel=error
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' || { \
	  echo "No packaged Node 24 for $$(uname -s) $$(uname -m): only Linux on x64 and arm64 have one. Install Node 24 and run again" >&2; exit 1; }
	@touch $@

# Other people's senders, for the benchmarks alone: 240 MB that nobody else should have to wait for.
$(PEERS): tests/load/package.json tests/load/package-lock.json tests/load/.npmrc | $(STAMP)
	@echo 'installing the packages that are measured beside ours (npm ci, about half a minute)'
	@cd tests/load && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
