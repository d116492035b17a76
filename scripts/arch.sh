#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make test-arch: builds for the boards' architectures, and runs the C ABI's, the provider's and a smoke test by
# qemu's emulation. It does not fork: threads after a fork end qemu-user itself, so
# that is for make test-boards.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS
scripts/packages.sh gcc libc6-dev make qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
ZK_ARCH=1 go test -count=1 -v -timeout 100m -run "${TESTS:-.}" ./tests/arch
echo "make test-arch took $((SECONDS - start)) s"
