// SPDX-License-Identifier: Apache-2.0

package statefiles

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// TestTrials does one thing to one file, while a process uses the token or before it
// begins. The process does not crash nor hang, and signs by the right key or not at all;
// and what it is told was stored is there for the next one, if what was stored before is not
// damaged. With ZK_SEED it does again what it has done with that seed.
func TestTrials(t *testing.T) {
	harness.SoftOnly(t, "the files are those of the soft SCM")
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ZK_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	count := 500
	if soak() {
		count = 5000
	}
	const workers = 2
	t.Logf("ZK_SEED=%d", seed)
	var all sync.WaitGroup
	for i := range uint64(workers) {
		w := newWorker(t, rand.New(rand.NewPCG(seed, i)))
		all.Go(func() { w.work(count / workers) })
	}
	all.Wait()
}

// worker makes trials on a token of its own.
type worker struct {
	t           *testing.T
	rand        *rand.Rand
	home        *harness.Home
	gold, other string // how the directory is before each trial, and that of another token
	process     *process
	happened    map[string]int
}

func newWorker(t *testing.T, r *rand.Rand) *worker {
	t.Helper()
	w := &worker{t: t, rand: r, home: harness.NewHome(t), gold: t.TempDir(), happened: map[string]int{}}
	other := harness.NewHome(t)
	w.other = other.Dir
	for _, home := range []*harness.Home{w.home, other} {
		home.Init()
		p := start(t, home)
		for _, command := range []string{"begin", "create one", "create two", "create three"} {
			p.must(t, command)
		}
		p.kill() // so that there is something in the log
	}
	if err := copyAll(w.gold, w.home.Dir); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *worker) work(count int) {
	names, err := files(w.gold)
	if err != nil {
		w.t.Error(err)
		return
	}
	for i := range count {
		f, name := faults[w.rand.IntN(len(faults))], names[w.rand.IntN(len(names))]
		what := fmt.Sprintf("trial %d, %s %s", i, name, f.name)
		if err := w.trial(f, name); err != nil {
			w.t.Errorf("%s: %v", what, err)
			w.process = nil
		}
	}
	w.t.Logf("what the calls answered: %v", w.happened)
}

// trial is one fault.
func (w *worker) trial(f fault, name string) error {
	if err := copyAll(w.home.Dir, w.gold); err != nil {
		return err
	}
	if w.process == nil {
		w.process = start(w.t, w.home)
		for _, command := range []string{"begin", "sign", "end"} { // it learns which key is right
			if _, err := w.ask(w.process, command); err != nil {
				return err
			}
		}
	}
	p := w.process
	path, other := filepath.Join(w.home.Dir, name), filepath.Join(w.other, name)
	damage := func() error { return f.do(w.rand, path, other) }
	live := w.rand.IntN(3) > 0
	if !live {
		if err := damage(); err != nil {
			return err
		}
	}
	if _, err := w.ask(p, "begin"); err != nil {
		return err
	}
	if live {
		if _, err := w.ask(p, "sign"); err != nil {
			return err
		}
		if err := damage(); err != nil {
			return err
		}
	}
	stored, err := w.use(p)
	if err != nil {
		return err
	}
	if _, err := w.ask(p, "end"); err != nil {
		return err
	}
	return w.lookAgain(p, f, stored)
}

// use makes the calls of a trial, and reports whether something was stored.
func (w *worker) use(p *process) (stored bool, err error) {
	for _, command := range []string{"sign", "create after", "find after", "sign"} {
		a, err := w.ask(p, command)
		if err != nil {
			return false, err
		}
		ok := a.Code == pkcs11.CKR_OK
		if command == "create after" {
			stored = ok
		}
		if command == "find after" && ok && stored && a.Found != 1 {
			return false, fmt.Errorf("an object was stored, and %d are found", a.Found)
		}
	}
	return stored, nil
}

// lookAgain has the next user look for what was stored.
func (w *worker) lookAgain(p *process, f fault, stored bool) error {
	a, err := w.ask(p, "begin")
	if err != nil {
		return err
	}
	if f.whole && a.Code != pkcs11.CKR_OK {
		return fmt.Errorf("the next user gets %w\n%s", a.Code, p.stderr.String())
	}
	if a.Code == pkcs11.CKR_OK {
		a, err = w.ask(p, "find after")
		if err == nil && f.whole && stored && a.Found != 1 {
			err = fmt.Errorf("an object was stored, and the next user finds %d", a.Found)
		}
		if err != nil {
			return err
		}
		if _, err := w.ask(p, "sign"); err != nil {
			return err
		}
	}
	_, err = w.ask(p, "end")
	return err
}

// ask notes what is answered, and looks at signatures.
func (w *worker) ask(p *process, command string) (answer, error) {
	a, err := p.ask(command)
	w.happened[fmt.Sprintf("%s: %v", command, a.Code)]++
	if err == nil && a.Wrong {
		err = fmt.Errorf("%s: the signature is by another key", command)
	}
	return a, err
}
