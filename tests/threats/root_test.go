// SPDX-License-Identifier: Apache-2.0

package threats

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/argon2"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// possession is a private object.
type possession struct{ label, value []byte }

// possessions are what fill makes.
type possessions []possession

// fill gives a token private objects.
func fill(k *live.Token) (all possessions) {
	s := k.User()
	for _, class := range []uint{pkcs11.CKO_DATA, pkcs11.CKO_SECRET_KEY, pkcs11.CKO_PRIVATE_KEY} {
		p := possession{[]byte("name " + rand.Text()), make([]byte, 32)}
		_, _ = rand.Read(p.value)
		template := []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, p.label),
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, p.value),
		}
		if class == pkcs11.CKO_PRIVATE_KEY {
			p.value[0] = 0x7f // less than the order of the curve
			template = append(template, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC), pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, live.P256))
		}
		if class == pkcs11.CKO_SECRET_KEY {
			template = append(template, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET))
		}
		if class != pkcs11.CKO_DATA {
			template = append(template, pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true))
		}
		_, err := k.CreateObject(s, template)
		k.OK(err)
		all = append(all, p)
	}
	k.OK(k.CloseSession(s))
	return all
}

// open are the private objects that the user finds, by label.
func open(k *live.Token) map[string][]byte {
	found := map[string][]byte{}
	s := k.User()
	for _, o := range k.Find(s, pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true)) {
		a, err := k.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil)})
		k.OK(err)
		if v, err := k.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)}); err == nil {
			found[string(a[0].Value)] = v[0].Value
		}
	}
	k.OK(k.CloseSession(s))
	return found
}

// checkOpen checks that all private objects open, and no others.
func (all possessions) checkOpen(t *testing.T, k *live.Token) {
	t.Helper()
	found := open(k)
	for _, p := range all {
		if !bytes.Equal(found[string(p.label)], p.value) {
			t.Errorf("%s is %x, want %x", p.label, found[string(p.label)], p.value)
		}
	}
	if len(found) != len(all) {
		t.Errorf("%d private objects open, want %d", len(found), len(all))
	}
}

// checkInNoFile checks that nothing of the private objects is in a file, in any spelling.
func (all possessions) checkInNoFile(t *testing.T, dir string) {
	t.Helper()
	for path, b := range files(t, dir) {
		for _, p := range all {
			for _, secret := range [][]byte{p.label, p.value} {
				for _, form := range [][]byte{secret, []byte(hex.EncodeToString(secret)), []byte(base64.StdEncoding.EncodeToString(secret))} {
					if bytes.Contains(b, form) {
						t.Errorf("%s holds %q of a private object", filepath.Base(path), form)
					}
				}
			}
		}
	}
}

