// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"sync/atomic"
	"time"
)

// Provider answers the functions of PKCS#11. Make one with [New]; its methods
// may be called from any number of goroutines.
type Provider struct {
	options Options
	log     Logger
	slots   []*slot

	// calls is held for reading by every call and for writing by Close.
	calls   sync.RWMutex
	closing atomic.Bool // Close has begun
	closed  bool
	done    chan struct{} // closed by Close, ends C_WaitForSlotEvent

	sessions  sessionTable
	promises  promises
	inherited map[uint]uint  // handles of the parent's sessions, and their slots
	handles   *atomic.Uint64 // the last handle given that was counted
}

// New returns a provider with the slots of the options. It opens nothing: a
// device and its store are opened by the first call that needs them.
func New(o Options) *Provider {
	p := &Provider{options: o, log: o.Log, handles: o.Handles, done: make(chan struct{})}
	if p.handles == nil {
		p.handles = new(atomic.Uint64)
	}
	if p.log == nil {
		p.log = quiet{}
	}
	if p.options.Pause == nil {
		p.options.Pause = time.Sleep
	}
	for i, so := range o.Slots {
		s := &slot{provider: p, id: uint(i), options: so}
		s.mu.Pause = p.options.Pause
		p.slots = append(p.slots, s)
	}
	if o.Estate != nil {
		p.inherit()
	}
	return p
}

// Close ends the provider: it waits for the calls that are running, closes all
// sessions and the devices. Every later call, another Close too, answers
// CKR_CRYPTOKI_NOT_INITIALIZED.
func (p *Provider) Close() error {
	if p.closing.Swap(true) {
		return CKR_CRYPTOKI_NOT_INITIALIZED
	}
	close(p.done)
	p.calls.Lock()
	defer p.calls.Unlock()
	p.closed = true
	for _, s := range p.slots {
		p.dropPromises(s)
		s.close()
	}
	return nil
}
