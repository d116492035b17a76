// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"database/sql"
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

	_ "github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
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
	return &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(point[3:35]), Y: new(big.Int).SetBytes(point[35:])}
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

// harm is what happens to a file, with the same file of another token.
var harms = map[string]func(path, other string) error{
	"deleted": func(path, _ string) error { return os.Remove(path) },
	"emptied": func(path, _ string) error { return os.Truncate(path, 0) },
	"exchanged": func(path, other string) error {
		content, err := os.ReadFile(other)
		if err != nil {
			return err
		}
		return errors.Join(os.Remove(path), os.WriteFile(path, content, 0o600))
	},
}

// needed are the files without which nothing works.
var needed = []string{"flash.db", "token.db"}

// TestEachFile has each file of a token alone deleted, emptied and exchanged for that of
// another token, and put back. Meanwhile the token works or it says that it does not,
// and signs with no other key. Afterwards it works as before.
func TestEachFile(t *testing.T) {
	for settings, some := range map[string][]string{"": nil, `soft.seal = "device"`: {"flash.db", "flash.db-wal", "token.db", "root.key"}} {
		dir, public := made(t, settings)
		other, _ := made(t, settings)
		for _, name := range names(t, dir) {
			if some != nil && !slices.Contains(some, name) {
				continue
			}
			for harm, do := range harms {
				t.Run(settings+"/"+name+"/"+harm, func(t *testing.T) { testHarm(t, dir, other, name, settings, public, do) })
			}
		}
	}
}

func testHarm(t *testing.T, dir, other, name, settings string, public *ecdsa.PublicKey, do func(path, other string) error) {
	here := filepath.Join(t.TempDir(), "token")
	copyTo(t, here, dir)
	path := filepath.Join(here, name)
	if err := do(path, filepath.Join(other, name)); err != nil {
		t.Fatal(err)
	}
	p := start(t, here, settings)
	err := p.use(public)
	p.end()
	switch {
	case errors.Is(err, errWrong):
		t.Fatal(err)
	case slices.Contains(needed, name) && err != pkcs11.CKR_DEVICE_ERROR:
		t.Errorf("%v, want CKR_DEVICE_ERROR", err)
	case err != nil && len(p.log.only("error")) != 1:
		t.Errorf("%v: logged %q, want one line", err, p.log.list)
	}
	copyFile(t, here, dir, name)
	p = start(t, here, settings)
	if err := p.use(public); err != nil {
		t.Errorf("after %s was put back: %v, %q", name, err, p.log.list)
	}
	if name != "token.pins" && len(p.log.list) > 0 {
		t.Errorf("after %s was put back: logged %q", name, p.log.list)
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

// TestHalfMissing: with all that belongs to one of both gone, or another token's, nothing
// is made anew. One line says what to do.
func TestHalfMissing(t *testing.T) {
	dir, public := made(t, "")
	other, _ := made(t, "")
	blank := t.TempDir()
	p := start(t, blank, "")
	if _, err := p.GetTokenInfo(0); err != nil {
		t.Fatal(err)
	}
	p.end()
	for name, tt := range map[string]struct {
		harm func(t *testing.T, dir string)
		line string
	}{
		"flash removed":   {func(t *testing.T, dir string) { remove(t, dir, "flash.db*") }, "flash.db: file is missing or empty"},
		"token removed":   {func(t *testing.T, dir string) { remove(t, dir, "token.*") }, "token.db: file is missing or empty"},
		"flash exchanged": {func(t *testing.T, dir string) { take(t, dir, other, "flash.db*") }, "put back what was exchanged"},
		"token exchanged": {func(t *testing.T, dir string) { take(t, dir, other, "token.*") }, "put back what was exchanged"},
		"flash new":       {func(t *testing.T, dir string) { take(t, dir, blank, "flash.db*"); copyFile(t, dir, blank, "root.key") }, "put back what was exchanged"},
		"token new":       {func(t *testing.T, dir string) { take(t, dir, blank, "token.*") }, "put its token.db back"},
	} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "token")
			copyTo(t, here, dir)
			tt.harm(t, here)
			before := names(t, here)
			p := start(t, here, "")
			for range 2 {
				if err := p.use(public); err != pkcs11.CKR_DEVICE_ERROR {
					t.Errorf("%v, want CKR_DEVICE_ERROR", err)
				}
				if err := p.InitToken(0, pairSO, []byte("token")); err != pkcs11.CKR_DEVICE_ERROR {
					t.Errorf("InitToken: %v, want CKR_DEVICE_ERROR", err)
				}
			}
			var slots uint
			p.must("GetSlotList", p.GetSlotList(true, pkcs11.Output[uint]{Length: &slots}))
			if slots != 0 {
				t.Error("whoever asks is told that there is a token")
			}
			p.end()
			if lines := p.log.only(""); len(lines) != 1 || !strings.HasPrefix(lines[0], "error") || !strings.Contains(lines[0], tt.line) {
				t.Errorf("logged %q, want one line with %q", lines, tt.line)
			}
			if after := names(t, here); !slices.Equal(after, before) {
				t.Errorf("there was %q, now there is %q", before, after)
			}
			for _, name := range names(t, dir) {
				copyFile(t, here, dir, name)
			}
			if err := start(t, here, "").use(public); err != nil {
				t.Errorf("after all was put back: %v", err)
			}
		})
	}
}

