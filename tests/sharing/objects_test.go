// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// BenchmarkObjects tells what the objects on a token cost those who do not use them: what
// signatures are left while another process changes the token, what a process takes to
// come to its first signature, and what the ends of sessions and logins take. "Empty" is
// a token without any objects, in the same run.
func BenchmarkObjects(b *testing.B) {
	s := newStore(b)
	for _, n := range []int{100, 1000, 10000, 100000} {
		if n > 10000 && testing.Short() {
			continue
		}
		s.fill(n)
		for _, m := range measurements {
			b.Run(fmt.Sprintf("%d/%s", n, m.name), func(b *testing.B) {
				x := m.prepare(b, s.program, s.copy(b), n)
				for b.Loop() {
					x.round()
				}
				b.ReportMetric(0, "ns/op") // of a round: says nothing
				for _, r := range x.rows() {
					b.ReportMetric(r.value, r.unit)
				}
			})
		}
	}
}

// TestObjects has the benchmark measure a little, so that it works when it is needed.
func TestObjects(t *testing.T) {
	s := newStore(t)
	s.fill(20)
	for _, m := range measurements {
		x := m.prepare(t, s.program, s.copy(t), 20)
		x.round()
		t.Logf("%s: %v", m.name, x.rows())
		if x.rows()[0].value <= 0 {
			t.Errorf("%s measures nothing", m.name)
		}
	}
}

// store is a token that gets more and more objects. It is in memory where that can be
// had, as each object is written to stable storage.
type store struct {
	t       testing.TB
	program *program
	home    *harness.Home
	objects int
}

func newStore(t testing.TB) *store {
	t.Helper()
	s := &store{t: t, program: build(t), home: harness.NewHome(t)}
	if dir, err := os.MkdirTemp("/dev/shm", "zk_pkcs11-"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		s.home.Dir = dir
		s.home.Set("ZK_PKCS11_HOME", dir)
	}
	s.home.Init()
	return s
}

