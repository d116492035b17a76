#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "debian-run.sh ROOT SCRIPT [ARGUMENT...]" runs a script of sh in a Debian that debian-root.sh has made. What
# it changes is gone afterwards. These sources are seen there, under their path, and not to be changed; so is
# the Go that builds here, with its modules. Needs root.
set -euo pipefail
root=$1 script=$2
shift 2
tree=$(cd "$(dirname "$0")/.." && pwd)
goroot=$(go env GOROOT) modules=$(go env GOMODCACHE)
export tree root script goroot modules
changes=$(mktemp -d)
trap 'rm -rf "$changes"' EXIT
mkdir "$changes"/{upper,work,root}
# What is compiled there is kept for the next time, beside the root.
cache=$(cd "$root/.." && pwd)/go-build-$(basename "$root")
mkdir -p "$cache"
export changes cache

# shellcheck disable=SC2016 # it is another shell that expands it
enter='mount -t overlay overlay -o "lowerdir=$root,upperdir=$changes/upper,workdir=$changes/work" "$changes/root"
cd "$changes/root"
mount --rbind /dev dev
mount -t proc proc proc
mount -t tmpfs -o mode=1777,size=4g tmpfs tmp
for folder in "$tree" "$goroot" "$modules"; do
	mkdir -p ".$folder"
	mount --bind "$folder" ".$folder"
	mount -o remount,bind,ro ".$folder"
done
mkdir -p var/cache/go-build
mount --bind "$cache" var/cache/go-build
cp /etc/resolv.conf etc
exec env -i PATH="$goroot/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LC_ALL=C.UTF-8 \
	DEBIAN_FRONTEND=noninteractive GOCACHE=/var/cache/go-build GOMODCACHE="$modules" GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
	CGO_ENABLED=1 GOEXPERIMENT=runtimesecret chroot . sh -euc "cd $tree; $script" sh "$@"'
unshare --mount --pid --fork bash -euc "$enter" bash "$@"
