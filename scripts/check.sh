#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make check: formatting, vet, staticcheck, go.mod, known vulnerabilities.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || { echo "not gofmt-ed: $unformatted" >&2; exit 1; }
go vet ./...
go tool staticcheck ./...
go mod verify >/dev/null
go mod tidy -diff
scripts/vulnerabilities.sh
echo "check: ok"
