#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make dist: what a release consists of, in BUILD/dist: the sources, the packages for ARCHES, a list of
# what is built in (CycloneDX) and the sums of all. It is made of what is committed.
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

for arch in ${ARCHES-amd64 arm64 armhf}; do
	ARCH=$arch BUILD=$build VERSION=$version scripts/deb.sh
	cp "$build/packages/"*"_${version}_$arch.deb" "$dist"
done

# The same sources give the same list: no number and no time of this run is in it.
sbom=$PWD/$dist/$name.cdx.json
go tool -modfile=packaging/tools.mod cyclonedx-gomod mod -json -std -licenses -assert-licenses -noserial -notimestamp \
	-type library -output "$sbom" .

cd "$dist"
LC_ALL=C sha256sum -- * >SHA256SUMS
cat SHA256SUMS
