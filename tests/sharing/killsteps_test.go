// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// shortKills is about how many points of a change there are without ZK_SOAK.
const shortKills = 10

// TestKilledAtSteps kills a process between two system calls of a change of a key pair, at
// points that are spread over it, with ZK_SOAK at each of them. The next process finds a pair that is
// whole, or none, and each half that nobody has destroyed; it logs nothing.
func TestKilledAtSteps(t *testing.T) {
	harness.SoftOnly(t, harness.NoPlace)
	p := build(t)
	for name, c := range map[string]struct {
		change string
		may    []thing // be there afterwards
	}{
		"make":            {"pair", []thing{{}, {private: true, public: true}}},
		"destroy private": {"destroy private", []thing{{private: true, public: true}, {public: true}}},
		"destroy public":  {"destroy public", []thing{{private: true, public: true}, {private: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &stepKiller{t: t, home: newToken(t), program: p, change: c.change, may: c.may, counts: map[string]int{}}
			k.run()
			t.Logf("%d kills: %v", k.kills, k.counts)
			if len(k.counts) != len(c.may) {
				t.Errorf("not all of %v was seen", c.may)
			}
		})
	}
}

// stepKiller is a token on which one process after the other is killed in a change.
type stepKiller struct {
	t       *testing.T
	home    *harness.Home
	program *program
	change  string
	may     []thing

	kills  int
	counts map[string]int // what was left
}

// run kills at later and later steps, until there are no more. The last ones come after the
// change has been committed, which is late in some.
func (k *stepKiller) run() {
	all, err := k.kill(0)
	if errors.Is(err, errNoTracing) {
		k.t.Skip(err)
	}
	stride := size(max(1, all/shortKills), 1)
	for step := 1; err == nil; step += stride {
		var made int
		if made, err = k.kill(step); made < step {
			break
		}
	}
	for step := all - 3; err == nil && step <= all; step++ {
		_, err = k.kill(step)
	}
	if err != nil {
		k.t.Errorf("after %d kills: %v", k.kills, err)
	}
}

// kill has a process make a change, and kills it after a step; after 0 it lives. It returns
// how many steps there were.
func (k *stepKiller) kill(step int) (steps int, err error) {
	c, err := k.program.user(k.home)
	if err != nil {
		return 0, err
	}
	label := fmt.Sprintf("step%d-%d-", step, k.kills)
	if k.change != "pair" {
		if _, err := c.do("pair " + label); err != nil {
			return 0, err
		}
	}
	x, err := trace(c.cmd.Process.Pid, k.home.Dir, step)
	if err != nil {
		return 0, err
	}
	if err := c.say(k.change + " " + label); err != nil {
		return 0, err
	}
	if err := <-x.ended; err != nil {
		return 0, err
	}
	if len(x.made) < step || step == 0 {
		_, err := c.hear()
		return len(x.made), errors.Join(err, c.end())
	}
	if err := awaitStopped(c.cmd.Process.Pid); err != nil {
		return 0, err
	}
	c.kill()
	k.kills++
	return len(x.made), k.look(label, x.made[step-1])
}

// look has a new process look at what is left, and use it.
func (k *stepKiller) look(label, after string) error {
	c, err := k.program.user(k.home)
	if err != nil {
		return err
	}
	found, unnamed, err := things(c, label)
	if err != nil {
		return err
	}
	now := found[label]
	k.counts[fmt.Sprintf("private %v public %v", now.private, now.public)]++
	right := false
	for _, may := range k.may {
		right = right || now == may
	}
	if !right || len(unnamed) > 0 {
		k.t.Errorf("killed after %s: there is %+v, and nobody has made %v", after, now, unnamed)
	}
	if now.private && now.public {
		if _, err := c.do("prove " + label); err != nil {
			return err
		}
	}
	if err := c.end(); err != nil {
		return err
	}
	if log := c.stderr.String(); strings.Contains(log, "error:") || strings.Contains(log, "warning:") {
		k.t.Errorf("killed after %s: %s", after, log)
	}
	return nil
}
