#!/usr/bin/env bash
# setup.sh installs what "make test" needs on a Debian machine, and only what
# is missing: real servers and a browser from Debian, staticcheck with Go.
#
#   scripts/setup.sh          install
#   scripts/setup.sh --check  say what is missing, install nothing
#
# It needs root, or sudo, for Debian's packages. A run with nothing to do takes
# less than a second. Go itself has to be there already: Debian's is too old
# for go.mod unless it can fetch a newer one by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
	# Storage, as several nodes use it.
	postgresql
	# An identity provider that others wrote, and its keys.
	simplesamlphp php-cli php-xml php-mbstring php-sqlite3 php-curl openssl
	# A verifier of signatures that others wrote.
	xmlsec1
	# A browser.
	chromium
)
staticcheck=v0.8.2

say() { printf 'setup: %s\n' "$*" >&2; }

# missing prints the packages that are not installed, one a line.
missing() {
	local p
	for p in "${packages[@]}"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || printf '%s\n' "$p"
	done
}

# as_root runs a command as root, or says that it cannot.
as_root() {
	if [[ $EUID -eq 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		sudo -n "$@"
	else
		return 126
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

install_packages() {
	local need
	mapfile -t need < <(missing)
	[[ ${#need[@]} -gt 0 ]] || return 0
	say "installing ${need[*]}"
	if ! as_root true; then
		say "this needs root: apt-get install --no-install-recommends ${need[*]}"
		return 1
	fi
	apt update >&2
	apt install -y --no-install-recommends "${need[@]}" >&2
}

# check_go makes sure that there is a Go that accepts go.mod.
check_go() {
	local want
	want=$(awk '$1 == "go" { print $2; exit }' go.mod)
	if ! command -v go >/dev/null; then
		say "Go is not installed; looking whether Debian's can fetch Go $want"
		local debian
		debian=$(apt-cache policy golang-go 2>/dev/null | awk '/Candidate/ { print $2 }' | sed 's/^[0-9]*://; s/[~+-].*//')
		# Since 1.21, Go fetches the toolchain that go.mod names.
		if [[ -n $debian && $(printf '%s\n1.21\n' "$debian" | sort -V | head -n 1) == 1.21 ]]; then
			apt install -y --no-install-recommends golang-go >&2
		else
			say "install Go $want or newer and put it on PATH (Debian has ${debian:-none}; 1.21 or newer would do to start from)"
			return 1
		fi
	fi
	if ! go list -m >/dev/null; then
		say "this Go does not accept go.mod; install Go $want or newer, or set GOTOOLCHAIN=auto"
		return 1
	fi
}

install_staticcheck() {
	local bin=$PWD/.cache/bin
	if [[ -x $bin/staticcheck && $(go version -m "$bin/staticcheck" 2>/dev/null | awk '$1 == "mod" { print $3 }') == "$staticcheck" ]]; then
		return 0
	fi
	say "building staticcheck $staticcheck"
	mkdir -p "$bin"
	# Outside the module, so that go.mod keeps what the product needs.
	(cd "$bin" && GOBIN=$bin GOFLAGS=-mod=mod go install "honnef.co/go/tools/cmd/staticcheck@$staticcheck") >&2
}

main() {
	if ! command -v dpkg-query >/dev/null; then
		say "this is not Debian; install these yourself: ${packages[*]}"
		packages=()
	fi
	if [[ ${1:-} == --check ]]; then
		local need
		mapfile -t need < <(missing)
		[[ ${#need[@]} -eq 0 ]] || { say "missing: ${need[*]}"; return 1; }
		return 0
	fi
	local failed=0
	install_packages || failed=1
	check_go || return 1
	install_staticcheck || failed=1
	return $failed
}

main "$@"
