// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestricted: the key of a host gets no shell, no file and no forwarding, and is nothing on another host.
func TestRestricted(t *testing.T) {
	f := newFleet(t)
	a, b := f.servers[0], f.servers[1]
	f.awaitWhole(a) // sshd runs
	for _, words := range [][]string{{"echo inside"}, {"cat /etc/passwd"}, {"sftp"}, {""}} {
		out, status := a.ssh("-F", filepath.Join(a.folder, "ssh_config"), "scm", words[0])
		if status == lostConnection || strings.Contains(out, "inside") || strings.Contains(out, "root:") {
			t.Errorf("%q: status %d\n%s", words, status, out)
		}
	}
	for _, words := range [][]string{{"-R", "7777:127.0.0.1:22"}, {"-R", b.folder + "/s:127.0.0.1:22"}, {"-w", "any"}} {
		arguments := append([]string{"-N", "-F", filepath.Join(a.folder, "ssh_config"), "-o", "ExitOnForwardFailure=yes"}, words...)
		if out, status := a.ssh(append(arguments, "scm")...); status != lostConnection {
			t.Errorf("%q: status %d\n%s", words, status, out)
		}
	}
	out, status := b.ssh("-F", "/dev/null", "-i", filepath.Join(a.folder, "key"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile="+filepath.Join(b.folder, "known_hosts"), "root@"+f.gateway(1), "true")
	if status != lostConnection || !strings.Contains(out, "Permission denied") {
		t.Errorf("the key of another host: status %d\n%s", status, out)
	}
}

// lostConnection is how ssh ends without a connection, or when it may not do what it is there for.
const lostConnection = 255

// ssh runs ssh on the host without an input, for a moment at most.
func (h *host) ssh(words ...string) (string, int) {
	h.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", h.namespace, "timeout", "20", "ssh"}, words...)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}
