#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "newcomer.sh SUITE" does what README tells a user who has the packages and nothing else, in a Debian that has neither Go nor a
# compiler, line by line, and prints a transcript with times. The packages are those in BUILD/packages (make deb).
# The root is kept below ZK_ROOTS for the next time; what the lines change there is gone afterwards. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1
packages=${PACKAGES:-${BUILD:-build}/packages}
version=${VERSION:-$(scripts/version.sh)}
root=${ZK_ROOTS:-build/roots}/$suite-newcomer
scripts/debian-root.sh "$suite" "$root" >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{upper/root,work,root}
cp "$packages"/{libzk-pkcs11,zk-pkcs11-utils}_"${version}_$(dpkg --print-architecture)".deb "$work/upper/root"
sed -n '/^<!-- run by scripts\/newcomer.sh -->$/,/^```$/p' README.md | grep -v -e '^```' -e '^<!--' >"$work/upper/lines"
# A user who installs a package answers apt's question; here its settings do.
mkdir -p "$work/upper/etc/apt/apt.conf.d"
echo 'APT::Get::Assume-Yes "true";' >"$work/upper/etc/apt/apt.conf.d/answers"

cat >"$work/upper/newcomer" <<'END'
no_compiler() {
	if command -v go gcc cc; then echo "a newcomer has no compiler"; exit 1; fi
}

# told passes on what a command prints; of apt's hundreds of lines those that say what it has done.
told() {
	case $1 in
		apt*) grep -E '^([EW]: |All packages|[0-9]+ upgraded| *Upgrading: |After this|Setting up (libzk|zk-|nginx )|Creating .* .zk_pkcs11)' || true ;;
		*) cat ;;
	esac
}

# do_line runs a command in this shell, and prints it, what it prints, and how long it took.
do_line() {
	local start=${EPOCHREALTIME/./} status=0 took
	printf '\n# %s\n' "$1"
	eval "$1" >/printed 2>&1 </dev/null || status=$?
	took=$((${EPOCHREALTIME/./} - start))
	told "$1" </printed
	printf '[%d.%d s]\n' $((took / 1000000)) $((took / 100000 % 10))
	[ $status = 0 ] || { cat /printed; echo "it ended with $status"; exit 1; }
}

. /etc/os-release
echo "$PRETTY_NAME ($(cat /etc/debian_version)), $(dpkg --print-architecture), $(dpkg-query --show | wc -l) packages, no compiler"
no_compiler
command='' begin=$SECONDS
mapfile -t lines </lines
for line in "${lines[@]}"; do
	command+=${command:+$'\n'}$line
	[ -z "$(bash -n -c "$command" 2>&1)" ] || continue # bash has something to say of a command that is not whole
	do_line "$command"
	command=''
done
no_compiler
printf '\nall of it: %d s\n' $((SECONDS - begin))
END

# shellcheck disable=SC2016 # it is another shell that expands it
enter='mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cd "$2/root"
mount --rbind /dev dev
mount -t proc proc proc
cp /etc/resolv.conf etc
chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	bash -euo pipefail -c "cd /root; . /newcomer"'
unshare --mount --pid --fork bash -euc "$enter" bash "$(realpath "$root")" "$work"
