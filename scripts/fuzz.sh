#!/usr/bin/env bash
# fuzz.sh runs the fuzz targets of the tree, two at once, each on one core.
#
#   scripts/fuzz.sh TIME             for TIME in all, shared by the targets alike
#   scripts/fuzz.sh --each TIME MOST each for TIME, or for less, so that all of
#                                    them take MOST
#
# A TIME is like 1h, 90m or 45s. What a target finds is written to its
# package's testdata/fuzz, where go test runs it from then on. It ends with how
# often each target ran, and fails if one of them found something.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds() {
	[[ $1 =~ ^([0-9]+)([hms])$ ]] || { printf 'fuzz: %s is no time: 1h, 90m, 45s\n' "$1" >&2; return 1; }
	case ${BASH_REMATCH[2]} in
	h) printf '%d' $((BASH_REMATCH[1] * 3600)) ;;
	m) printf '%d' $((BASH_REMATCH[1] * 60)) ;;
	s) printf '%d' "${BASH_REMATCH[1]}" ;;
	esac
}

targets=()
while IFS=: read -r file target; do
	targets+=("./$(dirname "$file") $target")
done < <(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's|^\./||; s|:[0-9]+:func |:|')
rounds=$(((${#targets[@]} + 1) / 2))

if [[ ${1:-} == --each ]]; then
	each=$(seconds "$2")
	most=$(($(seconds "$3") / rounds))
	[[ $each -le $most ]] || each=$most
else
	each=$(($(seconds "${1:-1h}") / rounds))
fi
[[ $each -ge 1 ]] || each=1

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# fuzz runs one target. The testing package may tell the end of the time as a
# failure ("context deadline exceeded"): only what it wrote down is a finding.
fuzz() {
	local package=$1 target=$2 status=0 out=$results/$2
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${each}s" -fuzzminimizetime 5s -parallel 1 "$package" </dev/null >"$out" 2>&1 || status=$?
	if [[ $status -ne 0 ]] && grep -q 'context deadline exceeded' "$out" && ! grep -qE 'Failing input written|panic|Failing seed|build failed' "$out"; then
		status=0
	fi
	printf '%s %s: %s executions%s\n' "$package" "$target" \
		"$(grep -oE 'execs: [0-9]+' "$out" | tail -n 1 | cut -d ' ' -f 2)" "$([[ $status -eq 0 ]] || echo ', and a finding')"
	[[ $status -eq 0 ]] || { cat "$out"; touch "$results/failed"; }
}

printf '%d fuzz targets, two at once, %d s each\n' "${#targets[@]}" "$each"
for ((i = 0; i < ${#targets[@]}; i += 2)); do
	for ((j = i; j < i + 2 && j < ${#targets[@]}; j++)); do
		# shellcheck disable=SC2086 # package and target are two words
		fuzz ${targets[j]} &
	done
	wait
done
[[ ! -e $results/failed ]]
