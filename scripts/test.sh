#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make test: everything that the tests need, then all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS

scripts/packages.sh gcc g++ libc6-dev libp11-kit-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross musl-tools opensc gnutls-bin p11-kit p11-kit-modules openssl \
	libengine-pkcs11-openssl softhsm2 nginx-light binutils curl python3 shellcheck \
	dpkg-dev debhelper go-md2man lintian apache2-bin haproxy stunnel4 openssh-server openssh-client default-jdk-headless libnss3-tools
# In Debian 12 this is in the backports alone. Tests that need it say so where it is not to be had.
if apt-cache policy pkcs11-provider 2>/dev/null | grep -q 'Candidate: [0-9]'; then
	scripts/packages.sh pkcs11-provider
fi
make --no-print-directory build
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go test -count=1 -timeout 30m ./... 2>&1 | tee "$log" || status=$?
echo "make test took $((SECONDS - start)) s; packages of tests:"
echo "$(grep -c '^ok' "$log") passed, $(grep -c '^FAIL[[:space:]]' "$log") failed"
exit $status
