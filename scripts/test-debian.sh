#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "test-debian.sh SUITE [TEST...]" installs the packages of these sources in a Debian of another release, made new or kept
# from the last time below ZK_ROOTS, and runs the tests of real clients there (docs/debian.md). Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1
shift
build=${BUILD:-build}
version=${VERSION:-$(scripts/version.sh)}
root=${ZK_ROOTS:-$build/roots}/$suite-clients
tests=("$@")
[ ${#tests[@]} -gt 0 ] || tests=(./tests/clients ./tests/servers ./tests/tls)
start=$SECONDS

VERSION=$version COMPRESSION=gzip scripts/deb.sh
# First as somebody who has the packages and README alone.
BUILD=$build VERSION=$version scripts/newcomer.sh "$suite"
# shellcheck disable=SC2016 # it is dpkg-query that expands it
clients=(opensc gnutls-bin p11-kit p11-kit-modules openssl libengine-pkcs11-openssl pkcs11-provider softhsm2 nginx-light
	apache2-bin haproxy stunnel4 openssh-server openssh-client default-jdk-headless libnss3-tools curl python3 python3-pykcs11 bubblewrap)
[ "$suite" != bookworm ] || clients=("${clients[@]/pkcs11-provider/}")
mapfile -t clients < <(printf '%s\n' "${clients[@]}" | grep .)
scripts/debian-root.sh "$suite" "$root" systemd debconf ca-certificates make gcc libc6-dev git dpkg-dev "${clients[@]}"

# The folder with what the tests look for has links to what the packages have installed.
# shellcheck disable=SC2016
in_it='packages=$1; version=$2; clients=$3; shift 3
apt-get install -y -qq --no-install-recommends "$packages"/*_"${version}_$(dpkg --print-architecture)".deb >/dev/null
mkdir /run/installed
ln -s /usr/lib/libzk_pkcs11.so /usr/bin/zk_pkcs11-util "$(dpkg -L zk-scm-emulator | grep "/libzk_app_utils.so$")" /run/installed
export ZK_PKCS11_BUILD=/run/installed
. /etc/os-release
echo "$PRETTY_NAME ($(cat /etc/debian_version)), $(ldd --version | sed -n 1p)"
dpkg-query --show --showformat "\${Package} \${Version}\n" libzk-pkcs11 $clients
/usr/bin/pkcs11-tool --module /usr/lib/libzk_pkcs11.so --show-info
go test -count=1 -timeout 40m "$@"'
scripts/debian-run.sh "$root" "$in_it" "$PWD/$build/packages" "$version" "${clients[*]}" "${tests[@]}"
echo "the clients of $suite took $((SECONDS - start)) s"
