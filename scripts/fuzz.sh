#!/usr/bin/env bash
# fuzz.sh runs each fuzz target of the tree for some time, one after the other.
#
#   scripts/fuzz.sh [TIME]   30s unless said; "go help testflag" says what a time is
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}

found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	package=./$(dirname "$file")
	printf '== %s of %s, for %s\n' "$target" "$package" "$time"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
done < <(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's|^\./||; s|:[0-9]+:func |:|')
printf '%d fuzz targets ran\n' "$found"
