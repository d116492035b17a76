// SPDX-License-Identifier: Apache-2.0

// Package memory_test counts the secrets in the memory of hosts.
package memory_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// rounds is how often the host uses each secret.
const rounds = "5"

// host is a process that goes from stage to stage.
type host struct {
	t       *testing.T
	dir     string
	cmd     *exec.Cmd
	out     *bufio.Reader
	in      io.WriteCloser
	needles []needle
}

// startHost starts a host in a folder of its own. How it ends is for ended to judge.
func startHost(t *testing.T, setting string, ended func(*exec.Cmd, error), more ...string) *host {
	t.Helper()
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_FORK", setting)
	args := append([]string{harness.Module(t), rounds}, more...)
	cmd := home.Command(harness.Compile(t, "testdata/host.c"), args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		ended(cmd, cmd.Wait())
	})
	return &host{t: t, dir: home.Dir, cmd: cmd, out: bufio.NewReader(out), in: in, needles: hostSecrets()}
}

// next waits for the next stage, and returns it with the process that is in it. It reports whether there is one.
func (h *host) next() (stage string, pid int, ok bool) {
	h.t.Helper()
	for {
		line, err := h.out.ReadString('\n')
		if err == io.EOF {
			return "", 0, false
		}
		if err != nil {
			h.t.Fatal(err)
		}
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		at := strings.LastIndex(rest, " ")
		if what == "SECRET" {
			b, err := hex.DecodeString(rest[at+1:])
			if err != nil {
				h.t.Fatal(err)
			}
			h.needles = append(h.needles, told(rest[:at], b)...)
			continue
		}
		if pid, err = strconv.Atoi(rest[at+1:]); err != nil {
			h.t.Fatal(err)
		}
		return rest[:at], pid, true
	}
}

// told are the forms of a secret that the host has told.
func told(name string, b []byte) []needle {
	if !strings.HasPrefix(name, "prime") {
		return []needle{{"agreed secret", name, b}}
	}
	return []needle{{sealedKey, name, b}, {sealedKey, name + ", reversed", reversed(b)}}
}

func (h *host) goOn() {
	h.t.Helper()
	if _, err := h.in.Write([]byte{'\n'}); err != nil {
		h.t.Fatal(err)
	}
}

// census counts copies by setting, stage and kind of secret.
type census map[string]map[string]hits

func (c census) add(stage, kind string, x hits) {
	if c[stage] == nil {
		c[stage] = map[string]hits{}
	}
	now := c[stage][kind]
	c[stage][kind] = hits{
		wiped: max(now.wiped, x.wiped), dumped: max(now.dumped, x.dumped), other: max(now.other, x.other),
	}
}

// take counts everything at every stage of a host.
func take(t *testing.T, setting string) census {
	h := startHost(t, setting, func(_ *exec.Cmd, err error) {
		if err != nil {
			t.Errorf("host: %v", err)
		}
	})
	c := census{}
	for {
		stage, pid, ok := h.next()
		if !ok {
			return c
		}
		if len(c) == 0 {
			h.needles = append(h.needles, tokenSecrets(t, h.dir)...)
		}
		for i, x := range image(t, pid, h.needles) {
			n := h.needles[i]
			c.add(stage, n.kind, x)
			if x.outside() > 0 && n.kind != nameOfObject {
				t.Logf("%s, %s: %s %s: %v", setting, stage, n.kind, n.form, x.where)
			}
		}
		h.goOn()
	}
}

// atMost checks that at a stage no secret is in memory more often than most says.
func (c census) atMost(t *testing.T, stage string, most map[string]hits) {
	t.Helper()
	for kind, x := range c[stage] {
		if x.all() > most[kind].all() {
			t.Errorf("%s: %s is in memory %d times, want %d", stage, kind, x.all(), most[kind].all())
		}
	}
}

func needsCleaning(t *testing.T) {
	t.Helper()
	harness.SoftOnly(t, "an SCM in hardware keeps its keys")
	harness.NeedCleaning(t)
}

// TestCopies counts the secrets in the memory of a host and of its children, and compares
// the numbers with the table in SECURITY.md.
func TestCopies(t *testing.T) {
	needsCleaning(t)
	strict, inherit := take(t, "strict"), take(t, "inherit")
	for _, stage := range []string{"C_InitToken", "logged out", "child after logout", "finalized"} {
		strict.atMost(t, stage, nil)
		inherit.atMost(t, stage, nil)
	}
	for _, stage := range []string{"C_InitPIN", "C_SetPIN"} {
		strict.atMost(t, stage, strict["logged in"])
		inherit.atMost(t, stage, inherit["logged in"])
	}
	want := table(strict, inherit)
	page, err := os.ReadFile(filepath.Join(harness.Root(t), "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), want) {
		t.Errorf("SECURITY.md has another table than this:\n%s", want)
	}
}

// nameOfObject are no keys: what private objects are called is in memory while somebody is
// logged in, in a number of copies that varies.
const nameOfObject = "name of a private object"

// sealedKey is a key that is in no key slot. While somebody is logged in, what computes with it has it in a number of
// copies that varies.
const sealedKey = "sealed key"

// broughtIn are private keys that were made elsewhere, and are sealed.
const broughtIn = "private key that was brought in"

// rows are the kinds of secrets in the order of the table.
var rows = []string{
	"PIN", "key of a PIN", "the token's secret", "the token's root", "the root key", "private key of a key slot",
	sealedKey, "keys of the store", "keys of the SCM's lock", "agreed secret", "value of an object", broughtIn, "data that is locked", nameOfObject,
}

// table is what SECURITY.md says.
func table(strict, inherit census) string {
	var b strings.Builder
	b.WriteString("| secret | logged in | core dump then | child then | child, `inherit` | child that uses the module | C_Logout | child then | C_Finalize |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, kind := range rows {
		fmt.Fprintf(&b, "| %s", kind)
		in := strict["logged in"][kind]
		cells := []int{
			in.wiped + in.outside(), in.dumped, strict["child"][kind].all(), inherit["child"][kind].all(),
			strict["child with the module"][kind].all(), strict["logged out"][kind].all(),
			strict["child after logout"][kind].all(), strict["finalized"][kind].all(),
		}
		for _, n := range cells {
			fmt.Fprintf(&b, " | %s", cell(kind, n))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

func cell(kind string, n int) string {
	if kind == nameOfObject && n > 0 || (kind == sealedKey || kind == broughtIn) && n > 1 {
		return "some"
	}
	return fmt.Sprint(n)
}

// TestCoreFile looks into the file that the kernel writes of a host that is logged in.
func TestCoreFile(t *testing.T) {
	needsCleaning(t)
	var core []byte
	var needles []needle
	t.Run("host", func(t *testing.T) {
		h := startHost(t, "strict", func(cmd *exec.Cmd, _ error) { core = coreFile(t, cmd.Dir) }, "abort")
		for stage, ok := "", true; stage != "logged in"; h.goOn() {
			if stage, _, ok = h.next(); !ok {
				t.Fatal("the host has ended")
			}
		}
		needles = append(h.needles, tokenSecrets(t, h.dir)...)
	})
	if core == nil {
		t.Skip("the kernel writes no core files here")
	}
	for _, n := range needles {
		if found := copies(core, n.bytes); found > 0 && n.kind != nameOfObject {
			t.Errorf("%s %s is %d times in the core file", n.kind, n.form, found)
		}
	}
}

func coreFile(t *testing.T, dir string) []byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "core*"))
	if err != nil || len(names) == 0 {
		return nil
	}
	core, err := os.ReadFile(names[0])
	if err != nil {
		t.Error(err)
	}
	return core
}
