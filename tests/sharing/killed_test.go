// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

const (
	lanes = 4  // writers at the same time
	most  = 30 // objects of a lane
)

// TestKilledWriters kills processes at random moments, some of them before they have
// logged in, while others use the same token. After each kill another process finds
// what the writer had been told is done, and no half of a key pair. A process that comes to
// the token then finds no key pair without the names that it was to have.
func TestKilledWriters(t *testing.T) {
	harness.SoftOnly(t, harness.NoPlace)
	kills := size(200, 10000)
	k := &killing{t: t, home: newToken(t), program: build(t), began: time.Now(), kinds: map[string]int{}}
	var all []*lane
	for i := range lanes {
		checker, err := k.program.user(k.home)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &lane{killing: k, name: fmt.Sprintf("lane%d-", i), checker: checker, here: map[string]thing{}})
	}
	for k.kills < kills && k.unreadable == 0 {
		share := min(10, (kills-k.kills+lanes-1)/lanes)
		var running sync.WaitGroup
		for _, l := range all {
			running.Go(func() { l.kill(share) })
		}
		running.Wait()
		k.lookFromOutside(all)
	}
	for _, l := range all {
		if err := l.checker.end(); err != nil {
			t.Error(err)
		}
		k.hear(l.checker)
	}
	t.Logf("%d writers killed, %d of them before the login, %d in a change (%d of which were done, %v); %d changes acknowledged, %d lost; "+
		"half pairs %d, public halves lost with their private key %d, unnamed pairs left %d, false alarms %d; %d unreadable; %v",
		k.kills, k.early, k.inChange, k.done, k.kinds, k.acknowledged, k.lost, k.half, k.publicLost, k.unnamed, k.alarms, k.unreadable,
		time.Since(k.began).Round(time.Second))
}

// killing is what all lanes share.
type killing struct {
	t       *testing.T
	home    *harness.Home
	program *program
	began   time.Time

	mu                                   sync.Mutex
	kills, early, inChange, done         int
	acknowledged, lost, half, publicLost int
	unnamed, alarms, unreadable          int
	kinds                                map[string]int // of changes in which a writer was killed
}

// add counts.
func (k *killing) add(counter *int, n int) {
	k.mu.Lock()
	*counter += n
	k.mu.Unlock()
}

// note counts the change in which a writer was killed.
func (k *killing) note(c *change) {
	kind, what, _ := strings.Cut(c.command, " ")
	if kind == "destroy" {
		what, _, _ = strings.Cut(what, " ")
		kind += " " + what
	}
	k.mu.Lock()
	k.kinds[kind]++
	k.mu.Unlock()
}

// thing is what of a label is on the token: data with a value, or halves of a pair.
type thing struct {
	value           string
	private, public bool
	twice           bool // one of the halves is
}

// lane is one writer after the other, each of which changes objects of the lane.
type lane struct {
	*killing
	name    string
	checker *client
	count   int
	here    map[string]thing // what is on the token
	begun   *change          // that is not acknowledged
}

// change is one of a thing.
type change struct {
	command, label string
	from, to       thing
}

// kill has writers work, each until it is killed.
func (l *lane) kill(times int) {
	for range times {
		if err := l.killOne(); err != nil {
			l.add(&l.unreadable, 1)
			l.t.Errorf("%s: %v", l.name, err)
			return
		}
	}
}

// killOne has a new writer work until it is killed, at a moment that it does not know.
// Every other one is a user who is logged in.
func (l *lane) killOne() error {
	w, err := l.program.start(l.home)
	if err != nil {
		return err
	}
	early, user := rand.N(8) == 0, rand.N(2) == 0
	if early {
		w.killWithin(150 * time.Millisecond)
	}
	entered, err := l.enter(w, user)
	if err != nil || !entered && !early {
		return fmt.Errorf("a new process: %w\n%s", err, w.stderr.String())
	}
	if !early {
		w.killWithin(100 * time.Millisecond)
	}
	for alive := entered; alive && err == nil; {
		alive, err = l.change(w, user)
	}
	w.kill()
	if err != nil {
		return err
	}
	l.add(&l.kills, 1)
	if !entered {
		l.add(&l.early, 1)
	}
	return l.check()
}

// killWithin kills the process at a random moment.
func (c *client) killWithin(limit time.Duration) {
	time.AfterFunc(rand.N(limit), func() { _ = c.cmd.Process.Kill() }) // it may have ended
}

// enter has a writer come to its work, and reports whether it is not killed before.
func (l *lane) enter(w *client, user bool) (entered bool, err error) {
	commands := []string{"initialize", "open", "login " + harness.UserPIN}
	if !user {
		commands = commands[:2]
	}
	for _, command := range commands {
		a, err := w.ask(command)
		if err != nil {
			return false, nil
		}
		if a.rv != pkcs11.CKR_OK {
			return false, fmt.Errorf("%s: %w", command, a.rv)
		}
	}
	return true, nil
}

// change has the writer make a change, and notes it as done when it is acknowledged.
// It reports whether the writer is alive: one that does not answer has been killed.
func (l *lane) change(w *client, user bool) (alive bool, err error) {
	l.begun = l.next(user)
	a, err := w.ask(l.begun.command)
	if err != nil {
		return false, nil
	}
	if a.rv != pkcs11.CKR_OK {
		return false, fmt.Errorf("%s: %w", l.begun.command, a.rv)
	}
	l.settle(l.begun.to)
	l.add(&l.acknowledged, 1)
	return true, nil
}

// settle notes what has come of the change that was begun.
func (l *lane) settle(now thing) {
	if c := l.begun; now == (thing{}) {
		delete(l.here, c.label)
	} else {
		l.here[c.label] = now
	}
	l.begun = nil
}

