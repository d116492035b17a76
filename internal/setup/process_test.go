// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/pkcs11"
)

// log takes what is logged at the levels error and warning.
type log struct {
	mu   sync.Mutex
	list []string
}

func (l *log) Infof(string, ...any)                     {}
func (l *log) Errorf(format string, arguments ...any)   { l.add("error: "+format, arguments) }
func (l *log) Warningf(format string, arguments ...any) { l.add("warning: "+format, arguments) }

func (l *log) add(format string, arguments []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, fmt.Sprintf(format, arguments...))
}

// only returns the lines of a level.
func (l *log) only(level string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.list), func(line string) bool { return !strings.HasPrefix(line, level) })
}

var (
	pairSO   = []byte("87654321")
	pairUser = []byte("12345678")
)

// process is a process that has just started, as far as files can tell.
type process struct {
	*pkcs11.Provider
	t       testing.TB
	log     *log
	session uint
}

func start(t testing.TB, dir, settings string) *process {
	t.Helper()
	c, err := config.Source{File: "/f", Text: settings, State: dir}.Load(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, log: &log{}}
	p.Provider = pkcs11.New(Options(c, p.log, Process{}))
	t.Cleanup(p.end)
	return p
}

func (p *process) end() {
	if p.Provider != nil {
		p.Close()
		p.Provider = nil
	}
}

func (p *process) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v %q", what, err, p.log.list)
	}
}

// enter opens a session and logs the user in.
func (p *process) enter() (err error) {
	if p.session, err = p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		return err
	}
	return p.Login(p.session, pkcs11.CKU_USER, pairUser)
}

func (p *process) find(class uint) (uint, error) {
	label := pkcs11.Attribute{Type: pkcs11.CKA_LABEL, Value: []byte("kept")}
	kind := pkcs11.Attribute{Type: pkcs11.CKA_CLASS, Value: ulong(class)}
	if err := p.FindObjectsInit(p.session, []pkcs11.Attribute{label, kind}); err != nil {
		return 0, err
	}
	found := make([]uint, 2)
	n, err := p.FindObjects(p.session, found)
	if err := errors.Join(err, p.FindObjectsFinal(p.session)); err != nil || n != 1 {
		return 0, fmt.Errorf("%d objects: %w", n, err)
	}
	return found[0], nil
}

// ulong is a CK_ULONG of this machine.
func ulong(v uint) []byte { return []byte{byte(v), byte(v >> 8), 0, 0, 0, 0, 0, 0}[:8] }

// sign signs with the key that is kept, and checks the signature.
func (p *process) sign(public *ecdsa.PublicKey) error {
	key, err := p.find(pkcs11.CKO_PRIVATE_KEY)
	if err != nil {
		return err
	}
	if err := p.SignInit(p.session, &pkcs11.Mechanism{Type: pkcs11.CKM_ECDSA}, key); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte("message"))
	signature, size := make([]byte, 64), uint(64)
	if err := p.Sign(p.session, digest[:], pkcs11.Output[byte]{Buffer: signature, Length: &size}); err != nil {
		return err
	}
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errWrong
	}
	return nil
}

// errWrong is what must never happen.
var errWrong = errors.New("a signature by another key")

// use does what a program does that needs its key and its private object.
func (p *process) use(public *ecdsa.PublicKey) error {
	if err := p.enter(); err != nil {
		return err
	}
	if err := p.sign(public); err != nil {
		return err
	}
	_, err := p.find(pkcs11.CKO_DATA)
	return err
}

// initialise makes the token one with PINs.
func (p *process) initialise() {
	p.t.Helper()
	p.must("InitToken", p.InitToken(0, pairSO, []byte("token")))
	h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	p.must("OpenSession", err)
	p.must("Login", p.Login(h, pkcs11.CKU_SO, pairSO))
	p.must("InitPIN", p.InitPIN(h, pairUser))
	p.must("Logout", p.Logout(h))
	p.must("CloseSession", p.CloseSession(h))
}

// furnish puts a key pair and a private object on the token.
func (p *process) furnish() *ecdsa.PublicKey {
	p.t.Helper()
	p.must("enter", p.enter())
	attributes := []pkcs11.Attribute{
		{Type: pkcs11.CKA_LABEL, Value: []byte("kept")}, {Type: pkcs11.CKA_TOKEN, Value: []byte{1}},
	}
	curve := pkcs11.Attribute{Type: pkcs11.CKA_EC_PARAMS, Value: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}
	public, _, err := p.GenerateKeyPair(p.session, &pkcs11.Mechanism{Type: pkcs11.CKM_EC_KEY_PAIR_GEN},
		append(slices.Clone(attributes), curve), attributes)
	p.must("GenerateKeyPair", err)
	_, err = p.CreateObject(p.session, append(slices.Clone(attributes),
		pkcs11.Attribute{Type: pkcs11.CKA_CLASS, Value: ulong(pkcs11.CKO_DATA)},
		pkcs11.Attribute{Type: pkcs11.CKA_PRIVATE, Value: []byte{1}}, pkcs11.Attribute{Type: pkcs11.CKA_VALUE, Value: []byte("secret")}))
	p.must("CreateObject", err)
	point, size := make([]byte, 67), uint(67)
	p.must("CKA_EC_POINT", p.GetAttributeValue(p.session, public, []pkcs11.Query{{Type: pkcs11.CKA_EC_POINT, Buffer: point, Length: &size}}))
	const header = 2 // of the DER
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point[header:])
	p.must("public key", err)
	return key
}

// made makes a token in a new directory.
func made(t testing.TB, settings string) (dir string, public *ecdsa.PublicKey) {
	t.Helper()
	dir = t.TempDir()
	p := start(t, dir, settings)
	p.initialise()
	public = p.furnish()
	p.end()
	return dir, public
}

// names are the files in a directory.
func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func copyTo(t testing.TB, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// copyFile puts a file of another directory in the place of the one that is there.
func copyFile(t *testing.T, dir, from, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// remove removes files of a directory.
func remove(t *testing.T, dir string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// take takes files of another directory in place of those that are here.
func take(t *testing.T, dir, from string, patterns ...string) {
	t.Helper()
	remove(t, dir, patterns...)
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range found {
			copyFile(t, dir, from, filepath.Base(path))
		}
	}
}

// softIn opens the soft SCM in a directory as libzk_app_utils.so does.
func softIn(t *testing.T, dir string) (*soft.Device, error) {
	t.Helper()
	c, err := config.Source{File: "/f", State: dir}.Load(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return OpenSoft(c, c.Slots[0], Process{})
}
