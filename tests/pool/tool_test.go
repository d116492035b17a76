// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// told is what "scm pool --json" tells.
type told struct {
	SCMs []struct {
		Path    string `json:"state_directory"`
		Member  bool
		Answers bool
		Problem string
	}
	Keys []struct {
		Public string `json:"public_key"`
		HeldBy []struct {
			Path    string `json:"state_directory"`
			KeySlot int    `json:"key_slot"`
			Wallet  string
			Address string
		} `json:"held_by"`
	}
}

// tell runs "scm pool", which is to end well or not.
func (p *pool) tell(well bool) (r told) {
	p.t.Helper()
	out, err := p.Command(p.tool(), "scm", "pool", "--json").Output()
	if well != (err == nil) {
		p.t.Errorf("scm pool: %v", err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	return r
}

// TestTool: the tool tells which key the SCMs share, and where it is in each, and which SCM is left out.
func TestTool(t *testing.T) {
	p := newPool(t, 3)
	r := p.tell(true)
	if len(r.SCMs) != 3 || r.SCMs[0].Member || !r.SCMs[2].Member {
		t.Errorf("SCMs: %+v", r.SCMs)
	}
	shared := 0
	for _, k := range r.Keys {
		if len(k.HeldBy) != 3 || k.HeldBy[0].Address != "m/7'/0" {
			continue
		}
		shared++
		if first, last := k.HeldBy[0], k.HeldBy[2]; last.Address != first.Address || last.Wallet != "shared" || last.KeySlot == first.KeySlot {
			t.Errorf("%+v", k.HeldBy)
		}
	}
	if shared != 1 {
		t.Errorf("%d keys m/7'/0 in three SCMs: %+v", shared, r.Keys)
	}
	p.Run(p.tool(), "scm", "inject", "unbind", "--member", "scm2")
	if r := p.tell(false); r.SCMs[2].Answers || !strings.Contains(r.SCMs[2].Problem, "not bound") || !r.SCMs[0].Answers {
		t.Errorf("SCMs: %+v", r.SCMs)
	}
	if out := p.Run(p.tool(), "scm", "status"); !strings.Contains(out, "left out: not bound") || !strings.Contains(out, "in the pool") {
		t.Errorf("scm status: %s", out)
	}
	out, _ := p.Try(p.tool(), "doctor")
	if !strings.Contains(out, "pool-member-out") {
		t.Errorf("doctor: %s", out)
	}
}

// TestMember: an SCM that is lost is made anew by the tool, and programs take it up without another login.
func TestMember(t *testing.T) {
	p := newPool(t, 2)
	if err := os.RemoveAll(p.members[1]); err != nil {
		t.Fatal(err)
	}
	p.sign(1, 2, 200, func() {
		p.awaitLog("is left out")
		cmd := p.Command(p.tool(), "scm", "wallet", "restore", "shared", "--curve", "nistp256", "--member", filepath.Base(p.members[1]))
		cmd.Stdin = strings.NewReader(words + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		p.Run(p.tool(), "scm", "wallet", "child", "shared", address, "--member", p.members[1])
		p.awaitLog("is back after")
	}).check(t, 400)
	if out, err := p.Try(p.tool(), "scm", "status", "--member", "scm7"); err == nil || !strings.Contains(out, "scm1") {
		t.Errorf("a member that there is not: %v\n%s", err, out)
	}
}

// TestConflicts: an SCM that is in a pool is in no other one, and in no slot of its own.
func TestConflicts(t *testing.T) {
	h := harness.NewHome(t)
	h.Settings("[[slot]]\npool = [\"b\"]\n[[slot]]\nname = \"b\"\n")
	if out, err := h.Try(harness.Build(t, "zk_pkcs11-util"), "token", "list"); err == nil || !strings.Contains(out, "slot.pool: ") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSameName: a name in which the paths of two SCMs end is that of neither, so that no wrong one is reset.
func TestSameName(t *testing.T) {
	h := harness.NewHome(t)
	h.Settings("[[slot]]\nbackend = \"soft\"\npool = [\"a/scm\", \"b/scm\"]\n")
	tool := harness.Build(t, "zk_pkcs11-util")
	if out, err := h.Try(tool, "scm", "status", "--member", "scm"); err == nil || !strings.Contains(out, "b/scm") {
		t.Errorf("%v\n%s", err, out)
	}
	h.Run(tool, "scm", "status", "--member", filepath.Join(h.Dir, "b/scm"))
	if _, err := os.Stat(filepath.Join(h.Dir, "a/scm")); err == nil {
		t.Error("the other one is made")
	}
}
