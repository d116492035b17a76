// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"libzk_pkcs11/pkcs11"
)

// sealSoft seals as SoftHSM2 does.
func sealSoft(key, plain []byte) []byte {
	n := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	iv := make([]byte, aes.BlockSize)
	rand.Read(iv) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return append(iv, padded...)
}

// sampleToken is a token with the PIN 1234, with a private secret key, a public data object and a certificate.
func sampleToken() *softToken {
	key, salt := bytes.Repeat([]byte{5}, softKeySize), []byte("saltsal\xff")
	pin := append(bytes.Clone(salt), sealSoft(softPINKey(salt, []byte("1234")), append([]byte(softMark), key...))...)
	octets := func(b string) value { return value{kind: kindOctets, octets: []byte(b)} }
	sealed := func(b string) value { return value{kind: kindOctets, octets: sealSoft(key, []byte(b))} }
	number := func(n uint64) value { return value{kind: kindNumber, number: n} }
	truth := func(b bool) value { return value{kind: kindTruth, truth: b} }
	return &softToken{
		token: softObject{softLabel: octets("sample                          "), softUserPIN: {kind: kindOctets, octets: pin}},
		objects: []softObject{
			{
				uint64(pkcs11.CKA_CLASS): number(uint64(pkcs11.CKO_SECRET_KEY)), uint64(pkcs11.CKA_KEY_TYPE): number(uint64(pkcs11.CKK_AES)),
				uint64(pkcs11.CKA_PRIVATE): truth(true), uint64(pkcs11.CKA_EXTRACTABLE): truth(false), uint64(pkcs11.CKA_LABEL): sealed("secret"),
				uint64(pkcs11.CKA_VALUE): sealed("0123456789abcdef"), uint64(pkcs11.CKA_START_DATE): octets(""),
				uint64(pkcs11.CKA_KEY_GEN_MECHANISM):  number(^uint64(0)),
				uint64(pkcs11.CKA_ALLOWED_MECHANISMS): {kind: kindMechanisms, octets: ulong(pkcs11.CKM_AES_GCM)},
			},
			{
				uint64(pkcs11.CKA_CLASS): number(uint64(pkcs11.CKO_DATA)), uint64(pkcs11.CKA_PRIVATE): truth(false),
				uint64(pkcs11.CKA_LABEL): octets("data"), uint64(pkcs11.CKA_VALUE): octets("value"),
			},
		},
	}
}

// encodeSoft writes a file of the back end of files.
func (o softObject) encodeSoft() []byte {
	b := binary.BigEndian.AppendUint64(nil, 3)
	for _, kind := range slices.Sorted(maps.Keys(o)) {
		v := o[kind]
		b = binary.BigEndian.AppendUint64(b, kind)
		b = binary.BigEndian.AppendUint64(b, v.kind)
		switch v.kind {
		case kindTruth:
			b = append(b, map[bool]byte{true: 0xff}[v.truth])
		case kindNumber:
			b = binary.BigEndian.AppendUint64(b, v.number)
		case kindOctets:
			b = append(binary.BigEndian.AppendUint64(b, uint64(len(v.octets))), v.octets...)
		case kindMechanisms:
			b = binary.BigEndian.AppendUint64(b, 1)
			b = binary.BigEndian.AppendUint64(b, uint64(pkcs11.CKM_AES_GCM))
		}
	}
	return b
}

func (t *softToken) writeFiles(dir string) error {
	err := os.WriteFile(filepath.Join(dir, softTokenFile), t.token.encodeSoft(), 0o600)
	for i, o := range t.objects {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, string(rune('a'+i))+softSuffix), o.encodeSoft(), 0o600))
	}
	return err
}

// softTables are the tables of 2.6.1's back end of SQLite.
const softTables = `
create table object (id integer primary key autoincrement);
create table attribute_text (value text, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
create table attribute_integer (value integer, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
create table attribute_binary (value blob, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
create table attribute_array (value blob, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
create table attribute_boolean (value boolean, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
create table attribute_datetime (value datetime, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
create table attribute_real (value real, type integer, object_id integer references object(id) on delete cascade, id integer primary key autoincrement);
`

func (t *softToken) writeDatabase(dir string) error {
	db, err := sql.Open("sqlite3", filepath.Join(dir, softDatabase))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(softTables); err != nil {
		return err
	}
	for i, o := range append([]softObject{t.token}, t.objects...) {
		if _, err := db.Exec("insert into object default values"); err != nil {
			return err
		}
		for kind, v := range o {
			table, stored := "attribute_binary", any(append([]byte{}, v.octets...))
			switch v.kind {
			case kindTruth:
				table, stored = "attribute_boolean", v.truth
			case kindNumber:
				table, stored = "attribute_integer", int64(v.number)
			case kindMechanisms:
				table, stored = "attribute_array", binary.NativeEndian.AppendUint64(nil, uint64(pkcs11.CKM_AES_GCM))
			}
			if _, err := db.Exec("insert into "+table+" (value, type, object_id) values (?, ?, ?)", stored, int64(kind), i+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestBothBackEnds: the same objects are read of files and of the database.
func TestBothBackEnds(t *testing.T) {
	want := [][]pkcs11.Attribute{
		{
			attribute(pkcs11.CKA_CLASS, ulong(pkcs11.CKO_SECRET_KEY)), attribute(pkcs11.CKA_LABEL, []byte("secret")), attribute(pkcs11.CKA_PRIVATE, []byte{1}),
			attribute(pkcs11.CKA_KEY_TYPE, ulong(pkcs11.CKK_AES)), attribute(pkcs11.CKA_ALLOWED_MECHANISMS, ulong(pkcs11.CKM_AES_GCM)),
			attribute(pkcs11.CKA_EXTRACTABLE, []byte{0}), attribute(pkcs11.CKA_VALUE, []byte("0123456789abcdef")),
		},
		{
			attribute(pkcs11.CKA_CLASS, ulong(pkcs11.CKO_DATA)), attribute(pkcs11.CKA_LABEL, []byte("data")), attribute(pkcs11.CKA_PRIVATE, []byte{0}),
			attribute(pkcs11.CKA_VALUE, []byte("value")),
		},
	}
	for name, write := range map[string]func(*softToken, string) error{"files": (*softToken).writeFiles, "database": (*softToken).writeDatabase} {
		dir := t.TempDir()
		if err := write(sampleToken(), dir); err != nil {
			t.Fatal(err)
		}
		got, err := Read(Source{Kind: SoftHSM, Path: dir, Password: []byte("1234")})
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		for i, o := range got {
			if o.Why != "" || !reflect.DeepEqual(o.Template, want[i]) {
				t.Errorf("%s: %+v, want %+v", name, o, want[i])
			}
		}
		if _, err := Read(Source{Kind: SoftHSM, Path: dir, Password: []byte("1235")}); !errors.Is(err, ErrPIN) {
			t.Errorf("%s, wrong PIN: %v", name, err)
		}
	}
}

// TestCutDatabase: a file that is cut or is no database is told, whatever is left of it.
func TestCutDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := sampleToken().writeDatabase(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, softDatabase)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 100, 4096, len(whole) / 2, len(whole) - 4096} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(Source{Kind: SoftHSM, Path: dir, Password: []byte("1234")}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes of %d: %v", n, len(whole), err)
		}
	}
}

// FuzzSoftFile: no file does harm, and one that is cut is none.
func FuzzSoftFile(f *testing.F) {
	for _, o := range sampleToken().objects {
		f.Add(o.encodeSoft())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, ok := parseSoftFile(b)
		if ok {
			o.object()
			_ = o.open(make([]byte, softKeySize))
		}
	})
}