// use loads the module on the token of a home, for as long as do takes, and returns what it logged.
func use(t *testing.T, home *harness.Home, do func(*live.Token)) (log string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	home.Settings(fmt.Sprintf("[log]\nto = %q\n", path))
	k := live.Load(t, home)
	do(k)
	k.OK(k.Finalize())
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// scm reports whether a file is one of the soft SCM; all others are of the token.
func scm(name string) bool { return strings.HasPrefix(name, "flash.db") || name == "root.key" }

// take copies the files of a directory whose names are as wanted to another, in place of those that
// are there.
func take(t *testing.T, to, from string, wanted func(name string) bool) {
	t.Helper()
	for _, dir := range []string{to, from} {
		for path, b := range files(t, dir) {
			name := filepath.Base(path)
			if !wanted(name) {
				continue
			}
			var err error
			if dir == to {
				err = os.Remove(path)
			} else {
				err = os.WriteFile(filepath.Join(to, name), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func token(name string) bool { return !scm(name) }

// TestBesideAnotherSCM: the files of a token with the right PIN open nothing private without its SCM,
// and nor does everything without the PIN; with its flash.db all opens again.
func TestBesideAnotherSCM(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	home, other := harness.NewHome(t), harness.NewHome(t)
	var all possessions
	home.Init()
	use(t, home, func(k *live.Token) { all = fill(k) })
	use(t, home, func(k *live.Token) { all.checkOpen(t, k) })
	all.checkInNoFile(t, home.Dir)
	other.Init()
	copied := t.TempDir()
	take(t, copied, home.Dir, func(string) bool { return true })

	take(t, home.Dir, other.Dir, scm)
	log := use(t, home, func(k *live.Token) {
		_, err := k.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
		k.Want("C_OpenSession beside another SCM", err, pkcs11.CKR_DEVICE_ERROR)
	})
	if strings.Count(log, "error:") != 1 || !strings.Contains(log, "put back") {
		t.Errorf("beside another SCM the log says\n%s", log)
	}
	take(t, home.Dir, copied, scm)
	use(t, home, func(k *live.Token) {
		s := k.Public()
		if n := len(k.Find(s, pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true))); n > 0 {
			t.Errorf("%d private objects without the PIN", n)
		}
		k.Want("a wrong PIN", k.Login(s, pkcs11.CKU_USER, harness.UserPIN+"0"), pkcs11.CKR_PIN_INCORRECT)
		k.OK(k.CloseSession(s))
		all.checkOpen(t, k)
	})
	all.checkInNoFile(t, home.Dir)
}

// TestPublicSecret: a secret key that is public by its template lies in the token's files as it is. It is private if nobody says otherwise.
func TestPublicSecret(t *testing.T) {
	home := harness.NewHome(t)
	home.Init()
	values := map[bool][]byte{}
	use(t, home, func(k *live.Token) {
		s := k.User()
		for _, public := range []bool{false, true} {
			values[public] = make([]byte, 32)
			_, _ = rand.Read(values[public])
			template := []*pkcs11.Attribute{
				pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
				pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_VALUE, values[public]),
			}
			if public {
				template = append(template, pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, false))
			}
			_, err := k.CreateObject(s, template)
			k.OK(err)
		}
	})
	found := map[bool]bool{}
	for _, b := range files(t, home.Dir) {
		for public, value := range values {
			found[public] = found[public] || bytes.Contains(b, value)
		}
	}
	if !found[true] || found[false] {
		t.Errorf("the public secret is in a file: %v, the private one: %v", found[true], found[false])
	}
}

// TestForgedBond: somebody who has the token's files and the PIN can make the token believe that another SCM is
// its own. The private objects stay closed, and the files without the module give no more.
func TestForgedBond(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	home, thief := harness.NewHome(t), harness.NewHome(t)
	home.Init()
	var all possessions
	use(t, home, func(k *live.Token) { all = fill(k) })
	thief.Run(harness.Build(t, "zk_pkcs11-util"), "scm", "slots") // makes another SCM
	take(t, thief.Dir, home.Dir, token)
	secret := secretOf(t, thief.Dir, harness.UserPIN)
	forgeBond(t, thief.Dir, secret)
	var found map[string][]byte
	log := use(t, thief, func(k *live.Token) {
		found = open(k)
		s := k.User()
		_, err := k.CreateObject(s, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		})
		k.Want("a new private object", err, pkcs11.CKR_DEVICE_ERROR)
		k.OK(k.CloseSession(s))
	})
	if len(found) != 0 {
		t.Errorf("private objects open: %q", found)
	}
	if !strings.Contains(log, "flash.db") {
		t.Errorf("the log does not say what to do:\n%s", log)
	}
	if n := opens(t, thief.Dir, expand(t, secret, "seal records")); n > 0 {
		t.Errorf("the secret alone opens %d records", n)
	}
	take(t, thief.Dir, home.Dir, func(string) bool { return true })
	use(t, thief, func(k *live.Token) { all.checkOpen(t, k) })
}

// TestSecretOpens010: a token of version 0.1.0, as it is, opens by the PIN alone: what the tests above
// try is the right thing.
func TestSecretOpens010(t *testing.T) {
	dir := t.TempDir()
	take(t, dir, filepath.Join(harness.Root(t), "internal", "store", "testdata", "version-0.1.0"), token)
	if n := opens(t, dir, expand(t, secretOf(t, dir, "12345678"), "seal records")); n != 5 {
		t.Errorf("it opens %d records, want 5", n)
	}
}

// secretOf is the token's secret, which the PIN gives.
func secretOf(t *testing.T, dir, pin string) []byte {
	t.Helper()
	var salt, wrapped []byte
	var passes, memory uint32
	var lanes uint8
	with(t, dir, "token.db", func(db *sql.DB) error {
		return db.QueryRow("SELECT passes, memory, lanes, salt, wrapped FROM pins WHERE user = 1").
			Scan(&passes, &memory, &lanes, &salt, &wrapped)
	})
	secret, err := unseal(t, argon2.IDKey([]byte(pin), salt, passes, memory, lanes, 32), wrapped, "libzk_pkcs11 PIN of user 1")
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// forgeBond makes the token and the SCM in a directory belong together, as only the secret can.
func forgeBond(t *testing.T, dir string, secret []byte) {
	t.Helper()
	var serial string
	with(t, dir, "flash.db", func(db *sql.DB) error { return db.QueryRow("SELECT serial FROM scm").Scan(&serial) })
	mac := hmac.New(sha256.New, expand(t, secret, "bond with a device"))
	fmt.Fprintf(mac, "open true, serial %s", serial)
	bond := mac.Sum(nil)
	with(t, dir, "token.db", func(db *sql.DB) error {
		_, err := db.Exec("UPDATE token SET mate = ?, open = 1, bond = ?", serial, bond)
		return err
	})
	with(t, dir, "flash.db", func(db *sql.DB) error {
		_, err := db.Exec("UPDATE scm SET bond = ?", bond)
		return err
	})
}

// opens counts the private records that a key opens.
func opens(t *testing.T, dir string, key []byte) (n int) {
	t.Helper()
	records := 0
	with(t, dir, "token.db", func(db *sql.DB) error {
		rows, err := db.Query("SELECT id, slot, private, hidden, public, attributes FROM records WHERE sealed = 1")
		if err != nil {
			return err
		}
		defer rows.Close()
		for ; rows.Next(); records++ {
			var id, slot int64
			var private, hidden byte
			var public, sealed []byte
			if err := rows.Scan(&id, &slot, &private, &hidden, &public, &sealed); err != nil {
				return err
			}
			if _, err := unseal(t, key, sealed, header(id, slot, private, hidden, public)); err == nil {
				n++
			}
		}
		return rows.Err()
	})
	if records == 0 {
		t.Error("there are no private records")
	}
	return n
}

// header is what a record's attributes are sealed with.
func header(id, slot int64, private, hidden byte, public []byte) string {
	return fmt.Sprintf("%s%s%c%c%c%s%s", number(id, 8), number(slot, 8), private, 1, hidden, number(int64(len(public)), 4), public)
}

func number(n int64, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[size-1-i] = byte(n >> (8 * i))
	}
	return b
}

func with(t *testing.T, dir, name string, do func(*sql.DB) error) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func expand(t *testing.T, secret []byte, purpose string) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret, nil, "libzk_pkcs11 "+purpose, 32)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// unseal opens what AES-256-GCM has sealed, with the nonce in front.
func unseal(t *testing.T, key, sealed []byte, with string) ([]byte, error) {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(with))
}
