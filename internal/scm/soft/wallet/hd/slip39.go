// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
)

// MaxShares is how many groups a secret can have, and how many members a group.
const MaxShares = 16

// MaxExponent is the highest exponent of a split.
const MaxExponent = 15

// Group says how the share of a group is split among its members.
type Group struct{ Members, Threshold int }

// Split splits a secret of at least 16 bytes, and an even number of them, by
// SLIP-0039 among groups: so many as the threshold recover it with the passphrase.
// What it returns is the share of each group, which Members splits further.
// ErrShares for numbers that make no sense.
func Split(secret []byte, passphrase string, groups, threshold, exponent int) ([]Share, error) {
	if err := checkSplit(secret, groups, threshold, exponent); err != nil {
		return nil, err
	}
	id := random(2)
	s := Share{
		ID: int(id[0]&0x7f)<<8 | int(id[1]), Extendable: true, Exponent: exponent,
		GroupThreshold: threshold, GroupCount: groups,
	}
	hidden, err := s.applyCipher(secret, passphrase, encryption)
	if err != nil {
		return nil, err
	}
	all := make([]Share, groups)
	for i, value := range splitSecret(threshold, groups, hidden) {
		all[i] = s
		all[i].Group, all[i].Value = i, value
	}
	return all, nil
}

// Members splits the share of a group among its members. ErrShares for a group that
// cannot be.
func (s Share) Members(g Group) ([]Share, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	s.MemberThreshold = g.Threshold
	all := make([]Share, g.Members)
	for i, value := range splitSecret(g.Threshold, g.Members, s.Value) {
		all[i] = s
		all[i].Member, all[i].Value = i, value
	}
	return all, nil
}

func checkSplit(secret []byte, groups, threshold, exponent int) error {
	if len(secret) < minValue || len(secret)%2 != 0 {
		return fmt.Errorf("secret of %d bytes: %w", len(secret), ErrShares)
	}
	if threshold < 1 || threshold > groups || groups > MaxShares {
		return fmt.Errorf("%d of %d groups: %w", threshold, groups, ErrShares)
	}
	if exponent < 0 || exponent > MaxExponent {
		return fmt.Errorf("exponent %d: %w", exponent, ErrShares)
	}
	return nil
}

// Check returns ErrShares for a group that cannot be. Of several members one alone
// must not be enough: all of them would have the same share.
func (g Group) Check() error {
	if g.Threshold < 1 || g.Threshold > g.Members || g.Members > MaxShares || g.Threshold == 1 && g.Members > 1 {
		return fmt.Errorf("group of %d members with a threshold of %d: %w", g.Members, g.Threshold, ErrShares)
	}
	return nil
}

// Recovery collects the shares of a secret. The zero value has none.
type Recovery struct {
	shares []Share
}

// Add adds a share. ErrShares for one that does not belong to those before it, or
// was there already.
func (r *Recovery) Add(s Share) error {
	for _, other := range r.shares {
		if err := s.checkFits(other); err != nil {
			return err
		}
	}
	r.shares = append(r.shares, s)
	return nil
}

// Erase forgets all shares, so that there are none again.
func (r *Recovery) Erase() {
	if r == nil {
		return
	}
	for _, s := range r.shares {
		s.Erase()
	}
	r.shares = nil
}

// Erase overwrites the value of a share.
func (s Share) Erase() { clear(s.Value) }

func (s Share) checkFits(o Share) error {
	switch {
	case s.ID != o.ID || s.Extendable != o.Extendable || s.Exponent != o.Exponent ||
		s.GroupThreshold != o.GroupThreshold || s.GroupCount != o.GroupCount || len(s.Value) != len(o.Value):
		return fmt.Errorf("share of another secret: %w", ErrShares)
	case s.Group == o.Group && s.MemberThreshold != o.MemberThreshold:
		return fmt.Errorf("share of another group %d: %w", s.Group, ErrShares)
	case s.Group == o.Group && s.Member == o.Member:
		return fmt.Errorf("member %d of group %d twice: %w", s.Member, s.Group, ErrShares)
	}
	return nil
}

// Complete reports whether there are enough shares to recover the secret.
func (r *Recovery) Complete() bool {
	return len(r.shares) > 0 && len(r.groups()) >= r.shares[0].GroupThreshold
}

// groups returns, of each group with enough shares, as many as are needed.
func (r *Recovery) groups() [][]Share {
	members := make([][]Share, MaxShares)
	for _, s := range r.shares {
		if len(members[s.Group]) < s.MemberThreshold {
			members[s.Group] = append(members[s.Group], s)
		}
	}
	return slices.DeleteFunc(members, func(g []Share) bool {
		return len(g) == 0 || len(g) < g[0].MemberThreshold
	})
}

// Secret recovers the secret. ErrShares when shares are missing or do not belong
// together; a wrong passphrase yields another secret.
func (r *Recovery) Secret(passphrase string) ([]byte, error) {
	if !r.Complete() {
		return nil, fmt.Errorf("not enough shares: %w", ErrShares)
	}
	first := r.shares[0]
	var points []point
	for _, g := range r.groups()[:first.GroupThreshold] {
		var members []point
		for _, s := range g {
			members = append(members, point{byte(s.Member), s.Value})
		}
		value, err := recoverSecret(members)
		if err != nil {
			return nil, err
		}
		points = append(points, point{byte(g[0].Group), value})
	}
	hidden, err := recoverSecret(points)
	if err != nil {
		return nil, err
	}
	return first.applyCipher(hidden, passphrase, decryption)
}

// Protect returns the share with its value encrypted under a passphrase of its own,
// which is no part of the standard; an empty one leaves it as it is.
func (s Share) Protect(passphrase string) (Share, error) { return s.protect(passphrase, encryption) }

// Unprotect undoes Protect. A wrong passphrase yields another value.
func (s Share) Unprotect(passphrase string) (Share, error) { return s.protect(passphrase, decryption) }

func (s Share) protect(passphrase string, rounds [4]byte) (Share, error) {
	if passphrase == "" {
		return s, nil
	}
	var err error
	s.Value, err = s.applyCipher(s.Value, passphrase, rounds)
	return s, err
}

// The rounds of the Feistel network that encrypts the secret.
var (
	encryption = [4]byte{0, 1, 2, 3}
	decryption = [4]byte{3, 2, 1, 0}
)

// applyCipher encrypts or decrypts a secret under the passphrase and what is the same for
// all shares.
func (s Share) applyCipher(secret []byte, passphrase string, rounds [4]byte) ([]byte, error) {
	half := len(secret) / 2
	left, right := slices.Clone(secret[:half]), slices.Clone(secret[half:])
	var salt []byte
	if !s.Extendable {
		salt = append([]byte("shamir"), byte(s.ID>>8), byte(s.ID))
	}
	for _, round := range rounds {
		key, err := stretch(sha256.New, string(rune(round))+passphrase,
			append(slices.Clip(salt), right...), 2500<<s.Exponent, half)
		if err != nil {
			return nil, err
		}
		subtle.XORBytes(left, left, key)
		left, right = right, left
	}
	return append(right, left...), nil
}
