#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make fuzz: every fuzz target for its part of TIME (10m unless set; s, m and h are known), also after one has
# failed. An input that fails is kept in testdata/fuzz beside its target, and is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh gcc libc6-dev

time=${TIME:-10m}
case $time in
*h) total=$((${time%h} * 3600)) ;;
*m) total=$((${time%m} * 60)) ;;
*) total=${time%s} ;;
esac
mapfile -t targets < <(grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's|^(.*)/[^/]*: ?func (Fuzz[A-Za-z0-9]*)\(.*|\1 \2|' | sort)
each=$((total / (${#targets[@]} + 2)))
[ "$each" -gt 0 ] || each=1
echo "${#targets[@]} targets in Go and two programs in C, $each s each"

failed=()
for target in "${targets[@]}"; do
	read -r package name <<<"$target"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "${each}s" -fuzzminimizetime 10s "$package" || failed+=("$package $name")
done
ZK_FUZZ_SECONDS=$((each < 20 ? 20 : each)) go test -count=1 -timeout $((each * 4 + 600))s -run 'OneThread|Threads|Fuzz' ./tests/fuzz ./tests/apputils ||
	failed+=("tests/fuzz and tests/apputils, in C")
[ ${#failed[@]} = 0 ] || printf 'failed: %s\n' "${failed[@]}" >&2
[ ${#failed[@]} = 0 ]
