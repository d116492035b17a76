#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make bench: benchmarks of the layers, then of the whole module beside plain Go.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh gcc libc6-dev
echo "machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1 /proc/loadavg)"
go test -run '^$' -bench . -benchmem ./internal/... ./pkcs11/... 2>&1 | grep -v 'no test files'
go test -run '^$' -bench . -benchtime 5s ./tests/bench
