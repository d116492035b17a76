#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make test: everything that the tests need, then all of them, or those of a step of .ci/run: unit, black-box, zymbit (some of
# the black box tests through the vendor's C API; make test-zymbit has all) or packages.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS
of=${1:-all}

scripts/packages.sh gcc g++ libc6-dev libp11-kit-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross musl-tools opensc gnutls-bin p11-kit p11-kit-modules openssl \
	libengine-pkcs11-openssl softhsm2 nginx-light binutils curl python3 python3-pykcs11 git bubblewrap shellcheck \
	dpkg-dev debhelper go-md2man lintian apache2-bin haproxy stunnel4 openssh-server openssh-client default-jdk-headless libnss3-tools chromium-headless-shell cryptsetup-bin iproute2 procps
# In Debian 12 this is in the backports alone. Tests that need it say so where it is not to be had.
if apt-cache policy pkcs11-provider 2>/dev/null | grep -q 'Candidate: [0-9]'; then
	scripts/packages.sh pkcs11-provider
fi
make --no-print-directory build

# packages prints the packages of Go that a step tests: those whose path has one pattern and not another.
packages() { go list ./... | grep -E "$1" | grep -vE "${2:-^$}"; }
case $of in
	all) mapfile -t tested < <(packages .) ;;
	unit) mapfile -t tested < <(packages . /tests/) ;;
	black-box) mapfile -t tested < <(packages /tests/ '/tests/packag(es|ing)$') ;;
	packages) mapfile -t tested < <(packages '/tests/packag(es|ing)$') ;;
	zymbit)
		export ZK_PKCS11_BACKEND=zymbit
		tested=(./tests/tls ./tests/calls ./tests/vectors)
		;;
	*) echo "no step $of: unit, black-box, zymbit and packages are known" >&2; exit 1 ;;
esac
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go test -count=1 -timeout 30m "${tested[@]}" 2>&1 | tee "$log" || status=$?
echo "the tests ($of) took $((SECONDS - start)) s; packages of tests:"
echo "$(grep -c '^ok' "$log") passed, $(grep -c '^FAIL[[:space:]]' "$log") failed"
exit $status
