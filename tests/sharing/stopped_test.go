// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// points is at how many points of a change the writer is stopped.
const points = 20

// hang is how long no call may take that waits for nobody. It is not a promise of
// speed: a call that waits for a writer that is stopped waits longer.
const hang = time.Second

// TestStoppedWriter stops a process by SIGSTOP at points that are spread over a change
// of the token. Other processes sign meanwhile, and search, as if nothing was. When the
// writer goes on its change is whole. With ZK_SOAK it stands still for a minute.
func TestStoppedWriter(t *testing.T) {
	harness.SoftOnly(t, "the vendor's C API is asked for each signature")
	p := build(t)
	for _, change := range []string{"create", "pair", "destroy"} {
		t.Run(change, func(t *testing.T) {
			first := newStand(t, p, change)
			steps := first.steps()
			stands := []*stand{first}
			if soak() { // a minute for each point, all at the same time
				for len(stands) < points {
					stands = append(stands, newStand(t, p, change))
				}
			}
			var all sync.WaitGroup
			for i, s := range stands {
				all.Go(func() { s.visit(steps, i, len(stands)) })
			}
			all.Wait()
			report(t, stands, len(steps))
		})
	}
}

// stand is a token with a process that changes it and one that signs.
type stand struct {
	t              *testing.T
	home           *harness.Home
	program        *program
	writer, signer *client
	change         string
	count          int          // of objects, for their names
	meanwhile      func() error // what the signer does while the writer stands still

	stops    []string // where the writer was stopped
	took     []time.Duration
	failures map[pkcs11.Error]int // of signatures
	search   time.Duration        // the slowest
	newest   time.Duration        // the slowest process that was new, until it had signed
	whole    int
}

func newStand(t *testing.T, p *program, change string) *stand {
	t.Helper()
	s := &stand{t: t, home: newToken(t), program: p, change: change, failures: map[pkcs11.Error]int{}}
	var err, err2 error
	s.writer, err = p.user(s.home)
	s.signer, err2 = p.signer(s.home)
	s.meanwhile = s.signAndSearch
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return s
}

// prepare names an object for the next change, and makes it if the change needs one.
// So the signer has something to read when the writer stops.
func (s *stand) prepare() (label string, err error) {
	s.count++
	label = fmt.Sprint(s.change, s.count)
	if s.change == "destroy" {
		_, err = s.writer.do("create " + label + " before 0")
	} else {
		_, err = s.writer.do("create other" + label + " before 0")
	}
	return label, err
}

// command is the change of an object.
func (s *stand) command(label string) string {
	switch s.change {
	case "pair":
		return "pair " + label
	case "destroy":
		return "destroy data " + label
	}
	return "create " + label + " after 0"
}

// isWhole reports whether the change is whole, as the other process sees it.
func (s *stand) isWhole(label string) (bool, error) {
	if s.change == "pair" {
		a, err := s.signer.ask("prove " + label)
		return a.rv == pkcs11.CKR_OK, err
	}
	a, err := s.signer.ask("look data " + label)
	if s.change == "destroy" {
		return a.rv == pkcs11.CKR_OBJECT_HANDLE_INVALID, err
	}
	return a.rv == pkcs11.CKR_OK && slices.Equal(a.words, []string{"after"}), err
}

