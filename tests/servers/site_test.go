// SPDX-License-Identifier: Apache-2.0

// Package servers_test runs the TLS servers of Debian with a key in the module:
// daemons that load the key as root and use it in forked workers of another
// user. Each is held against itself with the key in a file and in SoftHSM2.
package servers_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// worker is the user of the workers, whose group shares the state.
const worker = "www-data"

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// site is a folder with the keys, the settings and the files of one server.
type site struct {
	t    *testing.T
	dir  string
	home string // state of the soft SCM
}

// newSite makes a site that the workers can go through.
func newSite(t *testing.T) *site {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("servers with workers of another user need root")
	}
	harness.Need(t, "openssl", "pkcs11-tool", "softhsm2-util")
	if out, err := exec.Command("openssl", "engine", "pkcs11").CombinedOutput(); err != nil {
		t.Skipf("OpenSSL's pkcs11 engine is not installed (libengine-pkcs11-openssl): %s", out)
	}
	dir, err := os.MkdirTemp("", "zk-site-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &site{t: t, dir: dir, home: filepath.Join(dir, "state")}
	s.check(os.Chmod(dir, 0o755))
	s.write("htdocs/page", "hello\n")
	s.write("zk.toml", siteSettings(s.home, harness.VendorLibrary(t)))
	s.write("softhsm.conf", "directories.tokendir = "+s.path("softhsm")+"\nlibrary.reset_on_fork = true\nlog.level = ERROR\n")
	for _, module := range []string{harness.Module(t), softHSM} {
		s.write(filepath.Base(module)+".cnf", harness.EngineConf(module))
	}
	s.check(os.Mkdir(s.path("softhsm"), 0o700))
	s.forWorkers("run")
	return s
}

// siteSettings are those of a state that the workers share; they end in a table.
func siteSettings(home, library string) string {
	return fmt.Sprintf("state = %q\nstate_group = %q\n%s", home, worker, harness.BackendSettings(library))
}

func (s *site) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// write makes a file that everybody may read.
func (s *site) write(name, text string) string {
	s.t.Helper()
	s.check(os.MkdirAll(filepath.Dir(s.path(name)), 0o755))
	s.check(os.WriteFile(s.path(name), []byte(text), 0o644))
	return s.path(name)
}

// forWorkers makes a directory, if it is not there, and gives it to the workers.
func (s *site) forWorkers(name string) {
	s.t.Helper()
	u, err := user.Lookup(worker)
	if err != nil {
		s.t.Skipf("the servers need the user %s: %v", worker, err)
	}
	uid, err := strconv.Atoi(u.Uid)
	s.check(err)
	s.check(os.MkdirAll(s.path(name), 0o755))
	s.check(filepath.WalkDir(s.path(name), func(path string, _ os.DirEntry, err error) error {
		s.check(err)
		return os.Chown(path, uid, -1)
	}))
}

// command prepares a program with the settings of the site.
func (s *site) command(k key, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C.UTF-8", "HOME=" + s.dir,
		"ZK_PKCS11_CONF=" + s.path("zk.toml"), "SOFTHSM2_CONF=" + s.path("softhsm.conf"),
	}
	if k.module != "" {
		cmd.Env = append(cmd.Env, "OPENSSL_CONF="+s.path(filepath.Base(k.module)+".cnf"))
	}
	return cmd
}

// run runs a program, which must end well.
func (s *site) run(k key, name string, args ...string) string {
	s.t.Helper()
	out, err := s.command(k, name, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// key is a P-256 key and its certificate, as the template of a server's
// configuration sees them.
type key struct {
	URI    string // of a key in a module; "" for one in a file
	File   string // of a key in a file
	Cert   string // file
	where  string // for the report
	module string
}

// Name is how a server's configuration names the key.
func (k key) Name() string { return k.URI + k.File }

// uri names the only private key of a token, with the PIN.
func uri(token string) string {
	return fmt.Sprintf("pkcs11:token=%s;id=%%00;type=private;pin-value=%s", token, harness.UserPIN)
}

// slotKey is the key in key slot 0 of a new soft SCM.
func (s *site) slotKey() key {
	s.t.Helper()
	k := key{where: ours, URI: uri(harness.Label), module: harness.Module(s.t)}
	s.run(k, harness.Build(s.t, "zk_pkcs11-util"), "--init-token", "--slot", "0", "--label", harness.Label,
		"--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	return s.certify(k)
}

// softHSMKey is a key in a token of SoftHSM2.
func (s *site) softHSMKey() key {
	s.t.Helper()
	k := key{where: "SoftHSM2", URI: uri("softhsm"), module: softHSM}
	s.run(k, "softhsm2-util", "--init-token", "--free", "--label", "softhsm", "--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	s.run(k, "pkcs11-tool", "--module", softHSM, "--token-label", "softhsm", "--login", "--pin", harness.UserPIN,
		"--keypairgen", "--key-type", "EC:prime256v1", "--id", "00", "--label", "key")
	s.forWorkers("softhsm")
	return s.certify(k)
}

// fileKey is a key in a file.
func (s *site) fileKey() key {
	s.t.Helper()
	k := key{where: "file", File: s.path("file.key")}
	s.run(k, "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", k.File)
	return s.certify(k)
}

// certify makes the key's certificate, signed by itself, for localhost.
func (s *site) certify(k key) key {
	s.t.Helper()
	k.Cert = s.path(k.where + ".pem")
	args := []string{"req", "-new", "-x509", "-key", k.Name(), "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-out", k.Cert}
	if k.URI != "" {
		args = append(args, "-engine", "pkcs11", "-keyform", "engine")
	}
	s.run(k, "openssl", args...)
	return k
}

// roots trusts the key's certificate.
func (k key) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(k.Cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", k.Cert)
	}
	return pool
}
