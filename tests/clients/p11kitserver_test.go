// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// p11KitServer is a running p11-kit server with the module, and its clients.
type p11KitServer struct {
	*sandbox
	pid    int
	client string // p11-kit-client.so
}

func newP11KitServer(t *testing.T) *p11KitServer {
	t.Helper()
	page{programs: []string{"p11-kit", "pkcs11-tool"}}.need(t)
	found, err := filepath.Glob("/usr/lib/*/pkcs11/p11-kit-client.so")
	if err != nil || len(found) == 0 {
		t.Skip("p11-kit-client.so is not installed (p11-kit-modules)")
	}
	s := &p11KitServer{sandbox: newSandbox(t), client: found[0]}
	s.initToken()
	// Into a file: the server keeps its outputs open.
	s.run("sh", "-c", `p11-kit server --provider "$0" --name "$1" "$2" > server.env 2>&1`, s.module(), s.socket(), tokenURI)
	out := s.run("cat", "server.env")
	_, text, _ := strings.Cut(out, "P11_KIT_SERVER_PID=")
	if _, err := fmt.Sscanf(text, "%d;", &s.pid); err != nil {
		t.Fatalf("p11-kit server has no number: %v\n%s", err, out)
	}
	t.Cleanup(func() { s.endDaemon(s.pid) })
	s.awaitSocket()
	s.env = append(s.env, "P11_KIT_SERVER_ADDRESS=unix:path="+s.socket())
	return s
}

// awaitSocket waits for what the server makes after it has told its number.
func (s *p11KitServer) awaitSocket() {
	s.t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err = os.Stat(s.socket()); err == nil {
			return
		}
	}
	s.t.Fatal(err)
}

func (s *p11KitServer) socket() string { return filepath.Join(s.home(), "p11.sock") }

// TestP11KitServerSocket: nobody but its owner may write to the socket.
func TestP11KitServerSocket(t *testing.T) {
	t.Parallel()
	s := newP11KitServer(t)
	info, err := os.Stat(s.socket())
	s.check(err)
	if info.Mode()&fs.ModeSocket == 0 || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("the socket has the mode %v", info.Mode())
	}
}

// TestP11KitServerProcesses: each client has a process of its own with the module.
func TestP11KitServerProcesses(t *testing.T) {
	t.Parallel()
	s := newP11KitServer(t)
	const clients = 2
	for range clients {
		s.wait()
	}
	children := fmt.Sprintf("/proc/%d/task/%[1]d/children", s.pid)
	var text []byte
	if !eventually(func() bool {
		text, _ = os.ReadFile(children) // an empty answer is asked for again
		return len(strings.Fields(string(text))) == clients
	}) {
		t.Fatalf("the server has the children %s, want %d", text, clients)
	}
	for _, child := range strings.Fields(string(text)) {
		if !eventually(func() bool {
			maps, _ := os.ReadFile("/proc/" + child + "/maps") // it may still be starting
			return strings.Contains(string(maps), s.module())
		}) {
			t.Errorf("the process %s does not have the module", child)
		}
	}
}

// wait starts a client that has the module in use until the test ends.
func (s *p11KitServer) wait() {
	s.t.Helper()
	cmd := s.command("pkcs11-tool", "--module", s.client, "--hash", "--mechanism", "SHA256")
	input, err := cmd.StdinPipe() // stays open
	s.check(err)
	cmd.Stdout = io.Discard
	s.check(cmd.Start())
	s.t.Cleanup(func() {
		input.Close()
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // by that signal
	})
}
