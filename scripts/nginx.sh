#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of an nginx: the installed one, or else one that is unpacked
# from Debian's package into the folder named by the argument. Installing the
# package would start a server on port 80, now and at every boot.
set -euo pipefail
cd "$(dirname "$0")"
. ./root.sh
into=$1

if found=$(PATH=$PATH:/usr/sbin command -v nginx); then
	echo "$found"
	exit 0
fi
mkdir -p "$into"
cd "$into"
apt-get download -qq nginx >/dev/null 2>&1 || {
	as_root apt-get update -qq >&2
	apt-get download -qq nginx >&2
}
dpkg-deb -x nginx_*.deb .
echo "$PWD/usr/sbin/nginx"
