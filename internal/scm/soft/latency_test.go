// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// TestLatency checks that calls take at least as long as they are to.
func TestLatency(t *testing.T) {
	const least = 10 * time.Millisecond
	b := newBench(t, Options{Settings: Settings{Latency: settings.Latency{Sign: least, Generate: least, Random: least, Lock: least, Absent: least}}})
	public, err := b.d.PublicKey(0)
	must(t, err)
	for name, call := range map[string]func() error{
		"Sign":             func() error { _, err := b.d.Sign(0, make([]byte, 32)); return err },
		"SignRecoverable":  func() error { _, _, err := b.d.SignRecoverable(0, make([]byte, 32)); return err },
		"Agree":            func() error { _, err := b.d.Agree(1, public.Public); return err },
		"Generate":         func() error { _, err := b.d.Generate(scm.P256); return err },
		"GenerateVolatile": func() error { _, err := b.d.GenerateVolatile(scm.P256); return err },
		"AddTop":           func() error { _, err := b.d.addWallet(scm.P256); return err },
		"Random":           func() error { return b.d.Random(make([]byte, 1)) },
		"Lock":             func() error { _, err := b.d.Lock(nil, scm.OneWayKey); return err },
	} {
		before := time.Now()
		must(t, call())
		if took := time.Since(before); took < least {
			t.Errorf("%s took %v", name, took)
		}
	}
	must(t, b.d.InjectUnbind())
	before := time.Now()
	_, err = b.d.Info()
	b.want("Info", err, scm.ErrAbsent)
	if took := time.Since(before); took < least {
		t.Errorf("a call that nobody answers took %v", took)
	}
}
