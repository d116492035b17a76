#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "debian-root.sh SUITE FOLDER PACKAGE..." makes a Debian root by debootstrap, from where this machine has
# its packages, and installs the packages there. Needs root. One that is there already, with the same
# packages, is left as it is. ARCH in the environment names another architecture, whose packages are then
# unpacked alone: no program of it runs here.
set -euo pipefail
suite=$1 folder=$2
shift 2
[ "$(cat "$folder/made" 2>/dev/null)" != "$suite $*" ] || exit 0
scripts=$(dirname "$0")
"$scripts/packages.sh" debootstrap
# shellcheck disable=SC2016 # it is apt that expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
rm -rf "$folder"
mkdir -p "$folder"
if [ -n "${ARCH:-}" ]; then
	include=$(IFS=,; echo "$*")
	debootstrap --foreign --variant=minbase --arch="$ARCH" ${include:+--include="$include"} "$suite" "$folder" "$mirror" >"$folder.log" 2>&1 ||
		{ tail -n 20 "$folder.log" >&2; exit 1; }
	for package in "$folder"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done
	echo "$suite $*" >"$folder/made"
	exit
fi
debootstrap --variant=minbase "$suite" "$folder" "$mirror" >"$folder.log" 2>&1 ||
	{ tail -n 20 "$folder.log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d" # no service starts
chmod 0755 "$folder/usr/sbin/policy-rc.d"

# Of what a package recommends nothing is installed, and this is the machine that every test begins with.
# shellcheck disable=SC2016
install='mount -t proc proc "$1/proc"; shift_to=$1; shift
chroot "$shift_to" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends "$@"
chroot "$shift_to" apt-get clean'
if [ $# -gt 0 ]; then
	unshare --mount --pid --fork sh -euc "$install" sh "$folder" "$@" >>"$folder.log" 2>&1 ||
		{ tail -n 20 "$folder.log" >&2; exit 1; }
fi
echo "$suite $*" >"$folder/made"
