#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make deb: builds the Debian packages for ARCH (amd64, arm64 or armhf; this machine's unless
# set) into BUILD/packages, by debhelper and Debian's cross compilers (docs/adr/0033-packages.md).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
version=${VERSION:-$(scripts/version.sh)}
SOURCE_DATE_EPOCH=$(scripts/version.sh date)
export SOURCE_DATE_EPOCH
scripts/packages.sh gcc libc6-dev make dpkg-dev debhelper go-md2man
native=$(dpkg --print-architecture)
arch=${ARCH:-$native}

case $arch in
	amd64) goarch=amd64 ;;
	arm64) goarch=arm64 ;;
	armhf) goarch=arm ;;
	*) echo "no packages for ARCH=$arch: amd64, arm64 and armhf are known" >&2; exit 1 ;;
esac
triplet=$(dpkg-architecture -a "$arch" -q DEB_HOST_GNU_TYPE 2>/dev/null)
if [ "$arch" != "$native" ]; then
	export CC=$triplet-gcc
	scripts/packages.sh "gcc-${triplet//_/-}" "libc6-dev-$arch-cross"
fi

tree=$build/deb/$arch/tree
rm -rf "$build/deb/$arch"
mkdir -p "$tree/out/man" "$tree/out/completions" "$build/packages"
tree=$(cd "$tree" && pwd)
out=$tree/out

# BIN names a folder where make has built all of it.
bin=${BIN:-$build/deb/$arch/bin}
if [ -z "${BIN:-}" ]; then
	GOARCH=$goarch GOARM=7 make --no-print-directory build BUILD="$bin" VERSION="$version"
fi
# The tool that runs here says what the man page and the completions have.
tool=$bin/zk_pkcs11-util
if [ "$arch" != "$native" ]; then
	tool=$build/deb/$arch/tool
	env -u CC go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$tool" ./cmd/zk_pkcs11-util
fi
for shell in bash zsh fish; do
	case $shell in
		bash) name=zk_pkcs11-util ;;
		zsh) name=_zk_pkcs11-util ;;
		fish) name=zk_pkcs11-util.fish ;;
	esac
	"$tool" completion "$shell" >"$out/completions/$name"
done
env -u CC go run ./packaging/gen "$out/man"
"$tool" manual >"$out/man/zk_pkcs11-util.1.md"
printf '\n# SEE ALSO\n\nlibzk_pkcs11(7), zk_pkcs11.toml(5), the pages in /usr/share/doc/zk-pkcs11-utils\n' >>"$out/man/zk_pkcs11-util.1.md"
date=$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%Y-%m-%d')
for page in "$out"/man/*.md; do
	title=$(basename "$page" .md)
	{
		echo "% \"${title%.*}\" \"${title##*.}\" \"$date\" \"libzk_pkcs11 $version\" \"libzk_pkcs11\""
		cat "$page"
	} | go-md2man >"${page%.md}"
	rm "$page"
done

cp "$bin/"{libzk_pkcs11.so,libzk_app_utils.so,zk_pkcs11-util} "$out"
cp NOTICE packaging/zk_pkcs11.toml include/zk_app_utils.h "$out"
cp packaging/cryptsetup/zk_pkcs11* packaging/server/zk_pkcs11* "$out"
sed 's|@LIBDIR@|/usr/lib|' packaging/zk_pkcs11.module.in >"$out/zk_pkcs11.module"
sed "s|@LIBDIR@|/usr/lib/$(dpkg-architecture -a "$arch" -q DEB_HOST_MULTIARCH 2>/dev/null)|" packaging/zk-soft-scm.in >"$out/zk-soft-scm"
chmod 0755 "$out/zk-soft-scm"

# What users read; decisions and the map of the code stay with the source.
mkdir -p "$out/pages/docs"
cp README.md SECURITY.md "$out/pages"
cp -R docs/*.md docs/*.png docs/*.svg docs/clients docs/transcripts "$out/pages/docs"
rm "$out/pages/docs/where.md"

cp -R packaging/debian "$tree/debian"
cat >"$tree/debian/changelog" <<END
libzk-pkcs11 ($version) unstable; urgency=medium

  * See /usr/share/doc/libzk-pkcs11/RELEASES.md.gz.

 -- $(sed -n 's/^Maintainer: //p' packaging/debian/control)  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
END
cp CHANGELOG.md "$out/RELEASES.md" # under its own name debhelper would take it for the one above
(cd "$tree" && DEB_RULES_REQUIRES_ROOT=no DEB_BUILD_OPTIONS=nocheck dpkg-architecture --host-arch "$arch" --force --command debian/rules binary >../log 2>&1) ||
	{ cat "$tree/../log" >&2; exit 1; }
cp "$tree"/../*.deb "$build/packages"
(cd "$tree/.." && ls -1 ./*.deb)
