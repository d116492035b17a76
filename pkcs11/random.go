// SPDX-License-Identifier: Apache-2.0

package pkcs11

// SeedRandom takes seed for the random generator (section 5.19.1). The SCM's
// generator needs none and takes none.
func (p *Provider) SeedRandom(h uint, _ []byte) error {
	return p.in(h, func(*session) error { return CKR_RANDOM_SEED_NOT_SUPPORTED })
}

// GenerateRandom fills a buffer with random bytes of the device (section
// 5.19.2).
func (p *Provider) GenerateRandom(h uint, out []byte) error {
	return p.in(h, func(s *session) error { return s.token.device.Random(out) })
}
