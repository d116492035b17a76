#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make bench: the benchmarks of the layers, then the whole module beside plain Go, then many objects.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh gcc libc6-dev

echo "machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1 /proc/loadavg)"
mapfile -t layers < <(grep -rlE '^func Benchmark' --include='*_test.go' . | xargs -n 1 dirname | sort -u | grep -vE '^./tests/(bench|sharing)$')
go test -run '^$' -bench . -benchmem "${layers[@]}"
go test -run '^$' -bench . -benchtime 5s ./tests/bench
go test -run '^$' -bench . -benchtime 5x -timeout 60m ./tests/sharing
