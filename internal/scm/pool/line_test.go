// SPDX-License-Identifier: Apache-2.0

package pool_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/pool"
)

// elsewhere is a lock that another process has until it is told otherwise.
type elsewhere struct{ taken atomic.Bool }

func (e *elsewhere) TryTurn() (release func(), free bool) { return func() {}, !e.taken.Load() }
func (e *elsewhere) Close() error                         { return nil }
func (e *elsewhere) open() (pool.Turn, error)             { return e, nil }

// queued is a pool whose devices another process has, and a key of the first of them.
type queued struct {
	elsewhere
	t      *testing.T
	pool   scm.Device
	key    scm.Key
	paused func() // what is done in the first pause
	again  chan struct{}
	once   sync.Once
}

// newQueued makes such a pool, for which nobody waits yet.
func newQueued(t *testing.T) *queued {
	t.Helper()
	q := &queued{t: t, again: make(chan struct{}, 1)}
	first, other := open(t, t.TempDir()), open(t, t.TempDir())
	var err error
	q.key, err = first.Generate(scm.P256)
	must(t, err)
	member := pool.Member{Name: "other", Open: func() (scm.Device, error) { return other, nil }}
	q.pool = pool.New(first, q.open, []pool.Member{member}, pool.Options{Pause: q.pause})
	t.Cleanup(func() { q.pool.Close() })
	q.taken.Store(true)
	return q
}

// pause does what is to be done in the first pause, and tells of the others.
func (q *queued) pause(time.Duration) {
	first := false
	q.once.Do(func() { first = true })
	if first {
		q.paused()
		return
	}
	select {
	case q.again <- struct{}{}:
	default:
	}
}

func (q *queued) sign() {
	if _, err := q.pool.Sign(q.key.Slot, make([]byte, 32)); err != nil {
		q.t.Error(err)
	}
}

// TestFirstCome: a call that comes when another process has just given a member back waits for those that came before.
func TestFirstCome(t *testing.T) {
	q := newQueued(t)
	done := make(chan struct{})
	q.paused = func() {
		q.taken.Store(false)
		go func() {
			q.sign()
			close(done)
		}()
		select {
		case <-done:
			t.Error("the call that came later went first")
		case <-q.again:
		}
	}
	q.sign()
	<-done
}
