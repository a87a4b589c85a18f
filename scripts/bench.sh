#!/usr/bin/env bash
# bench.sh measures what docs/performance.md tells: the benchmarks of the
# packages, then a whole server under load on the embedded database and, where
# it is installed, on a PostgreSQL that syncs to disk.
#
#   scripts/bench.sh [FLAG…]   flags for the load generator, internal/bench
#   scripts/bench.sh --large   storage with many tokens instead
#
# It wants bin/gatehouse ("make build") and a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
export GATEHOUSE_TEST_DIR=${GATEHOUSE_TEST_DIR:-.cache/parts-bench}

large=
if [[ ${1:-} == --large ]]; then
	large=1 && shift
	set -- -large 1000,100000,10000000 "$@"
else
	printf '== packages\n'
	go test -run '^$' -bench . -benchmem ./...
fi
trap 'scripts/parts.sh stop' EXIT
scripts/parts.sh start --durable >/dev/null
eval "$(scripts/parts.sh env)"
if [[ -n $large ]]; then printf '\n== storage with many tokens\n'; else printf '\n== a whole server\n'; fi
go run ./internal/bench "$@"
if [[ -n ${GATEHOUSE_TEST_POSTGRES:-} ]]; then
	printf '\n'
	go run ./internal/bench -database-url "$GATEHOUSE_TEST_POSTGRES" "$@"
fi
