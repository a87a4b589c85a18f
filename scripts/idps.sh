# shellcheck shell=bash disable=SC2154 # dir and tree are the caller's
#
# idps.sh, to be sourced by parts.sh, starts and stops the identity providers
# that others wrote: SimpleSAMLphp, Auth0's samlp, pysaml2 and Keycloak.
#
# Each is on localhost, while the broker is on 127.0.0.1: two sites, as in real
# life. Each has a folder of its own, $dir/NAME; except for Keycloak, sps/ in
# it is where tests register service providers. The process that $dir/NAME.pid
# names leads a group, which ends with it.

# shellcheck source=scripts/java.sh
source "$tree/scripts/java.sh"
keycloak=$tree/.cache/keycloak # scripts/setup.sh puts it there
npm_idps=$tree/.cache/npm-idps

# ours says whether a process is the part that was started from here: its
# number may have been given to another one since.
ours() { [[ -r /proc/$1/cmdline ]] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$dir/$2"; }

# end_part ends a part's processes and removes what it wrote.
end_part() {
	local name=$1 pid
	if [[ -f $dir/$name.pid ]]; then
		pid=$(<"$dir/$name.pid")
		if ours "$pid" "$name"; then
			kill -- "-$pid" 2>/dev/null || true
			for _ in {1..50}; do
				ours "$pid" "$name" || break
				sleep 0.1
			done
			! ours "$pid" "$name" || kill -KILL -- "-$pid" 2>/dev/null || true
		fi
	fi
	rm -rf "$dir/$name.pid" "${dir:?}/$name"
}

# status prints the first line of the answer to a request for path at a port.
status() {
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return
	printf 'GET %s HTTP/1.0\r\nHost: localhost:%s\r\n\r\n' "$2" "$1" >&3
	timeout 5 head -n 1 <&3
}

# answers waits, for so many tenths of a second, until a part serves path at a
# port; it gives up earlier if the part has ended.
answers() {
	local name=$1 port=$2 path=$3 tenths=$4
	for ((; tenths > 0; tenths--)); do
		kill -0 "$(<"$dir/$name.pid")" 2>/dev/null || return 1
		[[ $( (status "$port" "$path") 2>/dev/null) != *" 200 "* ]] || return 0
		sleep 0.1
	done
	return 1
}

# make_key makes a key of so many bits and its certificate.
make_key() {
	openssl req -x509 -newkey "rsa:$2" -nodes -subj "/CN=$(basename "$1").company.test" -days 30 -keyout "$1.pem" -out "$1.crt" 2>/dev/null
}

# --- SimpleSAMLphp, under PHP's own server ---

ssp_code=/usr/share/simplesamlphp/www

start_ssp() {
	local port home=$dir/ssp url
	if ! command -v php >/dev/null || [[ ! -d $ssp_code ]]; then
		say "SimpleSAMLphp is not installed, or not whole; scripts/setup.sh installs it"
		return 0
	fi
	port=$(free_port)
	url=http://localhost:$port
	rm -rf "$home"
	mkdir -p "$home"/{www,cert,log,data,tmp,sps}
	ln -s "$ssp_code" "$home/www/simplesamlphp"
	make_key "$home/cert/idp" 2048
	SIMPLESAMLPHP_CONFIG_DIR=$tree/testdata/simplesamlphp GATEHOUSE_SSP_DIR=$home GATEHOUSE_SSP_URL=$url \
		setsid php -d session.save_path="$home/tmp" -d error_log="$home/log/php.log" -S "127.0.0.1:$port" -t "$home/www" \
		>"$home/log/server.log" 2>&1 </dev/null 9>&- &
	printf '%s' $! >"$dir/ssp.pid"
	answers ssp "$port" /simplesamlphp/saml2/idp/metadata.php 150 || { say "SimpleSAMLphp did not answer, see $home/log"; return 1; }
	put GATEHOUSE_TEST_SSP "$url"
	put GATEHOUSE_TEST_SSP_DIR "$home"
}

# --- LemonLDAP::NG, which has Lasso speak SAML ---

start_lemonldap() {
	local port home=$dir/lemonldap
	if ! command -v starman >/dev/null || ! perl -MLasso -MLemonldap::NG::Portal::Main -e 1 2>/dev/null; then
		say "LemonLDAP::NG is not installed, or not whole; scripts/setup.sh installs it"
		return 0
	fi
	port=$(free_port)
	rm -rf "$home"
	mkdir -p "$home"/{cert,conf,sps,sessions/lock,persistent/lock}
	make_key "$home/cert/idp" 2048
	# One worker: what it knows of service providers is read again as they change.
	GATEHOUSE_LEMONLDAP_DIR=$home GATEHOUSE_LEMONLDAP_URL=http://localhost:$port \
		setsid starman --workers 1 --preload-app --listen "127.0.0.1:$port" --pid "$home/pid" "$tree/testdata/lemonldap/portal.psgi" \
		>"$home/log" 2>&1 </dev/null 9>&- &
	printf '%s' $! >"$dir/lemonldap.pid"
	answers lemonldap "$port" /saml/metadata 300 || { say "LemonLDAP::NG did not answer, see $home/log"; return 1; }
	put GATEHOUSE_TEST_LEMONLDAP "http://localhost:$port"
	put GATEHOUSE_TEST_LEMONLDAP_DIR "$home"
}

# --- samlp and samlify, from npm, with express ---

# start_npm starts testdata/npm-idps/NAME.js.
start_npm() {
	local name=$1 port home=$dir/$1
	if ! command -v node >/dev/null || [[ ! -d $npm_idps/node_modules/$name ]]; then
		say "$name is not installed; scripts/setup.sh installs it"
		return 0
	fi
	port=$(free_port)
	rm -rf "$home"
	mkdir -p "$home"/{cert,sps}
	make_key "$home/cert/idp" 2048
	make_key "$home/cert/stranger" 2048
	make_key "$home/cert/small" 1024
	NODE_PATH=$npm_idps/node_modules setsid node --no-deprecation "$tree/testdata/npm-idps/$name.js" "$home" "$port" >"$home/log" 2>&1 </dev/null 9>&- &
	printf '%s' $! >"$dir/$name.pid"
	answers "$name" "$port" /metadata 150 || { say "$name did not answer, see $home/log"; return 1; }
	put "GATEHOUSE_TEST_${name^^}" "http://localhost:$port"
	put "GATEHOUSE_TEST_${name^^}_DIR" "$home"
}

start_samlp() { start_npm samlp; }
start_samlify() { start_npm samlify; }

# --- pysaml2, Debian's, with Debian's Python ---

start_pysaml2() {
	local port home=$dir/pysaml2
	if ! command -v xmlsec1 >/dev/null || ! /usr/bin/python3 -c 'import saml2' 2>/dev/null; then
		say "pysaml2 is not installed; scripts/setup.sh installs it"
		return 0
	fi
	port=$(free_port)
	rm -rf "$home"
	mkdir -p "$home"/{cert,sps}
	make_key "$home/cert/idp" 2048
	setsid /usr/bin/python3 "$tree/testdata/pysaml2/idp.py" "$home" "$port" >"$home/log" 2>&1 </dev/null 9>&- &
	printf '%s' $! >"$dir/pysaml2.pid"
	answers pysaml2 "$port" /metadata 300 || { say "pysaml2 did not answer, see $home/log"; return 1; }
	put GATEHOUSE_TEST_PYSAML2 "http://localhost:$port"
	put GATEHOUSE_TEST_PYSAML2_DIR "$home"
}

# --- Keycloak, with its database in memory ---

# launch_keycloak starts it; await_keycloak says when it is there, which takes
# a quarter of a minute.
launch_keycloak() {
	local port home=$dir/keycloak java password
	rm -f "$dir/keycloak.pid"
	if ! java=$(java_home) || [[ ! -f $keycloak/ready ]]; then
		say "Keycloak is not installed, or there is no Java 17 or newer; scripts/setup.sh installs both"
		return 0
	fi
	port=$(free_port)
	rm -rf "$home"
	mkdir -p "$home" "$keycloak/data/import"
	password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	cp "$tree/testdata/keycloak/realm.json" "$keycloak/data/import/realm.json"
	# It starts once and serves few: the quick compiler and the small collector
	# halve what it takes of the machine.
	JAVA_HOME=$java KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=$password \
		JAVA_OPTS="-Xms64m -Xmx512m -XX:MaxMetaspaceSize=256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Dfile.encoding=UTF-8" \
		setsid "$keycloak/bin/kc.sh" start --optimized --import-realm --cache=local --http-enabled=true --http-host=127.0.0.1 "--http-port=$port" \
		"--hostname=http://localhost:$port" "-Dgatehouse.parts=$home" >"$home/log" 2>&1 </dev/null 9>&- &
	printf '%s' $! >"$dir/keycloak.pid"
	printf '%s %s' "$port" "$password" >"$home/env"
}

await_keycloak() {
	local port password
	[[ -f $dir/keycloak.pid ]] || return 0
	read -r port password <"$dir/keycloak/env" || true
	answers keycloak "$port" /realms/gatehouse/protocol/saml/descriptor 900 || { say "Keycloak did not answer, see $dir/keycloak/log"; return 1; }
	put GATEHOUSE_TEST_KEYCLOAK "http://localhost:$port"
	put GATEHOUSE_TEST_KEYCLOAK_PASSWORD "$password"
}

# --- all of them ---

start_idps() {
	if ! command -v openssl >/dev/null; then
		say "openssl is not installed, which the identity providers' keys need; scripts/setup.sh installs it"
		return 0
	fi
	launch_keycloak && start_ssp && start_lemonldap && start_samlp && start_samlify && start_pysaml2 && await_keycloak
}

stop_idps() {
	local name
	for name in ssp lemonldap samlp samlify pysaml2 keycloak; do
		end_part "$name"
	done
}