// next chooses a change that the writer may make.
func (l *lane) next(user bool) *change {
	label, old := l.any(user)
	kind := rand.N(10)
	if len(l.here) >= most {
		kind = 9
	}
	switch {
	case label == "" || kind < 5:
		return l.more(user)
	case old.value != "" && kind < 8:
		l.count++
		value := fmt.Sprint("v", l.count)
		return &change{"set " + label + " " + value, label, old, thing{value: value}}
	case old.value != "":
		return &change{"destroy data " + label, label, old, thing{}}
	case old.private && (!old.public || rand.N(2) == 0):
		return &change{"destroy private " + label, label, old, thing{public: old.public}}
	}
	return &change{"destroy public " + label, label, old, thing{private: old.private}}
}

// more is the making of something new.
func (l *lane) more(user bool) *change {
	l.count++
	label, value := fmt.Sprint(l.name, open, l.count), fmt.Sprint("v", l.count)
	private := 0
	if user {
		switch rand.N(4) {
		case 0:
			label, private = fmt.Sprint(l.name, "private", l.count), 1
		case 1, 2:
			label = fmt.Sprint(l.name, "pair", l.count)
			return &change{"pair " + label, label, thing{}, thing{private: true, public: true}}
		}
	}
	return &change{fmt.Sprintf("create %s %s %d", label, value, private), label, thing{}, thing{value: value}}
}

// open is in the names of what needs no login.
const open = "open"

// any is something that is on the token and that the writer may change, if there is
// anything.
func (l *lane) any(user bool) (label string, what thing) {
	seen := 0
	for name, now := range l.here {
		if user || strings.HasPrefix(name, l.name+open) {
			if seen++; rand.N(seen) == 0 {
				label, what = name, now
			}
		}
	}
	return label, what
}

// check compares the token, as a process sees it that was there all the time, with
// what the writer of the lane has done.
func (l *lane) check() error {
	found, _, err := things(l.checker, l.name)
	if err != nil {
		return err
	}
	if c := l.begun; c != nil {
		l.add(&l.inChange, 1)
		l.note(c)
		switch now := found[c.label]; now {
		case c.to:
			l.add(&l.done, 1)
			l.settle(now)
		case c.from:
			l.settle(now)
		default:
			l.judge(c.command, now, c.to)
			l.settle(now)
		}
	}
	l.compare(found)
	return nil
}

// compare tells what is not as it was acknowledged.
func (l *lane) compare(found map[string]thing) {
	for label, want := range l.here {
		if now := found[label]; now != want {
			l.judge(label, now, want)
			l.here[label] = now
		}
	}
	for label, now := range found {
		if _, known := l.here[label]; !known {
			l.judge(label, now, thing{})
		}
	}
}

// judge counts what is wrong, by its kind.
func (l *lane) judge(what string, now, want thing) {
	switch {
	case strings.HasPrefix(what, "destroy private") && !now.public:
		l.add(&l.publicLost, 1)
	case strings.HasPrefix(what, "pair"):
		l.add(&l.half, 1)
	default:
		l.add(&l.lost, 1)
	}
	l.t.Errorf("%s: there is %+v, want %+v", what, now, want)
}

// things lists what is on the token with names that begin so, and how many key pairs
// nobody has named.
func things(c *client, prefix string) (found map[string]thing, unnamed []string, err error) {
	found = map[string]thing{}
	for _, class := range []string{"data", "private", "public"} {
		a, err := c.do("list " + class)
		if err != nil {
			return nil, nil, fmt.Errorf("%w\n%s", err, c.stderr.String())
		}
		for _, word := range a.words {
			label, value, _ := strings.Cut(word, "=")
			if !strings.HasPrefix(label, prefix) {
				if class == "private" && nameless(label) {
					unnamed = append(unnamed, label)
				}
				continue
			}
			now := found[label]
			switch class {
			case "data":
				now.value += value
			case "private":
				now.private, now.twice = true, now.private
			case "public":
				now.public, now.twice = true, now.public
			}
			found[label] = now
		}
	}
	return found, unnamed, nil
}

// nameless reports whether a key has the name that it has from its key slot, which is
// none of those that are always there.
func nameless(label string) bool {
	var slot int
	n, err := fmt.Sscanf(label, "SCM_slot_%d", &slot)
	return n == 1 && err == nil && slot >= 16
}

// lookFromOutside has a new process look while no writer is at work, and use each key
// pair that is whole.
func (k *killing) lookFromOutside(all []*lane) {
	c, err := k.program.user(k.home)
	if err != nil {
		k.unreadable++
		k.t.Errorf("a new process: %v\n%s", err, c.stderr.String())
		return
	}
	for _, l := range all {
		found, unnamed, err := things(c, l.name)
		if err != nil {
			k.unreadable++
			k.t.Error(err)
			return
		}
		l.compare(found)
		for label, what := range l.here {
			if what.private && what.public {
				if _, err := c.do("prove " + label); err != nil {
					k.half++
					k.t.Error(err)
				}
			}
		}
		if l == all[0] && len(unnamed) > 0 {
			k.unnamed += len(unnamed)
			k.t.Errorf("nobody has made %v", unnamed)
		}
	}
	if err := c.end(); err != nil {
		k.t.Error(err)
	}
	k.hear(c)
}

// hear counts what a process has logged that it should not: nothing is wrong with the token.
func (k *killing) hear(c *client) {
	for line := range strings.Lines(c.stderr.String()) {
		if strings.Contains(line, "error:") || strings.Contains(line, "warning:") {
			k.alarms++
			k.t.Errorf("logged: %s", line)
		}
	}
}
