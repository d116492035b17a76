// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// patience is how long a call may take, and how long until all works again when nothing is
// wrong any more: what longer hangs for good. A call waits five seconds for others at the
// most, and a busy machine takes its time besides.
const patience = 20 * time.Second

// TestFaults makes things go wrong while four processes sign: none crashes, no call
// takes long, no signature is by a wrong key, every failure has a code that the
// specification allows, and all sign again after each fault, without having started
// anew.
func TestFaults(t *testing.T) {
	x := newSCM(t)
	var signers []*process
	for range 4 {
		signers = append(signers, start(t, x.home, "sign"))
	}
	happened := map[string]int{}
	for _, f := range course() {
		for _, s := range signers {
			s.ask()
		}
		happened[f.name]++
		f.do(x)
		time.Sleep(rand.N(50 * time.Millisecond)) // the signers' turn
		f.mend(x)
	}
	t.Logf("what happened: %v", happened)
	for _, s := range signers {
		s.check(s.ask())
		s.end()
	}
}

// course is what goes wrong: each fault once, in any order, and with ZK_SOAK a hundred of them.
func course() (course []fault) {
	if os.Getenv("ZK_SOAK") == "" {
		for _, i := range rand.Perm(len(faults)) {
			course = append(course, faults[i])
		}
		return course
	}
	for range 100 {
		course = append(course, faults[rand.N(len(faults))])
	}
	return course
}

// check holds a report against what may be.
func (p *process) check(r report) {
	p.t.Helper()
	p.t.Logf("%d signatures, slowest call %v, answers %v", r.Signed, r.Slowest, r.Answers)
	if r.Signed == 0 {
		p.t.Error("a process has signed nothing")
	}
	if r.Slowest > patience {
		p.t.Errorf("a call took %v", r.Slowest)
	}
	for function, answers := range r.Answers {
		for code, n := range answers {
			if !slices.Contains(codes[function], code) {
				p.t.Errorf("%s answered %v, %d times\n%s", function, code, n, p.stderr.String())
			}
		}
	}
}
