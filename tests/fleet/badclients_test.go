// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// message is the start of a message of p11-kit: the version of a new connection, the number of the call, the lengths of its options
// and of its body.
func message(call, options, body uint32, rest ...byte) []byte {
	m := []byte{0}
	for _, n := range []uint32{call, options, body} {
		m = binary.BigEndian.AppendUint32(m, n)
	}
	return append(m, rest...)
}

// badInputs are what clients send that are none.
func badInputs() map[string][]byte {
	return map[string][]byte{
		"nothing":       {},
		"rubbish":       bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 100),
		"ones":          bytes.Repeat([]byte{0xff}, 1<<16),
		"zeros":         make([]byte, 1<<16),
		"half a head":   message(1, 0, 0)[:7],
		"half a body":   message(1, 8, 100, 1, 2, 3),
		"huge options":  message(1, 0xffffffff, 0),
		"huge body":     message(1, 0, 0xffffffff),
		"huge both":     message(0xffffffff, 0x7fffffff, 0x80000001),
		"another age":   append([]byte{0xfe}, message(1, 0, 0)...),
		"unknown call":  message(1, 0, 4, 0xff, 0xff, 0xff, 0xff),
		"empty message": message(1, 0, 0),
	}
}

// TestBadClients: a client signs on while others send what they may not, half of it, or nothing, and stay connected.
func TestBadClients(t *testing.T) {
	s := newServer(t)
	c := s.client()
	key := c.firstKey(pkcs11.CKK_EC)
	for name, input := range badInputs() {
		held := s.dial()
		_, _ = held.Write(input) // the other end may have closed it
		for range 3 {
			if err := c.sign(key); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		s.newcomer(name)
	}
}

// newcomer is a client in a process of its own, which finds the token.
func (s *server) newcomer(when string) {
	s.t.Helper()
	harness.Need(s.t, "pkcs11-tool")
	s.Set("P11_KIT_SERVER_ADDRESS", "unix:path="+s.socket)
	out, err := s.Try("pkcs11-tool", "--module", clientLibrary(s.t), "-L")
	if err != nil || !strings.Contains(out, harness.Label) {
		s.t.Errorf("%s: a new client: %v\n%s", when, err, out)
	}
}

// TestManySessions: one client has 10,000 sessions, 50 more hold a connection each, and another signs.
func TestManySessions(t *testing.T) {
	s := newServer(t)
	c := s.client()
	for n := range 10000 {
		if _, err := c.OpenSession(c.slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
			t.Logf("session %d: %v", n, err)
			break
		}
	}
	for range 50 {
		s.dial()
	}
	s.newcomer("10,000 sessions")
	if err := c.sign(c.firstKey(pkcs11.CKK_EC)); err != nil {
		t.Error(err)
	}
}

// unit is the text of a unit of the packages.
func unit(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "packaging/server", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOutsiders: with the mode that the unit gives the socket, members of its group get a connection, and nobody else.
func TestOutsiders(t *testing.T) {
	harness.Need(t, "setpriv", "/usr/bin/python3")
	if os.Getuid() != 0 {
		t.Skip("only root can be other users")
	}
	const group = 54321
	s := newServer(t)
	mode := regexp.MustCompile(`(?m)^SocketMode=(\d+)$`).FindStringSubmatch(unit(t, "zk_pkcs11.socket"))
	bits, err := strconv.ParseUint(mode[1], 8, 32)
	if err != nil {
		t.Fatal(err)
	}
	for path := filepath.Dir(s.socket); path != os.TempDir() && path != "/"; path = filepath.Dir(path) {
		s.check(os.Chmod(path, 0o755)) // what is to be tested is the socket
	}
	s.check(os.Chown(s.socket, 0, group))
	s.check(os.Chmod(s.socket, os.FileMode(bits)))
	for groups, want := range map[string]bool{"54321": true, "54322": false, "54322,54321": true} {
		cmd := exec.Command("setpriv", "--reuid", "54320", "--regid", "54322", "--groups", groups,
			"/usr/bin/python3", "-c", "import socket, sys\nsocket.socket(socket.AF_UNIX).connect(sys.argv[1])", s.socket)
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("groups %s: %v\n%s", groups, err, out)
		}
	}
}

func (s *server) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestUnits: systemd takes the units, and finds the service little exposed.
func TestUnits(t *testing.T) {
	harness.Need(t, "systemd-analyze", "p11-kit")
	folder := t.TempDir()
	words := []string{"verify"}
	for _, name := range []string{"zk_pkcs11.socket", "zk_pkcs11@.service"} {
		path := filepath.Join(folder, name)
		text := strings.ReplaceAll(unit(t, name), "Documentation=man:libzk_pkcs11(7)\n", "")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		words = append(words, path)
	}
	out, err := exec.Command("systemd-analyze", words...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "zk_pkcs11") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = exec.Command("systemd-analyze", "security", "--offline=yes", "--threshold=30", words[2]).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
