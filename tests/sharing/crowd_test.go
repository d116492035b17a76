// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// crowd is how many processes use a token at the same time.
const crowd = 16

// TestCrowd has processes create, find, set and destroy objects, sign, log in again and
// change the PIN, all at the same time. Every answer is one that has to be, and each
// process finds every change that another had been told is done before it began to look.
func TestCrowd(t *testing.T) {
	harness.SoftOnly(t, harness.NoPlace)
	home, p := newToken(t), build(t)
	l := &ledger{pin: harness.UserPIN}
	changingPIN := &sync.Mutex{}
	var members []*member
	began := time.Now()
	end := began.Add(size(30*time.Second, 10*time.Minute))
	var all sync.WaitGroup
	for i := range crowd {
		m := &member{ledger: l, number: i, changingPIN: changingPIN, made: map[string]int{}}
		members = append(members, m)
		all.Go(func() {
			m.err = m.begin(p, home)
			for time.Now().Before(end) && m.err == nil {
				m.err = m.act()
				time.Sleep(rand.N(40 * time.Millisecond))
			}
		})
	}
	all.Wait()
	took, made := []time.Duration{}, map[string]int{}
	for _, m := range members {
		took = append(took, m.took...)
		for what, n := range m.made {
			made[what] += n
		}
		if m.err != nil {
			t.Errorf("process %d: %v\n%s", m.number, m.err, m.log())
		}
	}
	slices.Sort(took)
	p99 := part(took, 0.99)
	t.Logf("%d processes, %v: %v; signatures: median %v, p99 %v (%.1f medians), slowest %v",
		crowd, time.Since(began).Round(time.Second), made, middle(took), p99, float64(p99)/float64(middle(took)), last(took))
}

// member is one process of the crowd.
type member struct {
	*client
	ledger      *ledger
	number      int
	changingPIN *sync.Mutex
	made        map[string]int // what was done, and how often
	took        []time.Duration
	err         error
}

// log is what the module has logged in the process, if there is one.
func (m *member) log() string {
	if m.client == nil {
		return ""
	}
	return m.stderr.String()
}

// begin starts the process.
func (m *member) begin(p *program, home *harness.Home) (err error) {
	if m.client, err = p.start(home); err != nil {
		return err
	}
	_, err = m.do("initialize")
	_, err2 := m.do("open")
	return errors.Join(err, err2, m.logIn())
}

// act does something.
func (m *member) act() error {
	switch n := rand.N(100); {
	case n < 10:
		return m.create()
	case n < 20:
		return m.set()
	case n < 30:
		return m.destroy()
	case n < 32:
		return m.pair()
	case n < 60:
		return m.look()
	case n < 64:
		return m.list()
	case n < 97:
		return m.sign()
	case n < 99:
		return m.logInAgain()
	}
	return m.changePIN()
}

// alive is about how many objects there are.
const alive = 150

func (m *member) create() error {
	if _, n := m.ledger.any(func(*object) bool { return false }); n > alive {
		return m.destroy()
	}
	m.made["created"]++
	o := m.ledger.begin(m.number, false)
	_, err := m.do(fmt.Sprintf("create %s %s %d", o.label, o.value, rand.N(2)))
	m.ledger.end(o, func(*object) {})
	return err
}

// set changes an object of this process, which others may destroy.
func (m *member) set() error {
	o, _ := m.ledger.any(func(o *object) bool { return o.owner == m.number && !o.pair && !o.gone && o.underWay == 0 })
	if o == nil {
		return m.create()
	}
	m.made["set"]++
	value := fmt.Sprint("v", rand.Int())
	before := m.ledger.touch(o)
	a, err := m.ask("set " + o.label + " " + value)
	after := m.ledger.end(o, func(o *object) {
		if a.rv == pkcs11.CKR_OK {
			o.value = value
		}
	})
	if err != nil {
		return err
	}
	return contested("set", before, after, a.rv)
}

// contested reports whether a change that others may have been in the way of has come
// out as it may: the object was there, or somebody was about to destroy it.
func contested(what string, before, after object, rv pkcs11.Error) error {
	const own = 1 // move: the begin of this change
	undisturbed := before.underWay == 0 && after.moves == before.moves+own
	switch {
	case rv == pkcs11.CKR_OK && !before.gone:
		return nil
	case rv == pkcs11.CKR_OBJECT_HANDLE_INVALID && (before.gone || !undisturbed):
		return nil
	}
	return fmt.Errorf("%s %s, which was gone: %v, disturbed: %v: %w", what, before.label, before.gone, !undisturbed, rv)
}

