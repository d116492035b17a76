#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes the state directory of a token that version 0.1.0 has written. It needs a built
# tree of commit be4cc07, pkcs11-tool, p11tool, openssl and sqlite3.
#
#     make-version-0.1.0.sh TREE DIRECTORY
set -eu
build=$1/build
export ZK_PKCS11_HOME=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

p11() { pkcs11-tool --module "$build/libzk_pkcs11.so" "$@" >/dev/null; }
user() { p11 --login --pin 12345678 "$@"; }

"$build/zk_pkcs11-util" --init-token --slot 0 --label 'version 0.1.0' --pin 12345678 --so-pin 87654321
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj '/CN=version 0.1.0' \
	-days 36500 -outform DER -out certificate.der 2>/dev/null
openssl ec -in key.pem -pubout -outform DER -out public.der 2>/dev/null
printf 'public value' >public.txt
printf 'private value' >private.txt
head -c 3000 /dev/zero | tr '\0' x >long.txt

p11 --write-object public.txt --type data --label 'without login'
user --write-object public.txt --type data --label 'public data' --application-label tests
user --write-object private.txt --type data --label 'private data' --private
user --write-object long.txt --type data --label 'long private data' --private
user --write-object certificate.der --type cert --label 'certificate' --id c1
user --write-object certificate.der --type cert --label 'second certificate' --id c2
user --write-object public.der --type pubkey --label 'public key' --id d1
GNUTLS_PIN=12345678 p11tool --provider "$build/libzk_pkcs11.so" --login --batch --write --label secret \
	--secret-key 000102030405060708090a0b0c0d0e0f 'pkcs11:token=version%200.1.0' >/dev/null 2>&1
user --keypairgen --key-type EC:prime256v1 --label pair --id a1
user --keypairgen --key-type EC:edwards25519 --label 'second pair' --id a2
user --delete-object --type pubkey --id a2
user --write-object private.txt --type data --label deleted --private
user --delete-object --type data --label deleted
for try in 1 2 3; do
	! p11 --login --pin 00000000 --list-objects 2>/dev/null
done

# What SQLite keeps beside its databases can be made anew.
cd "$ZK_PKCS11_HOME"
for database in flash.db token.db pins.db; do
	sqlite3 $database 'PRAGMA journal_mode = DELETE; VACUUM; PRAGMA journal_mode = WAL' >/dev/null
done
rm -f ./*-wal ./*-shm ./*.lock ./*.gen
