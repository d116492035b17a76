// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/tests/harness"
)

// host is a network namespace with a folder of its own.
type host struct {
	t         *testing.T
	namespace string
	address   string
	folder    string
}

// newHost makes a host without a link. It, and all that runs in it, is gone after the test.
func newHost(t *testing.T, name, address string) *host {
	t.Helper()
	h := &host{t: t, namespace: fmt.Sprintf("zk%d%s", os.Getpid(), name), address: address, folder: t.TempDir()}
	if out, err := exec.Command("ip", "netns", "add", h.namespace).CombinedOutput(); err != nil {
		t.Skipf("no network namespaces are allowed here: %v\n%s", err, out)
	}
	t.Cleanup(h.remove)
	h.ip("link", "set", "lo", "up")
	return h
}

func (h *host) remove() {
	h.endAll()
	if out, err := exec.Command("ip", "netns", "delete", h.namespace).CombinedOutput(); err != nil {
		h.t.Errorf("the namespace stays: %v\n%s", err, out)
	}
}

// endAll ends each process of the host by its number, as a loss of power does.
func (h *host) endAll() {
	for pids := h.processes(); len(pids) > 0; pids = h.processes() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		time.Sleep(time.Second / 50)
	}
}

// processes are those of the host. The test is among those of a namespace when dialHere had its first thread.
func (h *host) processes() (pids []int) {
	out, err := exec.Command("ip", "netns", "pids", h.namespace).Output()
	if err != nil {
		h.t.Errorf("ip netns pids: %v", err)
	}
	for _, word := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(word); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// ip changes the network of the host.
func (h *host) ip(words ...string) {
	h.t.Helper()
	run(h.t, "ip", append([]string{"-n", h.namespace}, words...)...)
}

func run(t *testing.T, name string, words ...string) string {
	t.Helper()
	out, err := exec.Command(name, words...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, words, err, out)
	}
	return string(out)
}

// link connects two hosts. The end of each is named after the other's last letter.
func link(a, b *host, addressOfB string) {
	a.t.Helper()
	endA, endB := a.endTo(b), b.endTo(a)
	a.ip("link", "add", endA, "type", "veth", "peer", "name", endB, "netns", b.namespace)
	a.ip("address", "add", a.address+"/24", "dev", endA)
	b.ip("address", "add", addressOfB+"/24", "dev", endB)
	a.ip("link", "set", endA, "up")
	b.ip("link", "set", endB, "up")
}

func (h *host) endTo(other *host) string {
	return "to" + other.namespace[len(other.namespace)-1:]
}

// start starts a program on the host.
func (h *host) start(environment []string, name string, words ...string) {
	h.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", h.namespace, name}, words...)...)
	cmd.Env = environment
	cmd.Dir = h.folder
	log, err := os.Create(filepath.Join(h.folder, filepath.Base(name)+".log"))
	if err == nil {
		cmd.Stdout, cmd.Stderr = log, log
		err = cmd.Start()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); _ = log.Close() }() // endAll ends it
}

// write writes a file into the host's folder, and returns its path.
func (h *host) write(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// dial connects to a port of the host from the host itself.
func (h *host) dial(port int) (net.Conn, error) {
	type result struct {
		net.Conn
		error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine, and its namespace goes with it
		c, err := h.dialHere(port)
		made <- result{c, err}
	}()
	r := <-made
	return r.Conn, r.error
}

// dialHere moves the thread into the namespace, in which its sockets are from then on.
func (h *host) dialHere(port int) (net.Conn, error) {
	f, err := os.Open("/run/netns/" + h.namespace)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	return net.DialTimeout("tcp", net.JoinHostPort(h.address, strconv.Itoa(port)), 10*time.Second)
}

// needHosts skips a test where there can be no hosts, or what runs on them is missing.
func needHosts(t *testing.T) {
	t.Helper()
	harness.SoftOnly(t, "one way to the soft SCM is enough here")
	harness.Need(t, "ip", "nginx", "ssh", "ssh-keygen", "/usr/sbin/sshd", "p11-kit", "systemd-socket-activate", "openssl", "pkill")
	if os.Getuid() != 0 {
		t.Skip("only root can make network namespaces")
	}
	if found, _ := filepath.Glob("/usr/lib/*/engines-3/pkcs11.so"); len(found) == 0 {
		t.Skip("OpenSSL's engine pkcs11 is not installed (libengine-pkcs11-openssl)")
	}
}
