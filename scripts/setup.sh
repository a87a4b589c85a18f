#!/usr/bin/env bash
# setup.sh installs what "make test" needs on a Debian machine, and only what
# is missing: real servers and a browser from Debian, identity providers from
# npm and Maven, avn from PyPI, staticcheck with Go.
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
	# Storage and limits, as several nodes use them, and a proxy before these.
	postgresql redis-server nginx-light
	# An identity provider that others wrote, and its keys.
	simplesamlphp php-cli php-xml php-mbstring php-sqlite3 php-curl openssl
	# Another one, with Lasso for SAML, and what serves it.
	lemonldap-ng-fastcgi-server liblemonldap-ng-portal-perl liblasso-perl starman libgd-securityimage-perl
	libimage-magick-perl libxml-simple-perl libio-string-perl libmime-tools-perl libconvert-base32-perl
	libunicode-string-perl libipc-run-perl
	# Another one, and the verifier and signer of signatures that it uses.
	python3-pysaml2 xmlsec1
	# The DNS: zones that are updated, and a resolver that remembers.
	bind9 bind9-dnsutils unbound
	# A browser.
	chromium
	# For avn.
	python3-venv
)
# programs are looked for by name, since they need not be Debian's; after the
# colon, the package that has one.
programs=(
	# For samlp and samlify.
	node:nodejs npm:npm
	# For Keycloak.
	mvn:maven unzip:unzip
)
staticcheck=v0.8.2
keycloak=26.7.3 # runs on Java 17 and newer
dependency_plugin=3.8.1

# shellcheck source=scripts/java.sh
source scripts/java.sh

say() { printf 'setup: %s\n' "$*" >&2; }

# missing prints the packages that are not installed, one a line.
missing() {
	local p
	for p in "${packages[@]}"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || printf '%s\n' "$p"
	done
	for p in "${programs[@]}"; do
		command -v "${p%:*}" >/dev/null || printf '%s\n' "${p#*:}"
	done
	java_home >/dev/null || printf '%s\n' openjdk-17-jre-headless
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

# install_npm_idps puts what testdata/npm-idps names, and its lock file pins,
# where scripts/parts.sh looks for it. No package's own scripts run.
install_npm_idps() {
	local from=$PWD/testdata/npm-idps to=$PWD/.cache/npm-idps
	if cmp -s "$from/package-lock.json" "$to/installed"; then
		return 0
	fi
	say "installing identity providers from npm"
	rm -rf "$to"
	mkdir -p "$to"
	cp "$from"/package*.json "$to"
	(cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 || return 1
	cp "$from/package-lock.json" "$to/installed"
}

# install_keycloak fetches Keycloak with Maven, which keeps it for the next
# clone, and prepares it for the database in memory, which takes half a minute.
install_keycloak() {
	local to=$PWD/.cache/keycloak java
	if [[ -f $to/ready && $(<"$to/ready") == "$keycloak" ]]; then
		return 0
	fi
	say "installing Keycloak $keycloak"
	java=$(java_home) || { say "there is no Java 17 or newer"; return 1; }
	rm -rf "$to"
	mkdir -p "$to"
	mvn -B -q -Dstyle.color=never "org.apache.maven.plugins:maven-dependency-plugin:$dependency_plugin:copy" \
		"-Dartifact=org.keycloak:keycloak-quarkus-dist:$keycloak:zip" "-DoutputDirectory=$to" >&2 || return 1
	unzip -q "$to/keycloak-quarkus-dist-$keycloak.zip" -d "$to" || return 1
	mv "$to/keycloak-$keycloak"/* "$to"
	rm -r "$to/keycloak-quarkus-dist-$keycloak.zip" "$to/keycloak-$keycloak"
	JAVA_HOME=$java "$to/bin/kc.sh" build --db=dev-mem --cache=local >"$to/build.log" 2>&1 ||
		{ say "Keycloak's own build failed, see $to/build.log"; return 1; }
	printf '%s' "$keycloak" >"$to/ready"
}

# avn_ready says whether avn is installed as testdata/avn says, and runs: it may
# not, once the tree has moved or Debian's Python is another one.
avn_ready() {
	cmp -s testdata/avn/requirements.txt .cache/avn/installed && .cache/avn/bin/avn --version >/dev/null 2>&1
}

# install_avn puts avn, the command line that others wrote for the same API, in
# a virtual environment where scripts/parts.sh looks for it.
install_avn() {
	local from=$PWD/testdata/avn/requirements.txt to=$PWD/.cache/avn
	if avn_ready; then
		return 0
	fi
	say "installing avn from PyPI"
	rm -rf "$to"
	if ! /usr/bin/python3 -m venv "$to" >&2 ||
		! "$to/bin/pip" --disable-pip-version-check -q install --require-hashes --only-binary :all: -r "$from" >&2; then
		say "avn cannot be installed: it needs Python 3.10 or newer with its venv module, and PyPI"
		return 1
	fi
	cp "$from" "$to/installed"
}

main() {
	if ! command -v dpkg-query >/dev/null; then
		say "this is not Debian; install these yourself: ${packages[*]}"
		packages=() programs=()
	fi
	if [[ ${1:-} == --check ]]; then
		local need
		mapfile -t need < <(missing)
		[[ -x .cache/bin/staticcheck ]] || need+=(staticcheck)
		cmp -s testdata/npm-idps/package-lock.json .cache/npm-idps/installed || need+=(samlp and samlify)
		[[ -f .cache/keycloak/ready ]] || need+=(Keycloak)
		avn_ready || need+=(avn)
		[[ ${#need[@]} -eq 0 ]] || { say "missing: ${need[*]}"; return 1; }
		return 0
	fi
	local failed=0
	install_packages || failed=1
	check_go || return 1
	install_staticcheck || failed=1
	install_npm_idps || failed=1
	install_keycloak || failed=1
	install_avn || failed=1
	return $failed
}

main "$@"
