// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// pageDeadline bounds how long the commands of a page may take.
const pageDeadline = 2 * time.Minute

// page is how the commands of a page in docs/clients are run.
type page struct {
	programs []string
	engine   bool   // needs OpenSSL's pkcs11 engine
	provider bool   // needs OpenSSL's provider pkcs11
	root     bool   // is for root
	python   string // module of Debian's Python; "" = none
	lost     string // why it cannot be followed over the vendor's C API; "" = it can
	builds   string // program that the Go code on the page makes; "" = none
}

func pages() map[string]page {
	return map[string]page{
		"apache.md":           {programs: []string{"apache2", "curl"}, engine: true, root: true},
		"ci.md":               {programs: []string{"pkcs11-tool", "openssl"}, lost: harness.NoInject},
		"containers.md":       {programs: []string{"bwrap", "setpriv", "pkcs11-tool", "p11-kit", "openssl"}, root: true},
		"curl.md":             {programs: []string{"curl"}, engine: true},
		"git.md":              {programs: []string{"git", "ssh-agent", "ssh-keygen"}},
		"gnutls.md":           {programs: []string{"p11tool", "certtool", "gnutls-serv", "curl", "openssl"}},
		"go.md":               {programs: []string{"go"}, builds: "sign"},
		"greengrass.md":       {programs: []string{"java", "openssl"}},
		"haproxy.md":          {programs: []string{"haproxy", "curl", "openssl"}, root: true, provider: true},
		"haproxy-stunnel.md":  {programs: []string{"haproxy", "stunnel4", "curl"}, engine: true, root: true},
		"java.md":             {programs: []string{"java", "keytool", "pkcs11-tool", "curl"}, engine: true},
		"nginx.md":            {programs: []string{"nginx", "curl"}, engine: true, root: true},
		"nss.md":              {programs: []string{"certutil", "modutil", "pkcs11-tool"}, engine: true},
		"openssl.md":          {programs: []string{"curl"}, engine: true},
		"openssl-provider.md": {programs: []string{"openssl", "curl"}, provider: true, lost: harness.WholeEd25519},
		"p11-kit.md":          {programs: []string{"p11-kit", "p11tool"}, engine: true},
		"p11-kit-server.md":   {programs: []string{"p11-kit", "pkcs11-tool", "openssl"}},
		"pkcs11-tool.md":      {programs: []string{"pkcs11-tool", "openssl"}, lost: harness.NoReadObject},
		"python.md":           {programs: []string{"/usr/bin/python3"}, python: "PyKCS11", lost: harness.WholeEd25519},
		"ssh.md":              {programs: []string{"ssh", "ssh-agent", "/usr/sbin/sshd"}, root: true},
		"stunnel.md":          {programs: []string{"stunnel4", "python3", "curl"}, engine: true, root: true},
	}
}

// TestPages runs the commands of each page, as they stand there, on a machine
// that is new to the module, and looks for the output that the page shows.
func TestPages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(harness.Root(t), "docs/clients/*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		p, known := pages()[name]
		if !known {
			t.Errorf("%s has no row in the table of pages, so its commands are not run", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.need(t)
			if p.lost != "" {
				harness.SoftOnly(t, p.lost)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := p.sandbox(t)
			if strings.Contains(string(text), "state_group") {
				s.configure("") // the page sets all that it needs
			}
			if p.provider {
				s.env = append(s.env, "OPENSSL_MODULES="+filepath.Dir(harness.Provider(t)))
			}
			if p.builds != "" {
				s.build(goCode(string(text)), p.builds)
			}
			s.follow(steps(s.localise(string(text))))
		})
	}
}

