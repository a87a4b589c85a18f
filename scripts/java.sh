# shellcheck shell=bash
#
# java.sh, to be sourced, finds what Keycloak needs of Java: JDKs or JREs of
# version 17 or newer, of Debian's or anybody's.

# java_home prints the folder of the newest Java that is installed, or fails.
java_home() {
	local home version best=0 found=
	for home in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
		[[ -n $home && -x $home/bin/java ]] || continue
		version=$("$home/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
		[[ ${version:-0} -gt $best ]] || continue
		best=$version
		found=$home
	done
	[[ $best -ge 17 ]] || return 1
	printf '%s' "$found"
}
