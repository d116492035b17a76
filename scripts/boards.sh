#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make test-boards: forks hosts of the module on whole machines of the boards' architectures, which qemu emulates, with
# Debian's kernels. The kernels are kept below ZK_ROOTS. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS
roots=${ZK_ROOTS:-${BUILD:-build}/roots}
scripts/packages.sh gcc libc6-dev make cpio qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
ARCH=arm64 scripts/debian-root.sh bookworm "$roots/board-arm64" linux-image-arm64
ARCH=armhf scripts/debian-root.sh bookworm "$roots/board-armhf" linux-image-armmp
ZK_BOARDS=$(realpath "$roots") go test -count=1 -v -timeout 100m -run TestForksOnBoards ./tests/arch
echo "make test-boards took $((SECONDS - start)) s"
