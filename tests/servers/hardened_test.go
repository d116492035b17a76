// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestNginxHardened runs nginx under the options of systemd that docs/clients/nginx.md names, with a key in the
// module and in a file as the control: it serves, and after a reload, too. That the options hold is shown
// by what they forbid.
func TestNginxHardened(t *testing.T) {
	harness.Need(t, "nginx")
	s := newSite(t)
	harden := s.hardener()
	if _, err := s.command(key{}, harden, s.dir, "true").CombinedOutput(); err != nil {
		t.Skipf("this kernel has not all that it takes: %v", err)
	}
	for _, forbidden := range []string{"touch " + filepath.Dir(s.dir) + "/zk-outside", "chroot / true", "mount -t tmpfs none /mnt"} {
		if out, err := s.command(key{}, harden, s.dir, "sh", "-c", forbidden).CombinedOutput(); err == nil {
			t.Fatalf("%s is allowed: %s", forbidden, out)
		}
	}
	for _, k := range []key{s.fileKey(), s.slotKey()} {
		t.Run(k.where, func(t *testing.T) {
			d := s.nginxHardened(k, harden)
			d.awaitService(k)
			before := d.workers()
			d.signal(syscall.SIGHUP)
			if !eventually(func() bool {
				return !slices.ContainsFunc(before, func(pid int) bool { return slices.Contains(d.workers(), pid) })
			}) {
				t.Errorf("workers %v are there after the reload", before)
			}
			d.awaitService(k)
		})
	}
}

// nginxHardened is nginx as a daemon, by a program that hardens it before.
func (s *site) nginxHardened(k key, harden string) *daemon {
	address := s.freeAddress()
	conf := s.configure("nginx.conf", nginxConf, configuration{key: k, Address: address, Workers: 2})
	return s.daemonise(k, "nginx.pid", address, harden, s.dir, "nginx", "-p", s.dir, "-e", s.path("nginx.log"), "-c", conf)
}

// hardener compiles the program that stands in for systemd.
func (s *site) hardener() string {
	s.t.Helper()
	names, err := os.ReadFile("testdata/system-service.txt")
	s.check(err)
	var numbers strings.Builder
	for name := range strings.Lines(string(names)) {
		if name = strings.TrimSpace(name); !strings.HasPrefix(name, "#") {
			fmt.Fprintf(&numbers, "#ifdef __NR_%s\n\t__NR_%[1]s,\n#endif\n", name)
		}
	}
	s.write("include/allowed.h", numbers.String())
	program := harness.Compile(s.t, "testdata/harden.c", "-I"+s.path("include"))
	s.run(key{}, "cp", program, s.path("harden"))
	return s.path("harden")
}