// steps are those of a change that nobody stops.
func (s *stand) steps() []string {
	s.t.Helper()
	label, err := s.prepare()
	if err != nil {
		s.t.Fatal(err)
	}
	x, err := trace(s.writer.cmd.Process.Pid, s.home.Dir, 0)
	if errors.Is(err, errNoTracing) {
		s.t.Skip(err)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := s.writer.do(s.command(label))
	if err := errors.Join(err, <-x.ended); err != nil {
		s.t.Fatal(a, err)
	}
	if !slices.ContainsFunc(x.made, func(step string) bool { return strings.Contains(step, "sync ") }) {
		s.t.Fatalf("the main thread does not make the change: %v", x.made)
	}
	return x.made
}

// visit stops the writer at each point whose turn it is at this stand. It gives up when
// signatures fail, as each may have taken long.
func (s *stand) visit(steps []string, turn, turns int) {
	for i := turn; i < points && sum(s.failures) < 4; i += turns {
		step := 1 + i*len(steps)/points
		if err := s.stopAt(step); err != nil {
			s.t.Errorf("point %d, step %d of %d: %v", i, step, len(steps), err)
			return
		}
	}
}

// newcomer is a process that begins while the writer stands still: it opens the token, logs
// in, finds its key and signs.
func (s *stand) newcomer() error {
	began := time.Now()
	c, err := s.program.signer(s.home)
	if err == nil {
		defer c.kill()
		_, err = c.do("sign 1 0")
	}
	s.newest = max(s.newest, time.Since(began))
	if err != nil {
		s.t.Errorf("stopped %v, a new process: %v\n%s", s.stops[len(s.stops)-1], err, c.stderr.String())
	}
	return nil
}

// errTooFew tells that a change was made in fewer steps.
var errTooFew = errors.New("the change has no such step")

// stopAt stops the writer after a step of a change, or after an earlier one where a change
// has fewer.
func (s *stand) stopAt(step int) error {
	err := s.stopAfter(step)
	for ; errors.Is(err, errTooFew) && step > 1; step-- {
		err = s.stopAfter(step - 1)
	}
	return err
}

func (s *stand) stopAfter(step int) error {
	label, err := s.prepare()
	if err != nil {
		return err
	}
	pid := s.writer.cmd.Process.Pid
	x, err := trace(pid, s.home.Dir, step)
	if err != nil {
		return err
	}
	if err := s.writer.say(s.command(label)); err != nil {
		return err
	}
	if err := <-x.ended; err != nil {
		return err
	}
	if len(x.made) < step {
		a, err := s.writer.hear()
		return errors.Join(errTooFew, err, code(a.rv))
	}
	if err := awaitStopped(pid); err != nil {
		return err
	}
	s.stops = append(s.stops, x.made[step-1])
	err = errors.Join(s.meanwhile(), s.newcomer())
	if err := errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)); err != nil {
		return err
	}
	a, err := s.writer.hear()
	if err != nil {
		return err
	}
	whole, err := s.isWhole(label)
	if whole && a.rv == pkcs11.CKR_OK {
		s.whole++
	} else {
		s.t.Errorf("stopped after %v, the change answers %v, and is whole: %v", x.made, a.rv, whole)
	}
	return err
}

// code is the error of an answer, if it is one.
func code(rv pkcs11.Error) error {
	if rv == pkcs11.CKR_OK {
		return nil
	}
	return rv
}

// signAndSearch is what the other process does while the writer stands still.
func (s *stand) signAndSearch() error {
	const often = 1000 // microseconds
	a, err := s.signer.ask(fmt.Sprint("sign ", size(200, 60000), " ", often))
	if err != nil {
		return err
	}
	failed, took := a.signatures()
	s.took = append(s.took, took...)
	if a.rv != pkcs11.CKR_OK {
		s.failures[a.rv] += max(failed, 1)
	}
	a, err = s.signer.ask("list data")
	s.search = max(s.search, a.took)
	if err == nil && a.rv != pkcs11.CKR_OK {
		s.t.Errorf("a search while the writer stands after %s: %v", s.stops[len(s.stops)-1], a.rv)
	}
	return err
}

// report holds what was counted at all stands against what is promised.
func report(t *testing.T, stands []*stand, steps int) {
	t.Helper()
	var took []time.Duration
	where, failures, whole, search := map[string]int{}, map[pkcs11.Error]int{}, 0, time.Duration(0)
	for _, s := range stands {
		took = append(took, s.took...)
		for _, stop := range s.stops {
			where[stop]++
		}
		for rv, n := range s.failures {
			failures[rv] += n
		}
		whole += s.whole
		search = max(search, s.search)
	}
	slices.Sort(took)
	t.Logf("%s: %d stops in %d steps, %d changes whole; %d signatures, failed %v, slowest %v, median %v; slowest search %v; stopped after %v",
		stands[0].change, sum(where), steps, whole, len(took), failures, last(took), middle(took), search, where)
	if sum(where) != points || whole != points || len(failures) != 0 {
		t.Errorf("of %d stops %d were made, after which %d changes were whole; signatures failed: %v", points, sum(where), whole, failures)
	}
	if last(took) > hang || search > hang {
		t.Errorf("a signature took %v, a search %v: they have waited for the writer", last(took), search)
	}
}

func sum[K comparable](counts map[K]int) (n int) {
	for count := range maps.Values(counts) {
		n += count
	}
	return n
}

// middle and last are the median and the longest of sorted durations.
func middle(sorted []time.Duration) time.Duration { return part(sorted, 0.5) }
func last(sorted []time.Duration) time.Duration   { return part(sorted, 1) }

// part is the duration that a part of the sorted ones does not exceed.
func part(sorted []time.Duration, of float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(of*float64(len(sorted))), len(sorted)-1)]
}
