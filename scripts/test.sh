#!/usr/bin/env bash
# test.sh is "make test": it installs what is missing, checks the code, starts
# the real parts, runs every test, fuzzes each target for a minute or less, and
# stops the parts.
#
#   scripts/test.sh            a part that cannot be had skips its tests
#   scripts/test.sh --no-skip  a part that cannot be had fails them (CI)
#   scripts/test.sh PACKAGE…   the same with some packages only
#
# The parts have a folder of their own, so that ones started by hand with
# scripts/parts.sh go on.
set -euo pipefail
cd "$(dirname "$0")/.."
export GATEHOUSE_TEST_DIR=${GATEHOUSE_TEST_DIR:-.cache/parts-test}
export PATH=$PWD/.cache/bin:$PATH

strict=${CI:-}
if [[ ${1:-} == --no-skip ]]; then
	strict=1
	shift
fi
some=${1:-} # packages, if not all of them
[[ $# -gt 0 ]] || set -- ./...

# phase runs a command and says how long it took. A function that it runs has
# to return its failures: the shell does not stop at them there.
phase() {
	local name=$1 verdict="done" status=0 begin=${EPOCHREALTIME/[.,]/} took
	shift
	printf '\n== %s\n' "$name"
	"$@" || status=$? verdict=failed
	took=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
	printf '== %s: %s after %d.%03d s\n' "$name" "$verdict" $((took / 1000)) $((took % 1000))
	return $status
}

setup() {
	local status=0
	scripts/setup.sh || status=$?
	if [[ $status -ne 0 && -z $strict ]]; then
		printf 'test: going on without what is missing\n' >&2
		return 0
	fi
	return $status
}

format() {
	local wrong
	wrong=$(gofmt -l .)
	[[ -z $wrong ]] || { printf 'run gofmt -w on:\n%s\n' "$wrong"; return 1; }
}

lint() {
	if [[ -z $strict ]] && ! command -v staticcheck >/dev/null; then
		printf 'test: staticcheck is not there; skipped\n' >&2
		return 0
	fi
	staticcheck "$@"
}

# start keeps to itself where the parts are: their passwords are in it.
start() { scripts/parts.sh start >/dev/null; }

tests() {
	local found
	found=$(scripts/parts.sh env) || return
	set -a
	eval "$found"
	set +a
	[[ -z $strict ]] || export GATEHOUSE_TEST_STRICT=1
	# A run that may not skip does not believe an earlier one either.
	go test -json ${strict:+-count=1} "$@" | go run scripts/testreport.go
}

trap 'scripts/parts.sh stop' EXIT
phase "install what is missing" setup
phase "gofmt" format
phase "go vet" go vet "$@"
phase "staticcheck" lint "$@"
phase "start the real parts" start
phase "go test" tests "$@"
[[ -n $some ]] || phase "fuzz" scripts/fuzz.sh --each 1m 8m
