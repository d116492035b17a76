#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make dist: what a release consists of, in BUILD/dist: the sources, the packages for ARCHES, a list of
# what is built in for each binary (CycloneDX), and the sums of all. It is made of what is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
version=${VERSION:-$(scripts/version.sh)}
case $version in
	*changed) echo "there are changes that are not committed" >&2; exit 1 ;;
esac
dist=$build/dist
rm -rf "$dist"
mkdir -p "$dist"

name=libzk_pkcs11-$version
git archive --prefix="$name/" HEAD | gzip -n9 >"$dist/$name.tar.gz"

# The lists are read from the binaries. No number and no time of this run is in them, and no licences, which the tool
# guesses and NOTICE tells.
for arch in ${ARCHES-amd64 arm64 armhf}; do
	ARCH=$arch BUILD=$build VERSION=$version scripts/deb.sh
	cp "$build/packages/"*"_${version}_$arch.deb" "$dist"
	for binary in libzk_pkcs11.so libzk_app_utils.so zk_pkcs11-util; do
		go tool -modfile=packaging/tools.mod cyclonedx-gomod bin -json -std -noserial -notimestamp -version "$version" \
			-output "$dist/${name}_${arch}_$binary.cdx.json" "$build/deb/$arch/bin/$binary"
	done
done

cd "$dist"
LC_ALL=C sha256sum -- * >SHA256SUMS
cat SHA256SUMS
