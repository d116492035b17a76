#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the changes of the module's Go runtime to a folder, as an overlay for go build:
# no thread of it takes the host's signals, and it has no descriptors of its own. The
# changes are made to the Go that builds, and checked: a Go that is different fails here.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
source=$(${GO:-go} env GOROOT)/src/runtime

# Signals that the runtime unblocks in all of its threads, and in a host's while it is in a
# call. Those of bad pointers (BUS, SEGV) and of the C library (32, 33) have to be. The others
# (ILL, TRAP, FPE, STKFLT, CHLD, PROF and 34) are the host's.
table=$source/sigtab_linux_generic.go
sed -E '/^\t\/\* (4|5|8|16|17|27|34) \*\//s/ \+ _SigUnblock//' "$table" >"$folder/sigtab"
changed=$(diff "$table" "$folder/sigtab" | grep -c '^>' || true)
left=$(grep -c _SigUnblock "$folder/sigtab" || true)
if [ "$changed" != 7 ] || [ "$left" != 4 ]; then
	echo "$0: the table of signals of this Go is not the one that is known: $changed lines changed, $left left" >&2
	exit 1
fi

version=${VERSION:-$(scripts/version.sh)}
IFS=.+~ read -r major minor _ <<<"$version"
cat >"$folder/version.h" <<END
#define ZK_VERSION       "$version"
#define ZK_VERSION_MAJOR $major
#define ZK_VERSION_MINOR $minor
END

cat >"$folder/overlay.json" <<END
{"Replace": {
	"$table": "$folder/sigtab",
	"$source/netpoll_epoll.go": "$PWD/module/runtime/netpoll_note.go.in",
	"$PWD/module/version.h": "$folder/version.h"
}}
END
