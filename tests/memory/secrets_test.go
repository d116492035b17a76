// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"golang.org/x/crypto/argon2"
)

// needle is a secret in one of the forms in which a process may hold it.
type needle struct {
	kind  string // a row of the table
	form  string
	bytes []byte
}

// inArena are the secrets that the host makes, by kind.
var inArena = map[string]map[string]int{
	"PIN":                 {"PIN": 24, "SO-PIN": 24, "first-PIN": 24, "wrong-PIN": 24},
	nameOfObject:          {"label": 24},
	"value of an object":  {"data": 40, "changed-data": 40, "stored-key": 32, "session-key": 32},
	sealedKey:             {"sealed-key": 32, "sealed-session-key": 32},
	broughtIn:             {"brought-in": 32, "brought-in-session": 32},
	"data that is locked": {"plaintext": 64, "parts": 48},
}

func hostSecrets() (all []needle) {
	for kind, names := range inArena {
		for name, size := range names {
			all = append(all, needle{kind, name, letters(name, size)})
		}
	}
	return all
}

// letters makes the secret of a name as the host does.
func letters(name string, n int) []byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	h := uint64(88172645463325252)
	for _, c := range []byte(name) {
		h = h*1099511628211 ^ uint64(c)
	}
	out := make([]byte, n)
	for i := range out {
		h ^= h << 13
		h ^= h >> 7
		h ^= h << 17
		out[i] = alphabet[(h>>20)%62]
	}
	return out
}

// tokenSecrets opens the files of a token by the SO PIN, and returns the secrets in them.
func tokenSecrets(t *testing.T, dir string) (all []needle) {
	t.Helper()
	token := openFile(t, filepath.Join(dir, "token.db"))
	var salt, wrapped []byte
	var passes, memory uint32
	var lanes uint8
	scan(t, token.QueryRow("SELECT passes, memory, lanes, salt, wrapped FROM pins WHERE user = 0"), &passes, &memory, &lanes, &salt, &wrapped)
	key := argon2.IDKey(letters("SO-PIN", 24), salt, passes, memory, lanes, 32)
	secret := unseal(t, key, wrapped, []byte("libzk_pkcs11 PIN of user 0"))
	all = append(all, needle{"the token's secret", "", secret}, needle{"key of a PIN", "", key})

	flash := openFile(t, filepath.Join(dir, "flash.db"))
	var id, sealed []byte
	scan(t, flash.QueryRow("SELECT root_id, root FROM scm"), &id, &sealed)
	root := unseal(t, expand(t, secret, id, "zk_pkcs11 soft SCM root key"), sealed, id)
	all = append(all, needle{"the root key", "", root})
	for _, slot := range []uint64{1, 14} {
		var curve, kind byte
		var public, sealed []byte
		scan(t, flash.QueryRow("SELECT curve, kind, public, sealed FROM key WHERE slot = ?", slot), &curve, &kind, &public, &sealed)
		context := binary.BigEndian.AppendUint64([]byte("zk_pkcs11 soft SCM key"), slot)
		context = append(append(context, curve, kind), public...)
		all = append(all, privateKey(slot, unseal(t, root, sealed, context))...)
	}
	var lock []byte
	scan(t, flash.QueryRow("SELECT sealed FROM secret WHERE name = 'one-way lock'"), &lock)
	secretOfLock := unseal(t, root, lock, []byte("zk_pkcs11 soft SCM secret one-way lock"))
	keyOfLock := expand(t, secretOfLock, nil, "zk_pkcs11 soft SCM one-way lock")
	var locked []byte
	scan(t, token.QueryRow("SELECT root FROM token"), &locked)
	rootOfToken := unlock(t, keyOfLock, locked)
	all = append(all, needle{"the token's root", "", rootOfToken})
	for purpose, salt := range map[string][]byte{"seal records": rootOfToken, "index records": rootOfToken, "authenticate records of format 2": nil} {
		all = append(all, needle{"keys of the store", purpose, expand(t, secret, salt, "libzk_pkcs11 "+purpose)})
	}
	return append(all, needle{"keys of the SCM's lock", "secret", secretOfLock}, needle{"keys of the SCM's lock", "key", keyOfLock})
}

// unlock opens what the soft SCM has locked: a header, blocks in CBC mode, their initial vector, and a code.
func unlock(t *testing.T, key, locked []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	const header, size = 8, 32
	iv := locked[len(locked)-sha512.Size384-aes.BlockSize:]
	plain := make([]byte, size)
	cipher.NewCBCDecrypter(block, iv[:aes.BlockSize]).CryptBlocks(plain, locked[header:header+size])
	return plain
}

// privateKey returns the forms of a private key: as it is stored, as little-endian words,
// and what the libraries make of it.
func privateKey(slot uint64, key []byte) (all []needle) {
	add := func(form string, b []byte) {
		all = append(all, needle{"private key of a key slot", fmt.Sprint("slot ", slot, ", ", form), b})
	}
	add("as it is", key)
	add("reversed", reversed(key))
	if slot == 14 { // Ed25519: what RFC 8032 makes of the seed
		h := sha512.Sum512(key)
		add("prefix", h[32:])
		scalar := slices.Clone(h[:32])
		scalar[0] &= 248
		scalar[31] = scalar[31]&63 | 64
		add("clamped scalar", scalar)
		order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
		reduced := new(big.Int).SetBytes(reversed(scalar))
		reduced.Mod(reduced, order)
		add("scalar", reversed(reduced.FillBytes(make([]byte, 32))))
		reduced.Lsh(reduced, 256).Mod(reduced, order)
		add("scalar by Montgomery", reversed(reduced.FillBytes(make([]byte, 32))))
		return all
	}
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	scalar := new(big.Int).SetBytes(key)
	scalar.Lsh(scalar, 256).Mod(scalar, order)
	add("by Montgomery", reversed(scalar.FillBytes(make([]byte, 32))))
	return all
}

func reversed(b []byte) []byte {
	r := slices.Clone(b)
	slices.Reverse(r)
	return r
}

func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func scan(t *testing.T, row *sql.Row, to ...any) {
	t.Helper()
	if err := row.Scan(to...); err != nil {
		t.Fatal(err)
	}
}

// unseal opens what AES-256-GCM has sealed, with the nonce in front.
func unseal(t *testing.T, key, sealed, with []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], with)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func expand(t *testing.T, secret, salt []byte, info string) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret, salt, info, 32)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
