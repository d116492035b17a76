// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// command is a line of a block of code on a page, or what it stands for.
var command = regexp.MustCompile(`(?m)^(zk_pkcs11-util [^#\n]*?)\s*(#.*)?$`)

// blocks are the blocks of code on a page that stand alone.
var blocks = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// commandsOf are the lines of a page, but for those of the block that TestPages runs.
func commandsOf(t *testing.T, page string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks.FindAllStringSubmatch(string(marked.ReplaceAll(text, nil)), -1) {
		found := command.FindAllStringSubmatch(block[1], -1)
		if n := strings.Count(strings.TrimRight(block[1], "\n"), "\n") + 1; len(found) != n {
			t.Errorf("%s: %d lines, of which %d are commands of the tool:\n%s", page, n, len(found), block[1])
		}
		for _, line := range found {
			lines = append(lines, line[1])
		}
	}
	return lines
}

// pageShell runs lines of pages, each with what is typed when it asks.
type pageShell struct {
	t    *testing.T
	home *harness.Home
	dir  string
	at   map[string]string // what paths of the pages stand for
}

func newPageShell(t *testing.T, at map[string]string) *pageShell {
	t.Helper()
	harness.Need(t, "bash")
	home := harness.NewHome(t)
	home.Init()
	home.Set("PATH", filepath.Dir(harness.Build(t, "zk_pkcs11-util"))+":"+os.Getenv("PATH"))
	home.Set("SOFTHSM2_CONF", os.Getenv("SOFTHSM2_CONF"))
	return &pageShell{t, home, t.TempDir(), at}
}

func (x *pageShell) run(line, typed string) (out string) {
	x.t.Helper()
	for path, here := range x.at {
		line = strings.ReplaceAll(line, path, here)
	}
	cmd := x.home.Command("bash", "-euc", line)
	cmd.Dir, cmd.Stdin = x.dir, strings.NewReader(typed)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Run(); err != nil {
		x.t.Errorf("%s: %v\n%s", line, err, both.String())
	}
	return both.String()
}

// TestImportCommands: each further line of the page on SoftHSM2 brings over what it says.
func TestImportCommands(t *testing.T) {
	s := newSoftHSM(t)
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "server", true, ofCurve("p256"))
	x := newPageShell(t, nil)
	m := made{t, x.dir}
	m.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout server.pem -out server.crt -subj /CN=server -days 9")
	m.run("openssl pkcs12 -export -inkey server.pem -in server.crt -out server.p12 -passout pass:secret")
	m.run("ssh-keygen -q -t ed25519 -f id_ed25519 -N NONE")
	mine := harness.UserPIN + "\n"
	for _, line := range commandsOf(t, "from-softhsm.md") {
		typed, want := mine, "2 of 2 objects imported"
		switch {
		case strings.Contains(line, "--from"):
			typed = softPIN + "\n" + mine
		case strings.Contains(line, "pkcs12"):
			typed, want = "secret\n"+mine, "1 of 3 objects imported" // the key is there
		}
		if out := x.run(line, typed); !strings.Contains(out, want) {
			t.Errorf("%s: %s", line, out)
		}
	}
}

// TestRecoveryCommands: each line of the page on recovery, in its order.
func TestRecoveryCommands(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newPageShell(t, map[string]string{"/backup/token": filepath.Join(t.TempDir(), "token")})
	pin, words := harness.UserPIN+"\n", ""
	for _, line := range commandsOf(t, "recovery.md") {
		typed := pin
		if strings.Contains(line, "check") || strings.Contains(line, "recovery restore") {
			typed = words + "\n"
		}
		out := x.run(line, typed)
		if strings.Contains(line, "recovery create") {
			words = fmt.Sprint(regexp.MustCompile(`\b\d+ [a-z]+ `).FindAllString(out, 24))
		}
		if strings.Contains(line, "token restore") {
			x.removesWhatIsLeft(out)
		}
	}
}

// removesWhatIsLeft runs the command that a restore names for it.
func (x *pageShell) removesWhatIsLeft(out string) {
	x.t.Helper()
	found := regexp.MustCompile(`(?m)^ {2}(rm -r (\S+))$`).FindStringSubmatch(out)
	if found == nil || !strings.Contains(out, "with its keys and PINs") {
		x.t.Fatalf("it does not say what is left: %s", out)
	}
	if _, err := os.Stat(filepath.Join(found[2], "token.db")); err != nil {
		x.t.Errorf("the directory of before: %v", err)
	}
	x.run(found[1], "")
	if left, err := filepath.Glob(x.home.Dir + ".*"); err != nil || len(left) > 0 {
		x.t.Errorf("%q are left, %v", left, err)
	}
}
