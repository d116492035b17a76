#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "debian-root.sh SUITE FOLDER PACKAGE..." makes a small Debian root by debootstrap, from where this
# machine has its packages. Needs root. One that is there already, with the same packages, is left as it is.
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
include=$(IFS=,; echo "$*")
debootstrap --variant=minbase ${include:+--include="$include"} "$suite" "$folder" "$mirror" >"$folder.log" 2>&1 ||
	{ tail -n 20 "$folder.log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d" # no service starts
chmod 0755 "$folder/usr/sbin/policy-rc.d"
echo "$suite $*" >"$folder/made"
