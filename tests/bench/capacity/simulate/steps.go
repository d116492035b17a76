// SPDX-License-Identifier: Apache-2.0

package simulate

import "time"

// take does what happens.
func (f *fleet) take(e event) {
	switch e.step {
	case comes:
		f.come(e.shake)
	case reaches:
		p := &f.pools[f.hosts[e.shake.host].pool]
		p.backlog.join(e.shake)
		f.serve(p)
	case signed:
		f.sign(e)
	case ends:
		f.end(e.shake)
	case fails:
		f.fail(&f.scms[0])
	case recovers:
		f.release(&f.scms[0])
	}
}

// come has a worker take the handshake, or it waits for one.
func (f *fleet) come(h *handshake) {
	if f.Rate > 0 {
		f.arrive(h.began)
	}
	host := &f.hosts[h.host]
	if host.idle == 0 {
		host.backlog.join(h)
		return
	}
	host.idle--
	f.work(h)
}

// work is that of a worker.
func (f *fleet) work(h *handshake) {
	if backlog := &f.hosts[h.host].backlog; f.Ahead && !backlog.isEmpty() {
		h.next = backlog.leave()
	}
	if h.resumed {
		f.after(f.Brief+f.drawn(f.BriefDelays), ends, h)
		return
	}
	before := f.drawn(f.FullDelays)
	if before > 0 && f.random.IntN(2) == 0 {
		before, h.delay = 0, before
	}
	f.after(f.Full+before+f.way()/2, reaches, h)
}

func (f *fleet) drawn(delays []time.Duration) time.Duration {
	if len(delays) == 0 {
		return 0
	}
	return delays[f.random.IntN(len(delays))]
}

// way is that of a signature besides the SCM.
func (f *fleet) way() time.Duration { return f.Link + f.Module }

// serve gives signatures that wait to SCMs that are free.
func (f *fleet) serve(p *pool) {
	for !p.free.isEmpty() && !p.backlog.isEmpty() {
		h, s := p.backlog.leave(), p.free.leave()
		s.making = h
		f.add(event{at: f.now + f.Device, step: signed, shake: h, by: s, made: s.made})
	}
}

// sign ends a signature, unless its SCM has gone away meanwhile: then another attempt is made already, or waits.
func (f *fleet) sign(e event) {
	s := e.by
	if s.made != e.made {
		return
	}
	s.making = nil
	s.made++
	f.after(f.way()-f.way()/2+e.shake.delay, ends, e.shake)
	f.release(s)
}

// release has an SCM be free.
func (f *fleet) release(s *scm) {
	p := &f.pools[s.pool]
	p.free.join(s)
	f.serve(p)
}

// end gives the worker to the next handshake, and the client begins another.
func (f *fleet) end(h *handshake) {
	f.results = append(f.results, Handshake{Number: h.number, Host: h.host, Resumed: h.resumed, Began: h.began, Took: f.now - h.began})
	if f.Rate == 0 {
		f.start(h.host, f.now)
	}
	host := &f.hosts[h.host]
	switch {
	case h.next != nil:
		f.work(h.next)
	case host.backlog.isEmpty():
		host.idle++
	default:
		f.work(host.backlog.leave())
	}
}

// fail takes an SCM away. What it was making is made again, by another one or when it is back.
func (f *fleet) fail(s *scm) {
	p := &f.pools[s.pool]
	if s.making == nil {
		p.free.remove(func(free *scm) bool { return free == s })
		return
	}
	p.backlog.rejoin(s.making)
	s.making = nil
	s.made++
	f.serve(p)
}
