// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/store"

// PINState is what can be told of a PIN without knowing it. CK_TOKEN_INFO has no number for it.
type PINState struct {
	Set    bool
	Locked bool
	Left   int // wrong ones before it is locked
}

// PINs are those of a token.
type PINs struct{ User, SO PINState }

// PINsOf tells of the PINs of the token in a slot.
func (p *Provider) PINsOf(slot uint) (pins PINs, err error) {
	if p.Unmade(slot) {
		return pins, nil
	}
	t, err := p.awaitedToken(slot)
	if err != nil {
		return pins, err
	}
	defer t.done(&err)
	st, err := t.store.Token()
	if err != nil {
		return pins, err
	}
	return PINs{t.pinState(st, store.NormalUser), t.pinState(st, store.SO)}, nil
}

func (t *token) pinState(st store.Token, u store.User) PINState {
	pin := st.PINs[u]
	return PINState{pin.Set, pin.Locked, t.store.TriesLeft(u, pin)}
}
