#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# For make install and make uninstall: "install.sh check FILE..." fails where a Debian package
# has put one of the files below DESTDIR, "install.sh remove FILE..." removes those that none has.
set -euo pipefail
root=${DESTDIR:-}

# owner prints the package that has a file, by the database of the system below DESTDIR.
owner() {
	if [ ! -e "$root/var/lib/dpkg/status" ]; then return; fi
	local path
	for path in "$1" "${1#/usr}" "/usr$1"; do # where /lib is a link to /usr/lib the database may have either
		dpkg-query --admindir="$root/var/lib/dpkg" --search "$path" 2>/dev/null || true
	done | sed -n '/^diversion by/!s/: .*//p' | head -n 1
}

action=$1
shift
status=0
for file in "$@"; do
	package=$(owner "$file")
	if [ -n "$package" ]; then
		echo "$root$file is of the package $package: that is to be changed and removed with apt" >&2
		status=1
	elif [ "$action" = remove ]; then
		rm -f "$root$file"
	fi
done
exit "$status"
