#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make check-generated: what is made of other files is what these make now. Changed files stay changed, so that they
# can be committed.
set -euo pipefail
cd "$(dirname "$0")/.."
state() { git status --porcelain; git diff; }
before=$(state)
go generate ./...
scripts/notice.sh >NOTICE
if [ "$(state)" != "$before" ]; then
	git status --short >&2
	echo "generated files were not up to date: commit those above" >&2
	exit 1
fi
echo "check-generated: ok"