// destroy destroys an object of any process, at the same time as others may do.
func (m *member) destroy() error {
	o, _ := m.ledger.any(func(o *object) bool { return !o.pair && !o.gone })
	if o == nil {
		return nil
	}
	before := m.ledger.touch(o)
	a, err := m.ask("destroy data " + o.label)
	after := m.ledger.end(o, func(o *object) { o.gone = o.gone || a.rv == pkcs11.CKR_OK })
	if err != nil {
		return err
	}
	if a.rv == pkcs11.CKR_OK {
		m.made["destroyed"]++
		if after.gone {
			return fmt.Errorf("%s was destroyed twice", o.label)
		}
	}
	return contested("destroy", before, after, a.rv)
}

// pair makes a key pair, or destroys one that this process has made.
func (m *member) pair() error {
	o, _ := m.ledger.any(func(o *object) bool { return o.owner == m.number && o.pair && !o.gone })
	if o == nil {
		m.made["pairs made"]++
		o = m.ledger.begin(m.number, true)
		_, err := m.do("pair " + o.label)
		m.ledger.end(o, func(*object) {})
		return err
	}
	m.made["pairs destroyed"]++
	m.ledger.touch(o)
	_, err := m.do("destroy private " + o.label)
	_, err2 := m.do("destroy public " + o.label)
	m.ledger.end(o, func(o *object) { o.gone = true })
	return errors.Join(err, err2)
}

// look searches for an object of any process.
func (m *member) look() error {
	o, _ := m.ledger.any(func(*object) bool { return true })
	if o == nil {
		return nil
	}
	before := m.ledger.now(o)
	command := "look data "
	if o.pair {
		command = "prove "
	}
	a, err := m.ask(command + o.label)
	if err != nil {
		return err
	}
	after := m.ledger.now(o)
	m.seen(before, after)
	if o.pair && a.rv != pkcs11.CKR_OK && !settled(before, after) {
		return takenAway(a.rv)
	}
	return judge(before, after, a.rv, strings.Join(a.words, " "))
}

// takenAway reports whether the code is one for a key that is destroyed while it is used.
func takenAway(rv pkcs11.Error) error {
	switch rv {
	case pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_FUNCTION_FAILED:
		return nil
	}
	return fmt.Errorf("a key that is destroyed meanwhile: %w", rv)
}

// seen counts a look at an object.
func (m *member) seen(before, after object) {
	if settled(before, after) {
		m.made["seen"]++
	} else {
		m.made["seen in a change"]++
	}
}

// list searches for all objects.
func (m *member) list() error {
	before := m.ledger.all()
	a, err := m.do("list data")
	if err != nil {
		return err
	}
	found := map[string]string{}
	for _, word := range a.words {
		label, value, _ := strings.Cut(word, "=")
		if _, twice := found[label]; twice {
			return fmt.Errorf("a search finds %s twice", label)
		}
		found[label] = value
	}
	for o, was := range before {
		value, there := found[o.label]
		rv := pkcs11.Error(pkcs11.CKR_OK)
		if !there {
			rv = pkcs11.CKR_OBJECT_HANDLE_INVALID
		}
		now := m.ledger.now(o)
		if o.pair {
			continue
		}
		m.seen(was, now)
		if err := judge(was, now, rv, value); err != nil {
			return err
		}
	}
	return nil
}

func (m *member) sign() error {
	a, err := m.do("sign 1 0")
	if err != nil {
		return err
	}
	_, took := a.signatures()
	m.made["signatures"] += len(took)
	m.took = append(m.took, took...)
	return nil
}

// logInAgain logs the user out, and in again.
func (m *member) logInAgain() error {
	if _, err := m.do("logout"); err != nil {
		return err
	}
	return m.logIn()
}

// logIn logs the user in. The PIN may change meanwhile.
func (m *member) logIn() error {
	for {
		pin, before := m.ledger.currentPIN()
		a, err := m.ask("login " + pin)
		if err != nil {
			return err
		}
		if _, after := m.ledger.currentPIN(); a.rv == pkcs11.CKR_PIN_INCORRECT && (before%2 == 1 || before != after) {
			m.made["logins with an old PIN"]++
			m.awaitPIN()
			continue
		}
		if a.rv != pkcs11.CKR_OK {
			return fmt.Errorf("login: %w", a.rv)
		}
		m.made["logins"]++
		_, err = m.do("key")
		return err
	}
}

// changePIN changes the PIN, which one process does at a time.
func (m *member) changePIN() error {
	m.changingPIN.Lock()
	defer m.changingPIN.Unlock()
	m.made["PINs set"]++
	old, _ := m.ledger.currentPIN()
	pin := fmt.Sprint(10000000 + rand.N(90000000))
	m.ledger.movePIN(old) // a login may meet the one or the other
	_, err := m.do("set-pin " + old + " " + pin)
	m.ledger.movePIN(pin)
	return err
}

// awaitPIN waits until nobody changes the PIN: ten wrong ones in a row would lock it.
func (m *member) awaitPIN() {
	m.changingPIN.Lock()
	defer m.changingPIN.Unlock()
}
