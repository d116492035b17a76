// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Many programs look at each token of the system and have no use for this one. A soft SCM
// that nobody has used is not made for them: they are told what it will be, a token that is
// not initialised. The first session makes it, and C_InitToken.

// abilities is what tells which mechanisms a token has: its device, or that which will be made.
type abilities struct {
	device Unmade
	slot   *slot
}

func (t *token) abilities() abilities { return abilities{t.device, t.slot} }

// unmade returns the device that opening the slot's would make, and nil when it is there or makes
// none. Callers are told of its token as of one that is there.
func (s *slot) unmade() Unmade {
	if s.options.Unmade == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.stage != absent {
		return nil
	}
	device := s.options.Unmade()
	if device != nil && s.life.asked.IsZero() {
		s.life.announced = true // no event when it is made
	}
	return device
}

// Unmade reports whether there is no device yet behind a slot, and its serial number may be another
// one when there is.
func (p *Provider) Unmade(slot uint) bool {
	_, unmade := p.unmadeAbilities(slot)
	return unmade
}

func (s *slot) isUnmade() bool { return s.unmade() != nil }

// hasSoughtToken reports whether soughtToken finds one, or one will be made.
func (s *slot) hasSoughtToken() bool {
	_, there := s.soughtDevice()
	return there
}

// soughtDevice is the device of soughtToken, or the one that will be made. It reports whether there is one.
func (s *slot) soughtDevice() (Unmade, bool) {
	if device := s.unmade(); device != nil {
		return device, true
	}
	t, err := s.soughtToken()
	if err != nil {
		return nil, false
	}
	return t.device, true
}

// unmadeAbilities returns those of a slot, and reports whether its device is not made yet.
func (p *Provider) unmadeAbilities(id uint) (abilities, bool) {
	if p.enter() != nil {
		return abilities{}, false
	}
	defer p.leave()
	s, err := p.slot(id)
	if err != nil {
		return abilities{}, false
	}
	device := s.unmade()
	return abilities{device, s}, device != nil
}

// unmadeInfo describes a token that is not initialised.
func (m abilities) unmadeInfo() (TokenInfo, error) {
	d, err := m.device.Info()
	if err != nil {
		return TokenInfo{}, err
	}
	info := infoOf(d)
	info.Session = uint(len(m.slot.provider.promises.ofSlot(m.slot)))
	return info, nil
}