// TestPagesInARow: somebody who has made a token by one of the pages of servers, and deleted it, can
// make one by the next. The settings are there already.
func TestPagesInARow(t *testing.T) {
	t.Parallel()
	page{engine: true, root: true}.need(t)
	s := newRootSandbox(t)
	for _, name := range []string{"apache.md", "haproxy.md", "haproxy-stunnel.md", "nginx.md", "stunnel.md"} {
		text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/clients", name))
		s.check(err)
		all := steps(s.localise(string(text)))
		makes := slices.IndexFunc(all, func(s step) bool { return strings.Contains(s.commands, "token init") })
		if makes < 0 {
			t.Fatalf("%s makes no token", name)
		}
		s.follow(all[makes : makes+1])
		s.check(os.RemoveAll(s.state()))
	}
	settings, err := os.ReadFile(s.config())
	s.check(err)
	if n := strings.Count(string(settings), "state_group"); n != 1 {
		t.Errorf("state_group is set %d times:\n%s", n, settings)
	}
}

func (p page) need(t *testing.T) {
	t.Helper()
	harness.Need(t, append([]string{"bash"}, p.programs...)...)
	if p.engine {
		needEngine(t)
	}
	if p.provider {
		harness.Provider(t)
	}
	if p.python != "" && exec.Command("/usr/bin/python3", "-c", "import "+p.python).Run() != nil {
		t.Skipf("Debian's Python has no %s", p.python)
	}
	if p.root && os.Geteuid() != 0 {
		t.Skip("the commands of this page are for root")
	}
}

func (p page) sandbox(t *testing.T) *sandbox {
	t.Helper()
	if p.root {
		return newRootSandbox(t)
	}
	return newSandbox(t)
}

// localise makes the paths of a page those of the sandbox, and its ports ones that
// are free. By itself ssh-agent accepts no module outside of the real /usr/lib.
func (s *sandbox) localise(page string) string {
	s.t.Helper()
	return strings.NewReplacer(
		"/usr/lib/libzk_pkcs11.so", s.module(),
		"/etc/zk_pkcs11", filepath.Dir(s.config()),
		"/var/lib", filepath.Join(s.root, "var/lib"),
		"8443", strconv.Itoa(harness.FreePort(s.t)),
		"8080", strconv.Itoa(harness.FreePort(s.t)),
		"2222", strconv.Itoa(harness.FreePort(s.t)),
		"$(ssh-agent)", "$(ssh-agent -P '"+s.module()+"')",
	).Replace(page)
}

// build makes a program of Go code in the home directory, with the modules that
// this project uses.
func (s *sandbox) build(code, program string) {
	s.t.Helper()
	file := filepath.Join(s.root, "main.go")
	s.check(os.WriteFile(file, []byte(code), 0o644))
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(s.home(), program), file)
	cmd.Dir = harness.Root(s.t)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("go build: %v\n%s", err, out)
	}
}

// follow runs the steps of a page and checks what they print.
func (s *sandbox) follow(steps []step) {
	s.t.Helper()
	if len(steps) == 0 {
		s.t.Fatal("no commands on the page")
	}
	out, err := s.shell(script(steps))
	if err != nil {
		s.t.Fatalf("%v at the last line:\n%s", err, out)
	}
	for _, step := range steps {
		printed := step.printed(out)
		if line, missing := step.missing(printed); missing {
			s.t.Errorf("line %d: the page shows %q, which is not, or not in this place, in\n%s", step.line, line, printed)
		}
	}
}

// shell runs a program of bash. What it started and left is ended too.
func (s *sandbox) shell(text string) (string, error) {
	file := filepath.Join(s.home(), "page.sh")
	s.check(os.WriteFile(file, []byte(text), 0o644))
	cmd := s.command("bash", file)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	s.check(cmd.Start())
	group := -cmd.Process.Pid
	ctx, cancel := context.WithTimeout(context.Background(), pageDeadline)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { syscall.Kill(group, syscall.SIGKILL) })
	defer stop()
	err := cmd.Wait()
	syscall.Kill(group, syscall.SIGKILL)
	s.endDaemons()
	return out.String(), err
}
