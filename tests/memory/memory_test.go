// SPDX-License-Identifier: Apache-2.0

// Package memory_test counts the secrets in the memory of hosts.
package memory_test

import (
	"bufio"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os/exec"
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

func startHost(t *testing.T, setting string) *host {
	t.Helper()
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_FORK", setting)
	cmd := home.Command(harness.Compile(t, "testdata/host.c"), harness.Module(t), rounds)
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
		if err := cmd.Wait(); err != nil {
			t.Errorf("host: %v", err)
		}
	})
	return &host{t: t, dir: home.Dir, cmd: cmd, out: bufio.NewReader(out), in: in, needles: hostSecrets()}
}

// next waits for the next stage, and returns it with the process that is in it.
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
			h.needles = append(h.needles, needle{"agreed secret", rest[:at], b})
			continue
		}
		if pid, err = strconv.Atoi(rest[at+1:]); err != nil {
			h.t.Fatal(err)
		}
		return rest[:at], pid, true
	}
}

func (h *host) goOn() {
	h.t.Helper()
	if _, err := h.in.Write([]byte{'\n'}); err != nil {
		h.t.Fatal(err)
	}
}

func TestCopies(t *testing.T) {
	if !cleans(t) {
		t.Skip("the module was not built with GOEXPERIMENT=runtimesecret, as make does")
	}
	harness.SoftOnly(t, "an SCM in hardware keeps its keys")
	for _, setting := range []string{"strict", "inherit"} {
		t.Run(setting, func(t *testing.T) {
			h := startHost(t, setting)
			for first := true; ; first = false {
				stage, pid, ok := h.next()
				if !ok {
					return
				}
				if first {
					h.needles = append(h.needles, tokenSecrets(t, h.dir, letters("PIN", 24))...)
				}
				for i, x := range image(t, pid, h.needles) {
					if x.outside() > 0 || x.wiped > 0 {
						n := h.needles[i]
						t.Logf("%s: %s (%s): %s", stage, n.kind, n.form, fmt.Sprintf("%d wiped, %d dumped, %d other %v", x.wiped, x.dumped, x.other, x.where))
					}
				}
				h.goOn()
			}
		})
	}
}

// cleans reports whether the module cleans up after functions that handle secrets.
func cleans(t *testing.T) bool {
	t.Helper()
	info, err := buildinfo.ReadFile(harness.Module(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == "GOEXPERIMENT" && strings.Contains(s.Value, "runtimesecret") {
			return true
		}
	}
	return false
}
