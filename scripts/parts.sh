#!/usr/bin/env bash
# parts.sh starts and stops the real servers that tests run against, on the
# loopback interface and on ports that are free.
#
#   scripts/parts.sh start            start what is installed, print where it is
#   scripts/parts.sh start --durable  a PostgreSQL alone, which syncs to disk: for
#                                     benchmarks
#   scripts/parts.sh env              print where it is, once started
#   scripts/parts.sh stop             end what start started, and nothing else
#
# What it prints is NAME=value, one a line, for the shell:
#
#   set -a; eval "$(scripts/parts.sh start)"; set +a; go test ./...
#
# Everything is kept in $GATEHOUSE_TEST_DIR (.cache/parts in the tree): keys and
# passwords are made there at each start, and the data goes at the next stop.
# A part that is not installed is left out, with a line that says so.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$PWD
dir=${GATEHOUSE_TEST_DIR:-.cache/parts}
[[ $dir == /* ]] || dir=$tree/$dir

say() { printf 'parts: %s\n' "$*" >&2; }

# free_port prints a port that nobody listens on.
free_port() {
	local port
	for _ in {1..200}; do
		port=$((20000 + RANDOM % 12000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			printf '%s' "$port"
			return
		fi
	done
	say "no free port found"
	return 1
}

put() { printf '%s=%q\n' "$1" "$2" >>"$dir/env.new"; }

# shellcheck source=scripts/idps.sh
source "$tree/scripts/idps.sh"

# --- PostgreSQL, which refuses to run as root ---

pg_bin() {
	local newest
	newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
	if [[ -x $newest ]]; then
		dirname "$newest"
	elif command -v initdb >/dev/null; then
		dirname "$(command -v initdb)"
	fi
}

as_postgres() {
	if [[ $EUID -eq 0 ]]; then
		(cd / && exec runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# pg_home makes the folder of the database and prints it: in $dir, unless the
# user postgres cannot reach that.
pg_home() {
	local home=$dir/postgres
	mkdir -p "$home"
	if [[ $EUID -eq 0 ]]; then
		chown postgres: "$home"
		if ! as_postgres test -w "$home" 2>/dev/null; then
			rmdir "$home"
			home=$(mktemp -d "${TMPDIR:-/tmp}/gatehouse-postgres.XXXXXX")
			chown postgres: "$home"
		fi
	fi
	chmod 700 "$home"
	printf '%s' "$home" >"$dir/postgres.home"
	printf '%s' "$home"
}

start_postgres() {
	local bin home port password sockets
	bin=$(pg_bin)
	if [[ -z $bin ]]; then
		say "PostgreSQL is not installed; scripts/setup.sh installs it"
		return 0
	fi
	home=$(pg_home)
	port=$(free_port)
	password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	(umask 077 && printf '%s\n' "$password" >"$home/password")
	[[ $EUID -ne 0 ]] || chown postgres: "$home/password"
	as_postgres "$bin/initdb" -D "$home/data" -U gatehouse -A scram-sha-256 --pwfile="$home/password" -E UTF8 --no-locale --no-sync >"$dir/initdb.log" 2>&1 ||
		{ say "initdb failed, see $dir/initdb.log"; return 1; }
	sockets=$home
	[[ ${#sockets} -le 80 ]] || sockets= # the path of a socket is bounded by the kernel
	{
		printf "listen_addresses = '127.0.0.1'\nport = %s\nunix_socket_directories = '%s'\n" "$port" "$sockets"
		printf "password_encryption = 'scram-sha-256'\nmax_connections = 200\n"
		[[ $1 == durable ]] || printf 'fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n'
	} >>"$home/data/postgresql.conf"
	# A server would hold the lock for as long as it runs, so it does not get it.
	as_postgres "$bin/pg_ctl" -D "$home/data" -l "$home/log" -w -t 30 start >/dev/null 9>&- ||
		{ say "PostgreSQL did not start, see $home/log"; return 1; }
	PGPASSWORD=$password "$bin/createdb" -h 127.0.0.1 -p "$port" -U gatehouse gatehouse
	put GATEHOUSE_TEST_POSTGRES "postgres://gatehouse:$password@127.0.0.1:$port/gatehouse?sslmode=disable"
}

stop_postgres() {
	local home bin
	[[ -f $dir/postgres.home ]] || return 0
	home=$(<"$dir/postgres.home")
	bin=$(pg_bin)
	if [[ -f $home/data/postmaster.pid ]]; then
		as_postgres "$bin/pg_ctl" -D "$home/data" -m fast -w -t 30 stop >/dev/null || say "PostgreSQL did not stop"
	fi
	rm -rf "$home" "$dir/postgres.home"
}

# --- Redis, in memory alone ---

start_redis() {
	local port password home=$dir/redis
	if ! command -v redis-server >/dev/null; then
		say "Redis is not installed; scripts/setup.sh installs it"
		return 0
	fi
	port=$(free_port)
	password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	rm -rf "$home"
	mkdir -p "$home"
	# With its own title it could not be told from another one.
	(umask 077 && printf 'bind 127.0.0.1\nport %s\nrequirepass %s\nsave ""\nappendonly no\nset-proc-title no\ndir "%s"\n' "$port" "$password" "$home" >"$home/redis.conf")
	setsid redis-server "$home/redis.conf" >"$home/log" 2>&1 </dev/null 9>&- &
	printf '%s' $! >"$dir/redis.pid"
	for _ in {1..100}; do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			put GATEHOUSE_TEST_REDIS "redis://:$password@127.0.0.1:$port/0"
			return 0
		fi
		sleep 0.1
	done
	say "Redis did not answer, see $home/log"
	return 1
}

# --- all of them ---

find_chromium() {
	local path
	path=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
	if [[ -z $path ]]; then
		say "Chromium is not installed; scripts/setup.sh installs it"
		return 0
	fi
	put GATEHOUSE_TEST_CHROMIUM "$path"
}

# find_avn asks it for its version, because there may be a virtual environment
# that works no more.
find_avn() {
	local path=$tree/.cache/avn/bin/avn
	if ! "$path" --version >/dev/null 2>&1; then
		say "avn is not installed; scripts/setup.sh installs it from PyPI"
		return 0
	fi
	put GATEHOUSE_TEST_AVN "$path"
}

stop() {
	rm -f "$dir/env" "$dir/env.new"
	stop_idps
	end_part redis
	stop_postgres
}

start() {
	stop
	: >"$dir/env.new"
	if ! start_postgres "$1"; then
		stop
		return 1
	fi
	# What is measured shares the machine with nothing else.
	if [[ $1 != durable ]]; then
		{ start_redis && start_idps; } || { stop; return 1; }
		find_chromium
		find_avn
	fi
	mv "$dir/env.new" "$dir/env"
	cat "$dir/env"
}

usage() {
	sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$tree/scripts/parts.sh" >&2
	exit 2
}

mkdir -p "$dir"
exec 9>"$dir/lock"
flock -w 120 9 || { say "another parts.sh is at work in $dir"; exit 1; }
case "${1:-} ${2:-}" in
"start ") start fast ;;
"start --durable") start durable ;;
"env ")
	[[ -f $dir/env ]] || { say "nothing is started"; exit 1; }
	cat "$dir/env"
	;;
"stop ") stop ;;
*) usage ;;
esac