// TestBeginAnew: an administrator who gives the keys up moves the other files away, too.
func TestBeginAnew(t *testing.T) {
	dir, public := made(t, "")
	remove(t, dir, "flash.db", "token.db")
	p := start(t, dir, "")
	p.initialise()
	p.must("use", p.enter())
	if err := p.sign(public); err == nil {
		t.Error("the old key is there")
	}
	if lines := p.log.only("error"); len(lines) != 0 {
		t.Errorf("logged %q", lines)
	}
}

// TestNeverInitialised: as long as nobody has set a PIN nothing belongs to anything.
func TestNeverInitialised(t *testing.T) {
	for _, name := range []string{"flash.db", "token.db"} {
		dir := t.TempDir()
		p := start(t, dir, "")
		if _, err := p.GetTokenInfo(0); err != nil {
			t.Fatal(err)
		}
		p.end()
		remove(t, dir, name)
		p = start(t, dir, "")
		p.initialise()
		p.must("enter without "+name, p.enter())
	}
}

// TestOtherSlots: a token that is damaged keeps nobody from another.
func TestOtherSlots(t *testing.T) {
	dir := t.TempDir()
	settings := fmt.Sprintf("state = %q\n[[slot]]\nname = \"a\"\n[[slot]]\nname = \"b\"\n", dir)
	p := start(t, dir, settings)
	p.initialise()
	p.end()
	remove(t, filepath.Join(dir, "a"), "flash.db")
	p = start(t, dir, settings)
	ids, n := make([]uint, 2), uint(2)
	p.must("GetSlotList", p.GetSlotList(true, pkcs11.Output[uint]{Buffer: ids, Length: &n}))
	if n != 1 || ids[0] != 1 {
		t.Errorf("%d slots have a token: %v", n, ids)
	}
	if _, err := p.GetTokenInfo(0); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("GetTokenInfo: %v", err)
	}
	if _, err := p.OpenSession(1, pkcs11.CKF_SERIAL_SESSION); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