// fill makes objects until there are n.
func (s *store) fill(n int) {
	s.t.Helper()
	c, err := s.program.user(s.home)
	if err == nil {
		_, err = c.do(fmt.Sprintf("fill %d %d", s.objects, n))
	}
	if err == nil {
		err = c.end()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.objects = n
}

// copy puts the token on the disk, where tokens are.
func (s *store) copy(t testing.TB) *harness.Home {
	t.Helper()
	home := harness.NewHome(t)
	files, err := filepath.Glob(filepath.Join(s.home.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	home.Run("cp", append(append([]string{"-a"}, files...), home.Dir)...)
	return home
}

// measurement is something to measure on a full token, and on an empty one beside it.
type measurement struct {
	name    string
	prepare func(t testing.TB, p *program, full *harness.Home, objects int) rounds
}

var measurements = []measurement{{"signing", prepareSigning}, {"opening", prepareOpening}, {"leaving", prepareLeaving}}

// rounds are what is measured again and again, and what comes of it.
type rounds interface {
	round()
	rows() []row
}

type row struct {
	value float64
	unit  string
}

func (r row) String() string { return fmt.Sprintf("%.2f %s", r.value, r.unit) }

// done ends a measurement that has failed.
func done(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// timed has a command done that must succeed, and returns what it took.
func timed(t testing.TB, c *client, command string) time.Duration {
	t.Helper()
	a, err := c.do(command)
	done(t, err)
	return a.took
}

// signing compares signatures while nobody changes anything with those while another
// process makes 100 changes a second.
type signing struct {
	t              testing.TB
	signer, writer *client
	alone, beside  []float64 // signatures a second
	changes        []float64 // a second
	slowest        time.Duration
}

func prepareSigning(t testing.TB, p *program, full *harness.Home, _ int) rounds {
	t.Helper()
	signer, err := p.signer(full)
	writer, err2 := p.user(full)
	done(t, err, err2)
	return &signing{t: t, signer: signer, writer: writer}
}

func (x *signing) round() {
	x.alone = append(x.alone, x.rate())
	var changing sync.WaitGroup
	changing.Go(func() {
		a, err := x.writer.do("change 600 100")
		if err != nil {
			x.t.Error(err)
			return
		}
		x.changes = append(x.changes, float64(a.number())/0.6)
	})
	x.beside = append(x.beside, x.rate())
	changing.Wait()
}

func (x *signing) rate() float64 {
	x.t.Helper()
	a, err := x.signer.do("sign 600 0")
	done(x.t, err)
	_, took := a.signatures()
	x.slowest = max(x.slowest, slices.Max(took))
	return float64(len(took)) / a.took.Seconds()
}

func (x *signing) rows() []row {
	alone, beside := median(x.alone), median(x.beside)
	return []row{{alone, "alone/s"}, {beside, "beside/s"}, {beside / alone, "ratio"}, {median(x.changes), "changes/s"}, {ms(x.slowest), "slowest-ms"}}
}

// opening measures new processes, up to their first signature.
type opening struct {
	t                testing.TB
	program          *program
	full, empty      *harness.Home
	user             *client // of the empty token
	pin, most, least []float64
	much, little     []float64 // resident memory
}

func prepareOpening(t testing.TB, p *program, full *harness.Home, _ int) rounds {
	t.Helper()
	empty := newToken(t)
	user, err := p.signer(empty)
	done(t, err)
	return &opening{t: t, program: p, full: full, empty: empty, user: user}
}

func (x *opening) round() {
	timed(x.t, x.user, "logout")
	x.pin = append(x.pin, ms(timed(x.t, x.user, "login "+harness.UserPIN)))
	took, memory := x.open(x.full)
	x.most, x.much = append(x.most, took), append(x.much, memory)
	took, memory = x.open(x.empty)
	x.least, x.little = append(x.least, took), append(x.little, memory)
}

func (x *opening) open(home *harness.Home) (took, memory float64) {
	x.t.Helper()
	c, err := x.program.start(home)
	done(x.t, err)
	for _, command := range []string{"initialize", "open", "login " + harness.UserPIN, "key"} {
		took += ms(timed(x.t, c, command))
	}
	a, err := c.do("resident")
	done(x.t, err, c.end())
	return took, float64(a.number()) / 1024
}

func (x *opening) rows() []row {
	pin := median(x.pin)
	return []row{
		{pin, "ms/PIN"}, {median(x.least), "ms/empty"}, {median(x.most), "ms/full"}, {median(x.most) - pin, "ms-over-PIN"},
		{median(x.little), "MB/empty"}, {median(x.much), "MB/full"}, {median(x.much) - median(x.little), "MB-more"},
	}
}

// leaving measures the ends of sessions that have no objects, and of logins, in a process
// that knows the objects of the token and has some in another session.
type leaving struct {
	t                   testing.TB
	full, empty         *client
	objects             int
	close, closeEmpty   []float64
	logout, logoutEmpty []float64
}

// ownObjects is the most session objects that are measured.
const ownObjects = 8000

func prepareLeaving(t testing.TB, p *program, full *harness.Home, objects int) rounds {
	t.Helper()
	x := &leaving{t: t, objects: min(objects, ownObjects)}
	var err, err2 error
	x.full, err = p.signer(full)
	x.empty, err2 = p.signer(newToken(t))
	done(t, err, err2)
	timed(t, x.full, fmt.Sprint("own ", x.objects))
	return x
}

func (x *leaving) round() {
	const often = 500
	sessions := fmt.Sprint("sessions ", often)
	timed(x.t, x.full, fmt.Sprint("look data filler-", x.objects-1)) // a private one: the process knows it
	x.close = append(x.close, us(timed(x.t, x.full, sessions)/often))
	x.closeEmpty = append(x.closeEmpty, us(timed(x.t, x.empty, sessions)/often))
	x.logout = append(x.logout, us(timed(x.t, x.full, "logout")))
	x.logoutEmpty = append(x.logoutEmpty, us(timed(x.t, x.empty, "logout")))
	for _, c := range []*client{x.full, x.empty} {
		timed(x.t, c, "login "+harness.UserPIN)
		timed(x.t, c, "key")
	}
}

func (x *leaving) rows() []row {
	end, endEmpty, out, outEmpty := median(x.close), median(x.closeEmpty), median(x.logout), median(x.logoutEmpty)
	return []row{
		{endEmpty, "us/close-empty"}, {end, "us/close"}, {end / endEmpty, "close-ratio"},
		{outEmpty, "us/logout-empty"}, {out, "us/logout"}, {out / outEmpty, "logout-ratio"},
	}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
