# What can be done here. Everything that these make is in bin/ and .cache/.
.DEFAULT_GOAL := help
.PHONY: help run build test bench bench-large fuzz soak clean

FUZZTIME ?= 1h

help: ## say what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## start a demonstration on http://127.0.0.1:8080
	@bin/gatehouse serve --dev --data .cache/demonstration

build: ## build bin/gatehouse
	@echo "building bin/gatehouse (the first time takes a minute or two)"
	@CGO_ENABLED=0 go build -trimpath -o bin/gatehouse ./cmd/gatehouse

test: ## install what is missing, start it, run every test
	@scripts/test.sh $(TESTFLAGS)

bench: build ## measure: functions, then a whole server on both databases
	@scripts/bench.sh

bench-large: ## measure checks and lists among 1,000 to 10,000,000 tokens (10 GB of disk, about ten minutes)
	@scripts/bench.sh --large

fuzz: ## fuzz for FUZZTIME (1h) in all, two targets at once
	@scripts/fuzz.sh $(FUZZTIME)

soak: ## play 100,000 random worlds of accounts, domains and logins (about twenty minutes)
	@GATEHOUSE_TEST_WORLDS=100000 go test ./login -run TestNoWorldGivesAnAccountAway -count=1 -timeout 2h -v

clean: ## end what scripts/parts.sh started, remove what was made
	@scripts/parts.sh stop
	@rm -rf bin .cache