// TestVersion010: a token of version 0.1.0 takes the SCM that it is found with at the first
// login, and no other one from then on. That there is an SCM it knows before.
func TestVersion010(t *testing.T) {
	old := "../store/testdata/version-0.1.0"
	for _, name := range needed {
		dir := filepath.Join(t.TempDir(), "token")
		copyTo(t, dir, old)
		remove(t, dir, name)
		if err := start(t, dir, "").enter(); err != pkcs11.CKR_DEVICE_ERROR {
			t.Errorf("without %s: %v, want CKR_DEVICE_ERROR", name, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "token")
	copyTo(t, dir, old)
	for range 2 {
		p := start(t, dir, "")
		p.must("enter", p.enter())
		if lines := p.log.only(""); len(lines) != 0 {
			t.Errorf("logged %q", lines)
		}
		p.end()
	}
	other, _ := made(t, "")
	take(t, dir, other, "flash.db*")
	if err := start(t, dir, "").enter(); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("with another SCM: %v, want CKR_DEVICE_ERROR", err)
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

// TestVendorLibrary: it makes no SCM beside a token that belongs to one either.
func TestVendorLibrary(t *testing.T) {
	dir, _ := made(t, "")
	remove(t, dir, "flash.db*")
	before := names(t, dir)
	if d, err := softIn(t, dir); !errors.Is(err, scm.ErrForeign) {
		d.Close()
		t.Errorf("%v, want ErrForeign", err)
	}
	if after := names(t, dir); !slices.Equal(after, before) {
		t.Errorf("there was %q, now there is %q", before, after)
	}
	d, err := softIn(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
}

// TestReset: an SCM that its administrator has reset has other keys. The token is to be
// initialised, by its SO.
func TestReset(t *testing.T) {
	dir, _ := made(t, "")
	d, err := softIn(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Reset(), d.Close()); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir, "")
	if err := p.enter(); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("login: %v, want CKR_DEVICE_ERROR", err)
	}
	if lines := p.log.only("error"); len(lines) != 1 || !strings.Contains(lines[0], "was reset") {
		t.Errorf("logged %q", lines)
	}
	p.must("CloseSession", p.CloseSession(p.session))
	if err := p.InitToken(0, pairUser, []byte("token")); err != pkcs11.CKR_PIN_INCORRECT {
		t.Errorf("InitToken with a wrong PIN: %v", err)
	}
	p.initialise()
	p.furnish()
}

// TestForged: a flash with the serial number and the bond of the token's own does not do
// when it needs no secret.
func TestForged(t *testing.T) {
	dir, _ := made(t, "")
	flash := filepath.Join(dir, "flash.db")
	serial, bond := query(t, flash, "SELECT serial FROM scm"), query(t, flash, "SELECT hex(bond) FROM scm")
	blank := t.TempDir()
	d, err := softIn(t, blank)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	change(t, filepath.Join(blank, "flash.db"), fmt.Sprintf("UPDATE scm SET serial = '%s', bond = x'%s'", serial, bond))
	take(t, dir, blank, "flash.db*")
	copyFile(t, dir, blank, "root.key")
	p := start(t, dir, "")
	if err := p.enter(); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("a flash that was forged: %v, want CKR_DEVICE_ERROR", err)
	}
	p.end()
	for _, statement := range []string{"UPDATE token SET open = 1", "UPDATE token SET mate = 'another'"} {
		dir, _ := made(t, "")
		change(t, filepath.Join(dir, "token.db"), statement)
		if err := start(t, dir, "").enter(); err != pkcs11.CKR_DEVICE_ERROR {
			t.Errorf("%s: %v, want CKR_DEVICE_ERROR", statement, err)
		}
	}
}

func query(t *testing.T, path, statement string) (text string) {
	t.Helper()
	with(t, path, func(db *sql.DB) error { return db.QueryRow(statement).Scan(&text) })
	return text
}

func change(t *testing.T, path, statement string) {
	t.Helper()
	with(t, path, func(db *sql.DB) error {
		_, err := db.Exec(statement)
		return err
	})
}

func with(t *testing.T, path string, do func(*sql.DB) error) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestOlderCopy: a copy of one half from the past is told of once, and the token can be
// used. A copy of everything looks like what it was.
func TestOlderCopy(t *testing.T) {
	dir, public := made(t, "")
	p := start(t, dir, "")
	p.must("use", p.use(public))
	p.end()
	past := filepath.Join(t.TempDir(), "past")
	copyTo(t, past, dir)
	p = start(t, dir, "")
	p.furnish()
	p.end()
	p = start(t, dir, "")
	p.furnish()
	p.end()
	for name, tt := range map[string]struct {
		files []string
		line  string
	}{
		"records":            {[]string{"token.db*"}, "token.db is an older copy"},
		"flash":              {[]string{"flash.db*"}, "(flash.db) is an older copy"},
		"records and counts": {[]string{"token.*"}, "token.db is an older copy"},
		"flash and counts":   {[]string{"flash.db*", "token.pins"}, "(flash.db) is an older copy"},
		"both":               {[]string{"token.*", "flash.db*"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "token")
			copyTo(t, here, dir)
			take(t, here, past, tt.files...)
			for time := range 2 {
				p := start(t, here, "")
				p.must("enter", p.enter())
				p.end()
				lines := p.log.only("warning")
				if tt.line == "" || time > 0 {
					if len(lines) != 0 {
						t.Errorf("logged %q", lines)
					}
				} else if len(lines) != 1 || !strings.Contains(lines[0], tt.line) {
					t.Errorf("logged %q, want one line with %q", lines, tt.line)
				}
			}
		})
	}
}

// TestLostCounts: nobody gets ten more tries for a file that he has removed or exchanged.
func TestLostCounts(t *testing.T) {
	dir, public := made(t, "")
	other, _ := made(t, "")
	for name, harm := range map[string]func(t *testing.T, dir string){
		"removed":   func(t *testing.T, dir string) { remove(t, dir, "token.pins") },
		"exchanged": func(t *testing.T, dir string) { take(t, dir, other, "token.pins") },
	} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "token")
			copyTo(t, here, dir)
			harm(t, here)
			p := start(t, here, "")
			p.must("the right PIN", p.use(public))
			p.end()
			if lines := p.log.only(""); len(lines) != 1 || !strings.Contains(lines[0], "one try is left") {
				t.Errorf("logged %q", lines)
			}
			harm(t, here)
			p = start(t, here, "")
			h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
			p.must("OpenSession", err)
			info, err := p.GetTokenInfo(0)
			p.must("GetTokenInfo", err)
			if info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY == 0 {
				t.Errorf("flags %x do not tell that it is the last try", info.Flags)
			}
			if err := p.Login(h, pkcs11.CKU_USER, []byte("wrong")); err != pkcs11.CKR_PIN_INCORRECT {
				t.Errorf("a wrong PIN: %v", err)
			}
			if err := p.Login(h, pkcs11.CKU_USER, pairUser); err != pkcs11.CKR_PIN_LOCKED {
				t.Errorf("then the right one: %v, want CKR_PIN_LOCKED", err)
			}
		})
	}
}
