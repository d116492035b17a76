#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make demo: TLS servers whose private key is in a key slot of an SCM, and real
# clients that handshake with them. Everything happens in a throw-away folder.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
root=$PWD
start=$SECONDS
build=${ZK_PKCS11_BUILD:-$root/build} # a folder that is named is taken as it is
module=$build/libzk_pkcs11.so
label=web
step=0
doing="starting"
processes=()

say() { # a numbered line: what is done now
	step=$((step + 1))
	doing=$1
	printf '\n%d. %s\n' "$step" "$1"
}
note() { sed 's/^/     /'; } # shows what a program said

# quietly runs a command, its output goes to the log.
quietly() {
	echo "+ $*" >>"$dir/log"
	"$@" >>"$dir/log" 2>&1
}

# until_true runs a check up to 200 times, a tenth of a second apart.
until_true() {
	for _ in $(seq 200); do
		"$@" 2>/dev/null && return 0
		sleep 0.1
	done
	echo "gave up waiting: $*" >>"$dir/log"
	return 1
}

gone() { # a zombie that nobody reaps, as in some containers, is gone too
	[ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

stop() { # ends a process that this script started, and waits for it
	kill -TERM "$1" 2>/dev/null || return 0
	until_true gone "$1" || kill -KILL "$1"
}

stop_all() {
	local pid
	[ ! -s "$dir/nginx/nginx.pid" ] || stop "$(cat "$dir/nginx/nginx.pid")"
	for pid in "${processes[@]}"; do stop "$pid"; done
	processes=()
}

finish() {
	local status=$? file
	trap - EXIT
	set +e
	if [ "$status" -ne 0 ]; then
		printf '\nmake demo FAILED in step %d: %s\n' "$step" "$doing" >&2
		for file in "$dir/log" "$dir/s_server.log" "$dir/nginx/error.log"; do
			[ ! -s "$file" ] || { echo "--- end of ${file#"$dir"/}:"; tail -n 12 "$file"; } >&2
		done
	fi
	stop_all
	rm -rf "$dir"
	exit "$status"
}

# ---- what the steps do ----

# need_compilers says what is missing that no package of Debian 12 brings. A go from
# 1.21 on gets the version that go.mod asks for by itself, older ones do not.
need_compilers() {
	local tool wanted found
	for tool in go gcc make; do
		command -v "$tool" >/dev/null || { echo "make demo needs $tool in the PATH" >&2; return 1; }
	done
	wanted=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)
	found=$(go env GOVERSION) || return 1
	found=${found#go}
	if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
		echo "make demo needs Go $wanted or later; $(command -v go) is Go $found" >&2
		return 1
	fi
}

need_packages() {
	scripts/packages.sh libc6-dev openssl libengine-pkcs11-openssl opensc curl ca-certificates
	nginx=$(scripts/nginx.sh "$dir/unpacked")
}

# configure writes what an administrator would keep below /etc. As root the
# workers of nginx are www-data, who then needs the state directory too.
configure() {
	mkdir -m 0755 "$dir/nginx"
	printf '%s' "$pin" >"$dir/pin"
	{
		echo "state = \"$dir/state\""
		echo 'backend = "soft"'
		[ "$(id -u)" -ne 0 ] || echo 'state_group = "www-data"'
	} >"$dir/zk_pkcs11.toml"
	cat >"$dir/openssl.cnf" <<-END
		openssl_conf = init
		[init]
		engines = engines
		[engines]
		pkcs11 = pkcs11
		[pkcs11]
		engine_id = pkcs11
		MODULE_PATH = $module
		init = 1
		[req]
		distinguished_name = name
		[name]
	END
	export ZK_PKCS11_CONF=$dir/zk_pkcs11.toml OPENSSL_CONF=$dir/openssl.cnf
	unset ZK_PKCS11_HOME ZK_PKCS11_BACKEND ZK_PKCS11_EC_POINT ZK_PKCS11_QUIRKS ZK_PKCS11_TRACE ZK_PKCS11_LOG
}

make_token() {
	"$build/zk_pkcs11-util" --init-token --slot 0 --label demo --pin "$pin" --so-pin "$so_pin"
	"$build/zk_pkcs11-util" --use-zkslot 0 --slot 0 --label "$label" --id 7765 --pin "$pin"
	"$build/zk_pkcs11-util" --show-slots | grep -E 'Model|Serial|Label'
}

make_certificate() {
	quietly openssl req -new -x509 -engine pkcs11 -keyform engine -key "$key" -sha256 -days 1 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -out "$dir/cert.pem"
	openssl x509 -in "$dir/cert.pem" -noout -subject -ext subjectAltName
}

listening() { port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$dir/s_server.log") && [ -n "$port" ]; }

start_s_server() { # port 0: the kernel picks a free one
	openssl s_server -accept 127.0.0.1:0 -engine pkcs11 -keyform engine -key "$key" -cert "$dir/cert.pem" -www \
		>"$dir/s_server.log" 2>&1 </dev/null &
	processes+=($!)
	until_true listening
}

handshake_s_client() {
	openssl s_client -connect "127.0.0.1:$port" -tls1_3 -CAfile "$dir/cert.pem" -verify_return_error \
		-verify_hostname localhost </dev/null >"$dir/s_client.log" 2>&1 || { cat "$dir/s_client.log" >>"$dir/log"; return 1; }
	grep -E '^(Verification|Verified peername|New, TLS|Peer signature type|Server public key)' "$dir/s_client.log"
}

# fetch asks a server for a page by curl, which verifies the certificate.
fetch() {
	curl -sS -v --max-time 20 --cacert "$dir/cert.pem" "https://localhost:$port/" --resolve "localhost:$port:127.0.0.1" \
		>"$dir/page" 2>"$dir/curl.log" || { cat "$dir/curl.log" >>"$dir/log"; return 1; }
	grep -q 'SSL certificate verify ok' "$dir/curl.log"
}

show_fetch() {
	fetch
	grep -E 'SSL connection using|SSL certificate verify ok' "$dir/curl.log"
}

write_nginx_conf() {
	local user=""
	[ "$(id -u)" -ne 0 ] || user="user www-data;"
	port=$((20000 + RANDOM % 12000)) # below the ports that the kernel gives to clients
	sed -e '/^# /d' -e "s|@USER@|$user|; s|@DIR@|$dir|; s|@PORT@|$port|; s|@KEY@|$key|" \
		scripts/demo/nginx.conf.in >"$dir/nginx/nginx.conf"
}

# start_nginx tries other ports when one is taken.
start_nginx() {
	for _ in 1 2 3 4 5; do
		write_nginx_conf
		if quietly "$nginx" -p "$dir/nginx" -e "$dir/nginx/error.log" -c "$dir/nginx/nginx.conf"; then break; fi
		grep -q 'Address already in use' "$dir/nginx/error.log" || return 1
	done
	until_true test -s "$dir/nginx/nginx.pid"
	master=$(cat "$dir/nginx/nginx.pid")
	until_true has_workers
}

workers() { cat "/proc/$master/task/$master/children"; }
has_workers() { [ "$(workers | wc -w)" -eq 2 ]; }

many_handshakes() {
	for _ in $(seq 20); do
		fetch
		cat "$dir/page"
	done | sort | uniq -c
}

reload_nginx() {
	local old
	old=$(workers)
	kill -HUP "$master"
	until_true replaced "$old"
	show_fetch
	cat "$dir/page"
}

replaced() {
	local pid
	for pid in $1; do gone "$pid" || return 1; done
	has_workers
}

show_private_key() {
	PIN=$pin pkcs11-tool --module "$module" --slot 0 --login --pin env:PIN --list-objects --type privkey 2>>"$dir/log" |
		awk -v label="$label" '/^Private Key/ { head = $0; shown = 0 } $1 == "label:" && $2 == label { print head; shown = 1 } shown'
}

compare_public_keys() {
	pkcs11-tool --module "$module" --slot 0 --read-object --type pubkey --label "$label" -o "$dir/slot.der" >>"$dir/log" 2>&1
	openssl x509 -in "$dir/cert.pem" -noout -pubkey | openssl pkey -pubin -outform DER -out "$dir/cert.der"
	cmp "$dir/slot.der" "$dir/cert.der"
	echo "the certificate's public key is that of the slot"
}

steal_private_key() {
	gcc -Wall -Iinclude -o "$dir/read_value" scripts/demo/read_value.c -ldl
	"$dir/read_value" "$module" "$label" <"$dir/pin"
}

no_key_files() {
	if grep -rlaE 'BEGIN ([A-Z]+ )?PRIVATE KEY' "$dir" --exclude-dir=unpacked; then return 1; fi
	echo "no private key in $(find "$dir" -path "$dir/unpacked" -prune -o -type f -print | wc -l) files below $dir"
	echo "what the soft SCM keeps, sealed under the PIN: $(cd "$dir/state" && echo *.db)"
}

# ---- the steps ----

need_compilers || exit 1
umask 022
dir=$(mktemp -d "${TMPDIR:-/tmp}/zk-demo.XXXXXX")
chmod 0711 "$dir" # the workers of nginx go through it
trap finish EXIT
trap 'exit 130' INT TERM HUP
pin=$(printf '%08d' $((RANDOM * 3052 + RANDOM)))
so_pin=$(printf '%08d' $((RANDOM * 3052 + RANDOM)))
key="pkcs11:token=demo;object=$label;type=private;pin-source=file:$dir/pin"

say "Install what is missing (OpenSSL's pkcs11 engine, nginx, curl, pkcs11-tool)"
need_packages
echo "nginx is $nginx" | note

say "Build the module and the tool"
[ -n "${ZK_PKCS11_BUILD:-}" ] || quietly make --no-print-directory build
printf "%s\n" "$module" "$build/zk_pkcs11-util" | note

say "Make a soft SCM in $dir, initialise its token, name the P-256 key in key slot 0 \"$label\""
configure
make_token | note

say "Make a certificate for that key; the engine asks the module to sign it"
make_certificate | note

say "Start openssl s_server with the key in the slot"
start_s_server
echo "it listens on 127.0.0.1:$port, process ${processes[-1]}" | note

say "Handshake with openssl s_client, which verifies the certificate"
handshake_s_client | note

say "The same with curl"
show_fetch | note
stop_all

say "Start nginx as a daemon with a master and two workers"
start_nginx
echo "it listens on 127.0.0.1:$port, master process $master, workers $(workers)" | note

say "Handshake with curl twenty times; each page tells which worker signed"
many_handshakes | note

say "Reload nginx; new workers take over"
reload_nginx | note

say "Look at the private key through the module"
show_private_key | note
compare_public_keys | note

say "Try to read its value with the PIN"
steal_private_key | note

say "Look for it in files"
no_key_files | note

stop_all
printf '\nmake demo: all handshakes verified, the private key never left key slot 0. It took %d s.\n' $((SECONDS - start))
