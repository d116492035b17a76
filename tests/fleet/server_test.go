// SPDX-License-Identifier: Apache-2.0

// Package fleet uses the tokens of one SCM from other processes, containers and hosts, by p11-kit.
package fleet

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// server is the socket of the units, for which systemd-socket-activate stands in.
type server struct {
	*harness.Home
	t      *testing.T
	socket string
}

// served are the variables of a home that a process for a connection needs.
var served = []string{"ZK_PKCS11_HOME", "ZK_PKCS11_CONF", "ZK_PKCS11_BACKEND", "ZK_PKCS11_ZYMBIT_LIBRARY", "PATH"}

func newServer(t *testing.T) *server {
	t.Helper()
	harness.SoftOnly(t, "its processes are started without the variables of that")
	harness.Need(t, "p11-kit", "systemd-socket-activate")
	s := &server{Home: harness.NewHome(t), t: t, socket: filepath.Join(t.TempDir(), "p11.sock")}
	s.Init()
	words := []string{"--accept", "--inetd", "--listen", s.socket}
	for _, name := range served {
		words = append(words, "--setenv", name)
	}
	cmd := s.Command("systemd-socket-activate", append(words, "p11-kit", "remote", "--provider", harness.Module(t), "pkcs11:")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endProcess(cmd) })
	await(t, s.socket)
	return s
}

// endProcess ends a process that a test has started.
func endProcess(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // by that signal
}

// await waits for a file that a process makes.
func await(t *testing.T, path string) {
	t.Helper()
	for range 400 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(time.Second / 20)
	}
	t.Fatalf("%s does not come", path)
}

// clientLibrary is what programs load in the place of the module.
func clientLibrary(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/pkcs11/p11-kit-client.so")
	if err != nil || len(found) == 0 {
		t.Skip("p11-kit-client.so is not installed (p11-kit-modules)")
	}
	return found[0]
}

// client is a program with a session, logged in.
type client struct {
	*pkcs11.Ctx
	t       *testing.T
	slot    uint
	session pkcs11.SessionHandle
}

// login loads a library, finds the token and logs in.
func login(t *testing.T, library string) *client {
	t.Helper()
	c := &client{Ctx: pkcs11.New(library), t: t}
	c.must(c.Initialize())
	t.Cleanup(func() { _ = c.Finalize() })
	slots, err := c.GetSlotList(true)
	c.must(err)
	if len(slots) == 0 {
		t.Fatal("no token comes through")
	}
	c.slot = slots[0]
	c.session, err = c.OpenSession(c.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	c.must(err)
	c.must(c.Login(c.session, pkcs11.CKU_USER, harness.UserPIN))
	return c
}

func (c *client) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// client loads p11-kit's client, which finds the server by a variable.
func (s *server) client() *client {
	s.t.Helper()
	s.t.Setenv("P11_KIT_SERVER_ADDRESS", "unix:path="+s.socket)
	return login(s.t, clientLibrary(s.t))
}

// dial connects to the socket as a program that is no client.
func (s *server) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// firstKey is the private key of a type that comes first, or 0.
func (c *client) firstKey(keyType uint) pkcs11.ObjectHandle {
	c.t.Helper()
	c.must(c.FindObjectsInit(c.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType),
	}))
	found, _, err := c.FindObjects(c.session, 1)
	c.must(err)
	c.must(c.FindObjectsFinal(c.session))
	if len(found) == 0 {
		return 0
	}
	return found[0]
}

// sign signs a digest by ECDSA.
func (c *client) sign(key pkcs11.ObjectHandle) error {
	if err := c.SignInit(c.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}, key); err != nil {
		return err
	}
	_, err := c.Sign(c.session, make([]byte, 32))
	return err
}
