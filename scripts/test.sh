#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make test: everything that the tests need, then all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS

scripts/packages.sh gcc g++ libc6-dev libp11-kit-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross opensc gnutls-bin p11-kit p11-kit-modules openssl \
	libengine-pkcs11-openssl softhsm2 nginx-light binutils curl python3 shellcheck \
	apache2-bin haproxy stunnel4 openssh-server openssh-client openjdk-17-jdk-headless libnss3-tools
make --no-print-directory build
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go test -count=1 -timeout 30m ./... 2>&1 | tee "$log" || status=$?
echo "make test took $((SECONDS - start)) s; packages of tests:"
echo "$(grep -c '^ok' "$log") passed, $(grep -c '^FAIL[[:space:]]' "$log") failed"
exit $status
