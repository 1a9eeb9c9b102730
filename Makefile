# The commands of this repository. Each installs what it needs first, or says what is missing.

.PHONY: help run test build compile lint fmt e2e judges oracle bench bench-access bench-mass-end bench-history bench-punctual bench-store lighthouse simulate properties check-tools reset

help:
	@echo "make run          build, start Belay and a sandbox around it, print where and who"
	@echo "make test         every test, the browser journeys included"
	@echo "make build        target/debug/{belay,sandbox} and the site folder target/site"
	@echo "make lint         format, clippy and cargo deny, as .ci/run does"
	@echo "make fmt          format the Rust code"
	@echo "make e2e          browser journeys only (ARGS='-g approve' to choose)"
	@echo "make judges       Belay before programs that others wrote, only (ARGS as for e2e)"
	@echo "make oracle       check the sandbox against AWS's own models only"
	@echo "make bench        measure click-to-grant and end-to-delete latency"
	@echo "make bench-mass-end  how fast 1,200 grants that end in one second are taken away"
	@echo "make simulate     play SEEDS=1000000 worlds in which everything goes wrong (SEED=17 tells one)"
	@echo "make properties   draw other cases for each property of the policy: SEEDS=100 times as many"
	@echo "make bench-punctual  how late ends are with 1,000 live grants, and what idling costs"
	@echo "make bench-access  how long a page of Access takes with 5,000 accounts and 500 permission sets"
	@echo "make bench-store  what each access pattern of the table costs, as it grows"
	@echo "make bench-history  how fast history and its export are with a million requests"
	@echo "make lighthouse  what Lighthouse says of the main pages, at a desk and on a phone"
	@echo "make check-tools  say what is missing, install nothing"
	@echo "make reset        forget everything the local sandbox remembers"

run: build
	@server/sandbox/run.sh

test:
	@.ci/test

build:
	@.ci/setup build
	@$(MAKE) --no-print-directory compile

# Every package at once: the same features, so the same artefacts, as the tests use.
compile:
	cargo build --locked --workspace --bins
	target/debug/bundle --out target/site

lint:
	@.ci/lint

fmt:
	cargo fmt --all

e2e:
	@.ci/setup build test
	@$(MAKE) --no-print-directory compile
	npm --prefix end2end --silent test -- $(ARGS)

judges:
	@.ci/setup build test
	@$(MAKE) --no-print-directory compile
	npm --prefix end2end --silent run judges -- $(ARGS)

oracle:
	@.ci/setup build test
	@$(MAKE) --no-print-directory compile
	TEST_SANDBOX_BIN=$(CURDIR)/target/debug/sandbox target/venv/bin/python server/sandbox/oracle/judge.py

bench:
	@.ci/setup build test
	cargo build --locked --release --workspace --bins
	target/release/bundle --out target/site
	TEST_BELAY_BIN=$(CURDIR)/target/release/belay TEST_SANDBOX_BIN=$(CURDIR)/target/release/sandbox \
		npm --prefix end2end --silent run bench -- latency

# BENCH_MEAN_MS is how long AWS takes for a deletion; 1000 and 10000 are worth a look as well.
bench-mass-end:
	@.ci/setup build test
	cargo build --locked --release --workspace --bins
	target/release/bundle --out target/site
	TEST_BELAY_BIN=$(CURDIR)/target/release/belay TEST_SANDBOX_BIN=$(CURDIR)/target/release/sandbox \
		npm --prefix end2end --silent run bench -- mass-end

# Only the domain is built. SEED tells the story of one world.
SEEDS ?= 1000000
simulate:
ifdef SEED
	SIM_SEED=$(SEED) cargo test --locked -p domain --test simulation -- --nocapture every
else
	SIM_SEEDS=$(SEEDS) cargo test --locked -p domain --test simulation -- --nocapture every
endif

# The first seed that fails is named; PROPTEST_RNG_SEED plays it again.
properties: SEEDS = 100
properties:
	@set -e; for seed in $$(seq $(SEEDS)); do \
		PROPTEST_RNG_SEED=$$seed cargo test --locked --quiet -p domain --test policy --test glass \
			|| { echo "PROPTEST_RNG_SEED=$$seed"; exit 1; }; \
	done

# BENCH_GRANTS=10000 takes an hour and a half.
bench-punctual:
	@.ci/setup build test
	cargo build --locked --release --workspace --bins
	target/release/bundle --out target/site
	TEST_BELAY_BIN=$(CURDIR)/target/release/belay TEST_SANDBOX_BIN=$(CURDIR)/target/release/sandbox \
		npm --prefix end2end --silent run bench -- punctual

bench-access:
	@.ci/setup build
	cargo bench --locked --workspace --bench access

# BENCH_REQUESTS=1000,1000000 is the size that the design promises; it takes an hour, and 15 GB of disk.
bench-store:
	@.ci/setup build
	cargo build --locked --release --workspace --bins
	TEST_SANDBOX_BIN=$(CURDIR)/target/release/sandbox cargo bench --locked --workspace --bench store

# BENCH_REQUESTS=1000000 is what the design promises. Most of the time goes into filling the table,
# and 15 GB of disk.
bench-history:
	@.ci/setup build test
	cargo build --locked --release --workspace --bins
	cargo bench --locked --workspace --no-run --bench fill
	target/release/bundle --out target/site
	TEST_BELAY_BIN=$(CURDIR)/target/release/belay TEST_SANDBOX_BIN=$(CURDIR)/target/release/sandbox \
		npm --prefix end2end --silent run bench -- history

lighthouse:
	@.ci/setup build test
	cargo build --locked --release --workspace --bins
	target/release/bundle --out target/site
	TEST_BELAY_BIN=$(CURDIR)/target/release/belay TEST_SANDBOX_BIN=$(CURDIR)/target/release/sandbox \
		npm --prefix end2end --silent run lighthouse

check-tools:
	@.ci/setup --check build test lint

reset:
	rm -rf .sandbox
