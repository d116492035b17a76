#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the version of these sources: that of the git tag vX.Y.Z, with the number of commits
# after it. In an unpacked tarball it is what git archive has written to packaging/release.
# Where there is no tag, it is the newest release of the changelog, with the commit.
# "version.sh date" prints the time of the commit in seconds, which packages bear.
set -euo pipefail
cd "$(dirname "$0")/.."

# in_git tells whether this folder is a clone of its own, and not one within another.
in_git() { [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; }

# archived prints what git archive has written of a name, and nothing in a clone.
archived() { sed -n "s/^$1=//p" packaging/release | grep -v Format || true; }

# changelog prints the newest release in the changelog.
changelog() { sed -n 's/^## \([0-9][0-9.]*\) .*/\1/p' CHANGELOG.md | head -n 1; }

if [ "${1:-}" = date ]; then
	if in_git; then git log -1 --format=%ct; else date=$(archived date); echo "${date:-0}"; fi
	exit
fi

if in_git; then
	tag=$(git describe --tags --match 'v[0-9]*' --abbrev=12 2>/dev/null || true)
	commit=$(git rev-parse --short=12 HEAD)
	changed=$(git status --porcelain --untracked-files=no | head -n 1)
else
	tag=$(archived describe) commit=$(archived commit) changed=
fi
tag=${tag#v}
: "${tag:=$(changelog)-git-g${commit:-unknown}}"
# As Debian writes it: 0.2.0-5-gabc is later than 0.2.0, and no dash is in a version.
version=$(sed -E 's/-([0-9]+|git)-g([0-9a-z]+)$/+\1.g\2/; s/-/~/g' <<<"$tag")
[ -z "$changed" ] || version+=$([[ $version = *+* ]] && echo .changed || echo +changed)
echo "$version"
