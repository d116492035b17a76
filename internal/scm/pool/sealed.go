// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// sealed is a pool whose first device is sealed. Its members are sealed to the same secret: a
// copy of the state of any of them gives no private key away without the token's PIN.
type sealed struct {
	*core
	sealer scm.Sealer
}

// errOthers is of a member whose keys this token does not open.
var errOthers = errors.New("its keys are sealed to another secret than that of this token: " +
	"make it anew from the words (zk_pkcs11-util scm reset --member SCM, then scm wallet restore)")

// Prepare is scm.Sealer.Prepare. A member that fails at it is sealed to what it was, and left out
// from the login on.
func (p *sealed) Prepare(secret []byte) error {
	if err := p.sealer.Prepare(secret); err != nil {
		return err
	}
	for _, m := range p.members[1:] {
		s, can := m.opened().(scm.Sealer)
		if !can {
			continue
		}
		if err := s.Prepare(secret); err != nil {
			p.leaveOut(m, err)
		}
	}
	return nil
}

// Unseal is scm.Sealer.Unseal. Members that are not sealed yet are sealed to the secret, if the
// first is; those that another secret opens are left out.
func (p *sealed) Unseal(pass []byte) error {
	if err := p.sealer.Unseal(pass); err != nil {
		return err
	}
	p.keepSecret(pass)
	p.open.Store(true)
	for _, m := range p.members[1:] {
		if m.opened() == nil {
			continue
		}
		if err := p.unsealMember(m); err != nil {
			p.leaveOut(m, err)
		}
	}
	return nil
}

// Forget is scm.Sealer.Forget.
func (p *sealed) Forget() {
	p.open.Store(false)
	p.keepSecret(nil)
	p.sealer.Forget()
	for _, m := range p.members[1:] {
		if s, can := m.opened().(scm.Sealer); can {
			s.Forget()
		}
	}
}

// keepSecret has members that come later be unsealed, too, until it is called with nil.
func (c *core) keepSecret(pass []byte) {
	c.login.Lock()
	defer c.login.Unlock()
	c.secret.Destroy()
	c.secret = nil
	if pass != nil {
		c.secret = secret.New(len(pass))
		copy(c.secret.Bytes(), pass)
	}
}

// unsealMember unseals a member if somebody is logged in, and returns an error while its keys cannot be used.
func (c *core) unsealMember(m *member) error {
	d := m.opened()
	s, can := d.(scm.Sealer)
	if m.isFirst() || !can {
		return nil
	}
	c.login.Lock()
	defer c.login.Unlock()
	if pass := c.secret.Bytes(); pass != nil {
		if err := c.unseal(s, pass); err != nil {
			return err
		}
	}
	if u, can := d.(interface{ Unsealed() error }); can && c.open.Load() {
		return u.Unsealed()
	}
	return nil
}

// unseal opens a member with the token's secret, and seals one to it that nothing seals.
func (c *core) unseal(s scm.Sealer, pass []byte) error {
	err := s.Unseal(pass)
	if errors.Is(err, scm.ErrSecret) {
		return fmt.Errorf("%w: %w", errOthers, err)
	}
	if err != nil || !c.isSealedTo(pass) || !isUnsealable(s) {
		return err
	}
	if err := s.Prepare(pass); err != nil && !errors.Is(err, scm.ErrReadOnly) && !errors.Is(err, scm.ErrFull) {
		return err
	}
	return s.Unseal(pass)
}

// isSealedTo reports whether this secret, and no other, opens the first device.
func (c *core) isSealedTo(pass []byte) bool {
	b, can := c.first.(scm.Bonded)
	if !can {
		return false
	}
	is, err := b.SealedTo(pass)
	return err == nil && is
}

// isUnsealable reports whether a member could be sealed, is not, and belongs to no token.
func isUnsealable(s scm.Sealer) bool {
	b, can := s.(scm.Bonded)
	if !can || !b.Seals() {
		return false
	}
	known, err := b.Bonds()
	return err == nil && !known.Sealed && known.Token == nil
}
