#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make sanitize: a short set of tests with each of the race detector, pointer checks and
# AddressSanitizer. make race and make soak run more.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS
scripts/packages.sh gcc libc6-dev

races='^(TestConcurrency|TestCloseWhileCalling|TestExchangedWhileSigning|TestReadersDoNotTakeTurns'
races+='|TestViewBesideAWriter|TestMoreReadersThanConnections|TestExclusion|TestLoggerFromManyGoroutines|TestLinesOfManyGoroutinesAreWhole)$'
go test -count=1 -race -timeout 30m -run "$races" ./pkcs11 ./internal/sharedfile ./internal/turn ./internal/trace

# Of the packages here alone: the others, with SQLite, would have to be compiled anew.
make --no-print-directory CHECKED=libzk_pkcs11/... build-checkptr
ZK_PKCS11_BUILD=$PWD/build/checkptr ZK_FUZZ_SECONDS=10 go test -count=1 -timeout 30m -run '^(TestBoundary|TestOneThread|TestThreads)$' ./tests/boundary ./tests/fuzz

ZK_ASAN=1 go test -count=1 -timeout 30m -run '^TestAddressSanitizer$' ./tests/guest
echo "make sanitize took $((SECONDS - start)) s"
