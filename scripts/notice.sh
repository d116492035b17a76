#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints NOTICE: the licences of what the module, the tool and libzk_app_utils.so have built in.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=1 # the packages with C are asked for of other architectures, too

cat <<'END'
libzk_pkcs11 is under the Apache License, version 2.0, which is in the file LICENSE and on Debian
systems in /usr/share/common-licenses/Apache-2.0. What is built in of others is under these licences.

SQLite, which github.com/mattn/go-sqlite3 contains, is in the public domain.
END

# licences prints the files with licences of a folder.
licences() {
	local file
	for file in "$1"/LICENSE* "$1"/COPYING*; do
		if [ -f "$file" ]; then sed 's/[[:space:]]*$//' "$file"; fi
	done
}

# part prints a heading and the text of a licence.
part() { printf '\n%s\n%s\n\n' "$1" "$(tr -c '\n' '=' <<<"$1")"; }

part "Go, its runtime and standard library"
licences "$(go env GOROOT)"
for arch in amd64 arm64 arm; do
	GOARCH=$arch go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' \
		./module ./cmd/libzk_app_utils ./cmd/zk_pkcs11-util
done | LC_ALL=C sort -u | while read -r path version folder; do
	part "$path $version"
	licences "$folder"
done
for file in packaging/licences/*; do
	part "$(head -n 1 "$file")"
	tail -n +3 "$file"
done
