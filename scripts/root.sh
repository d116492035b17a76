# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts that install or unpack packages.

# as_root runs a command as root: at once, or by sudo where there is one.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "this needs root, and there is no sudo: $*" >&2
		return 1
	fi
}
