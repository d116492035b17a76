// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

const (
	// words restore the wallet that all SCMs have.
	words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	// address is that of the key in it with which the tests sign.
	address  = "m/7h/0"
	keyLabel = "of all"
)

// pool is a slot with several soft SCMs.
type pool struct {
	*harness.Home
	t       testing.TB
	members []string // the state directories, that of the first SCM at first
	log     string
}

// newPool makes a pool of n SCMs that take 20 ms for a signature, and one at a time.
func newPool(t testing.TB, n int) *pool {
	t.Helper()
	harness.SoftOnly(t, "the hardware of a host is one SCM")
	p := &pool{Home: harness.NewHome(t), t: t}
	for i := range n {
		dir := filepath.Join(p.Dir, fmt.Sprintf("scm%d", i))
		p.restore(dir, i)
		p.members = append(p.members, dir)
	}
	p.log = filepath.Join(t.TempDir(), "log")
	p.Settings(p.settings())
	p.Init()
	p.nameKey()
	return p
}

// nameKey has the shared key be one that is found by its label.
func (p *pool) nameKey() {
	p.t.Helper()
	p.Run(p.tool(), "key", "name", "18", "--slot", "0", "--pin", harness.UserPIN, "--label", keyLabel)
}

func (p *pool) settings() string {
	var further []string
	for _, dir := range p.members[1:] {
		further = append(further, fmt.Sprintf("%q", filepath.Base(dir)))
	}
	return fmt.Sprintf("log.to = %q\nlog.level = \"info\"\n[soft]\nlatency_sign = \"20ms\"\none_at_a_time = true\n"+
		"[[slot]]\nname = \"scm0\"\nbackend = \"soft\"\npool = [%s]\n", p.log, strings.Join(further, ", "))
}

func (p *pool) tool() string { return harness.Build(p.t, "zk_pkcs11-util") }

// restore makes a soft SCM with the wallet in a directory. The key has slot 18 in the first one, and
// another one in the others.
func (p *pool) restore(dir string, spare int) {
	p.t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	cmd := p.on(dir, "wallet", "restore", "shared", "--curve", "nistp256")
	cmd.Stdin = strings.NewReader(words + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	for i := range spare {
		p.must(dir, "wallet", "child", "shared", fmt.Sprintf("m/%d", i))
	}
	p.must(dir, "wallet", "child", "shared", address)
}

// on prepares a command of the tool on one SCM alone.
func (p *pool) on(dir string, words ...string) *exec.Cmd {
	cmd := p.Command(p.tool(), append([]string{"scm"}, words...)...)
	cmd.Env = append(cmd.Env, "ZK_PKCS11_HOME="+dir, "ZK_PKCS11_CONF=")
	return cmd
}

// must runs a command of the tool on one SCM alone.
func (p *pool) must(dir string, words ...string) {
	p.t.Helper()
	if out, err := p.on(dir, words...).CombinedOutput(); err != nil {
		p.t.Fatalf("scm %v: %v\n%s", words, err, out)
	}
}

// process is one that signs.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	input io.WriteCloser
	lines *bufio.Reader
}

// start starts a process that signs when it is told to begin.
func (p *pool) start(threads, count int) *process {
	p.t.Helper()
	cmd := p.Role("sign")
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", threadsVariable, threads), fmt.Sprintf("%s=%d", countVariable, count))
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	x := &process{p.t, cmd, input, bufio.NewReader(output)}
	if line, err := x.lines.ReadString('\n'); err != nil || line != "ready\n" {
		p.t.Fatalf("%q, %v", line, err)
	}
	return x
}

// signal stops the process, or has it go on.
func (x *process) signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

func (x *process) begin() { fmt.Fprintln(x.input, "begin") }

// end waits for the report.
func (x *process) end() report {
	x.t.Helper()
	var r report
	err := json.NewDecoder(x.lines).Decode(&r)
	if ended := x.cmd.Wait(); err != nil || ended != nil {
		x.t.Fatal(err, ended)
	}
	return r
}

// sign has so many processes sign with so many threads each, with something done meanwhile, and
// returns the sum of their reports.
func (p *pool) sign(processes, threads, count int, meanwhile func()) report {
	p.t.Helper()
	var all []*process
	for range processes {
		all = append(all, p.start(threads, count))
	}
	for _, x := range all {
		x.begin()
	}
	meanwhile()
	var sum report
	for _, x := range all {
		sum.add(x.end())
	}
	return sum
}

func nothing() {}
