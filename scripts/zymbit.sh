#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make test-zymbit: the tests of the provider and the black box tests, with the driver for
# the hardware over our own libzk_app_utils.so, and what they skip with the reasons.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
ZK_PKCS11_BACKEND=zymbit go test -count=1 -v -timeout 30m ./pkcs11 ./tests/... >"$log" 2>&1 || status=$?
if [ "$status" = 0 ]; then
	grep '^ok' "$log"
else
	grep -vE '^ *(=== |--- (PASS|SKIP))' "$log"
fi
# A test's lines stand below the last === line that names it; its --- line may come later.
awk '
	/^=== (RUN|NAME|CONT|PAUSE) / { name = $3 }
	/^ *[a-z0-9_]+\.go:[0-9]+: / { sub(/^ *[^ ]+ /, ""); reason[name] = $0 }
	/^ *--- PASS: / { passes++ }
	/^ *--- SKIP: / { print "skipped: " $3 ": " reason[$3]; skips++ }
	END { print passes + 0 " passed, " skips + 0 " skipped" }
' "$log"
exit "$status"
