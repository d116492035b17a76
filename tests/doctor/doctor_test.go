// SPDX-License-Identifier: Apache-2.0

// Package doctor tests "zk_pkcs11-util doctor" and "check" on set-ups that are broken on purpose.
package doctor

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// report is what "doctor --json" prints.
type report struct {
	Schema   string
	Facts    []struct{ Name, Value string }
	Findings []finding
	Mended   []struct {
		finding
		Problem string
	}
	Status int
}

type finding struct {
	Name, Level, What, Why, Command string

	Slot *int
	Safe bool
}

// names are those of the findings that count, in alphabetical order.
func (r report) names() (names []string) {
	for _, f := range r.Findings {
		if f.Level != "info" {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (r report) find(name string) (finding, bool) {
	i := slices.IndexFunc(r.Findings, func(f finding) bool { return f.Name == name })
	if i < 0 {
		return finding{}, false
	}
	return r.Findings[i], true
}

// patient is a set-up of the module in a folder of its own.
type patient struct {
	t                *testing.T
	dir, state, conf string
	script           string // that breaks things for the processes of a shell; each doctor is in a new one
	around           string // the command that doctor is run by
	options          string
	private          bool // in a mount namespace of its own
}

// newPatient makes a healthy one.
func newPatient(t *testing.T, settings string) *patient {
	t.Helper()
	dir := t.TempDir()
	p := &patient{t: t, dir: dir, state: filepath.Join(dir, "state"), conf: filepath.Join(dir, "zk_pkcs11.toml")}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // which is the testing package's
		t.Fatal(err)
	}
	if err := os.WriteFile(p.conf, []byte(strings.ReplaceAll(settings, "$DIR", dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	p.sh("cp -a \"$HEALTHY\" \"$STATE\"")
	return p
}

// sh runs a script in the shell in which doctor would run.
func (p *patient) sh(script string) string {
	p.t.Helper()
	out, err := p.command(script).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func (p *patient) command(script string) *exec.Cmd {
	line := []string{"bash", "-euc", script}
	if p.private {
		line = append([]string{"unshare", "-m"}, line...)
	}
	cmd := exec.Command(line[0], line[1:]...)
	tool := harness.Build(p.t, "zk_pkcs11-util")
	cmd.Env = append(cleanEnvironment(), "ZK_PKCS11_HOME="+p.state, "ZK_PKCS11_CONF="+p.conf, "ZK_PKCS11_BACKEND=", "HOME="+p.dir, "XDG_CONFIG_HOME=",
		"PATH="+filepath.Dir(tool)+":"+os.Getenv("PATH"), "DIR="+p.dir, "STATE="+p.state, "CONF="+p.conf,
		"HEALTHY="+healthy(p.t), "OLD="+filepath.Join(harness.Root(p.t), "internal/store/testdata/version-0.1.0"),
		"LIBRARY="+harness.Build(p.t, "libzk_app_utils.so"), "MODULE="+harness.Module(p.t))
	cmd.Dir = p.dir
	return cmd
}

// cleanEnvironment leaves out what the tests themselves are told of the module.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "ZK_") })
}

// examine runs doctor after a script, and returns what it says.
func (p *patient) examine(before, options string) report {
	p.t.Helper()
	script := fmt.Sprintf("trap 'test -z \"${server-}\" || { kill $server; wait $server || true; }' EXIT\n{ %s\n%s\n} >&2\n%s zk_pkcs11-util doctor --json %s %s", orTrue(p.script), orTrue(before), p.around, p.options, options)
	cmd := p.command(script)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var r report
	d := json.NewDecoder(strings.NewReader(string(out)))
	d.DisallowUnknownFields()
	if failed := d.Decode(&r); failed != nil {
		p.t.Fatalf("%s: %v, %v\n%s%s", script, err, failed, out, errs.String())
	}
	if status := cmd.ProcessState.ExitCode(); status != r.Status || r.Schema != "zk_pkcs11-util.doctor/1" {
		p.t.Errorf("the exit status is %d, the report says %d, the schema is %q", status, r.Status, r.Schema)
	}
	return r
}

func orTrue(script string) string {
	if script == "" {
		return "true"
	}
	return script
}

var templates = make(chan string, 1)

// healthy is a folder with an initialised token, of which each patient gets a copy.
func healthy(t *testing.T) string {
	dir := <-templates
	templates <- dir
	return dir
}

// TestMain makes what every test copies.
func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "healthy")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	templates <- filepath.Join(dir, "state")
	return m.Run()
}

// makeTemplate makes the token that every test copies.
func makeTemplate(t *testing.T) {
	t.Helper()
	dir := healthy(t)
	if _, err := os.Stat(dir); err == nil {
		return
	}
	cmd := exec.Command(harness.Build(t, "zk_pkcs11-util"), "--init-token", "--label", harness.Label, "--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	cmd.Env = append(cleanEnvironment(), "ZK_PKCS11_HOME="+dir, "ZK_PKCS11_BACKEND=soft", "ZK_PKCS11_CONF=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// listing is all that there is in a folder: names, modes, sizes and times.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			owner := info.Sys().(*syscall.Stat_t)
			fmt.Fprintln(&b, path, info.Mode(), owner.Uid, owner.Gid, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFilesOfMembers: members of the group that shares a directory make logs and locks in it, which keeps nobody from looking
// at a token of root.
func TestFilesOfMembers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of another user take root")
	}
	makeTemplate(t)
	p := newPatient(t, ofDaemon)
	p.sh(daemonsOwn + `; cd "$STATE"; chown 5001 *.db-* *.gen *.lock *.room *.write`)
	r := p.examine("", "")
	if len(r.names()) != 0 || !strings.Contains(fmt.Sprint(r.Facts), "user PIN: 10 tries left") {
		t.Errorf("%+v", r)
	}
	if out := p.sh("chown 5001 \"$STATE\"/*.db-*; zk_pkcs11-util check"); !strings.Contains(out, "OK - token") {
		t.Errorf("check: %s", out)
	}
	if out := p.sh("chown 5001 \"$STATE\"/*.db-*; zk_pkcs11-util check --prometheus"); !strings.Contains(out, `initialised{slot="0"} 1`) {
		t.Errorf("prometheus: %s", out)
	}
}

// TestHealthy: nothing is wrong with what is right, and doctor changes nothing, nor does it make what is not there.
func TestHealthy(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "")
	before := listing(t, p.dir)
	if r := p.examine("", ""); r.Status != 0 || r.names() != nil {
		t.Errorf("%+v", r)
	}
	if after := listing(t, p.dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	p.sh(`rm -r "$STATE"`)
	before = listing(t, p.dir)
	r := p.examine("", "--fix")
	if f, told := r.find("state-missing"); r.Status != 0 || !told || f.Level != "info" {
		t.Errorf("%+v", r)
	}
	if after := listing(t, p.dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestFactsOfSeveralSlots: a fact's name, which has the slot in it then, stands apart from what it is.
func TestFactsOfSeveralSlots(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "[[slot]]\nname = \"first\"\nstate = \".\"\n[[slot]]\nname = \"second\"\n")
	r := p.examine("", "")
	text := p.sh("zk_pkcs11-util doctor || true")
	joined := strings.Join(strings.Fields(text), " ")
	for _, f := range r.Facts {
		if want := strings.Join(strings.Fields(f.Name+" "+f.Value), " "); !strings.Contains(joined, want) {
			t.Errorf("%q is not told in\n%s", want, text)
		}
	}
	if !strings.Contains(text, "Slot 0: Backend ") {
		t.Errorf("the slot is not told in\n%s", text)
	}
}

// TestUnsureOfKey: of a certificate whose private key may be among what only a login shows it is told, and nothing is wrong. Those
// of authorities and of keys that are there are not told of.
func TestUnsureOfKey(t *testing.T) {
	harness.Need(t, "openssl")
	makeTemplate(t)
	p := newPatient(t, "")
	p.sh(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out ca.pem -subj /CN=authority -addext basicConstraints=critical,CA:TRUE
		zk_pkcs11-util key generate --label held --pin 12345678
		zk_pkcs11-util key csr --label held --subject CN=held --pin 12345678 --out held.csr
		openssl x509 -req -in held.csr -CA ca.pem -CAkey k -CAcreateserial -out held.pem
		zk_pkcs11-util cert import held.pem --pin 12345678
		zk_pkcs11-util cert import ca.pem --without-key --pin 12345678`)
	if f, told := p.examine("", "").find("certificate-keyless"); told {
		t.Errorf("every certificate has its key, or is an authority's: %+v", f)
	}
	p.sh(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out peer.pem -subj /CN=peer -addext basicConstraints=critical,CA:FALSE
		zk_pkcs11-util cert import peer.pem --without-key --pin 12345678
		zk_pkcs11-util key generate --type aes256 --label cipher --pin 12345678`)
	r := p.examine("", "")
	if f, told := r.find("certificate-keyless"); !told || f.Level != "info" || r.Status != 0 || !strings.Contains(f.What, `"peer", unless`) {
		t.Errorf("%+v", r)
	}
}
