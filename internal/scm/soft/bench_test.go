// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
)

func BenchmarkSign(b *testing.B) {
	b.Run(settings.NonceRandom, func(b *testing.B) { signs(b, soft.Options{Group: -1}) })
	b.Run(settings.NonceRFC6979, func(b *testing.B) {
		signs(b, soft.Options{Group: -1, Settings: soft.Settings{Nonce: settings.NonceRFC6979}})
	})
}

func signs(b *testing.B, o soft.Options) {
	d := open(b, b.TempDir(), o)
	digest := make([]byte, 32)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519} {
		k, err := d.Generate(c)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Sign(k.Slot, digest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignParallel is BenchmarkSign on all processors.
func BenchmarkSignParallel(b *testing.B) {
	d := open(b, b.TempDir(), options)
	digest := make([]byte, 32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := d.Sign(0, digest); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkPlain is what the standard library takes for the same signatures.
func BenchmarkPlain(b *testing.B) {
	digest := make([]byte, 32)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for nonce, random := range map[string]io.Reader{settings.NonceRandom: rand.Reader, settings.NonceRFC6979: nil} {
		b.Run("nistp256/"+nonce, func(b *testing.B) {
			for b.Loop() {
				if _, err := ec.Sign(random, digest, crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ed25519", func(b *testing.B) {
		for b.Loop() {
			ed25519.Sign(ed, digest)
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	d := open(b, b.TempDir(), options)
	for b.Loop() {
		k, err := d.Generate(scm.P256)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Remove(k); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignBesideChanges signs with a key that is ready, while another process makes
// and removes keys in other slots. All slots but a few hold keys.
func BenchmarkSignBesideChanges(b *testing.B) {
	dir := b.TempDir()
	d := full(b, dir)
	for _, changes := range []int{0, 100} {
		b.Run(fmt.Sprint(changes, " a second"), func(b *testing.B) {
			if changes != 0 {
				p := processtest.Start(b, "change", dir)
				defer p.Kill()
				p.Tell(fmt.Sprint(time.Second / time.Duration(changes)))
				p.Hear()
			}
			slowest := time.Duration(0)
			for b.Loop() {
				before := time.Now()
				if _, err := d.Sign(0, make([]byte, 32)); err != nil {
					b.Fatal(err)
				}
				slowest = max(slowest, time.Since(before))
			}
			b.ReportMetric(float64(slowest.Microseconds()), "µs-slowest")
		})
	}
}

// full returns an SCM with keys in all slots but the last few.
func full(b *testing.B, dir string) *soft.Device {
	d := open(b, dir, options)
	for range 500 {
		generate(b, d, scm.P256)
	}
	return d
}

// BenchmarkKeysAfterChange lists the keys after another has made or removed one.
func BenchmarkKeysAfterChange(b *testing.B) {
	dir := b.TempDir()
	d, other := full(b, dir), open(b, dir, options)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		if i%2 == 0 {
			generate(b, other, scm.P256)
		} else {
			check(b, other.Remove(scm.Key{Slot: 516}))
		}
		b.StartTimer()
		if _, err := d.Keys(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGenerateFull makes and removes a key where all slots but a few hold keys, and
// lists the keys after each.
func BenchmarkGenerateFull(b *testing.B) {
	d := full(b, b.TempDir())
	for b.Loop() {
		k := generate(b, d, scm.P256)
		if _, err := d.Keys(); err != nil {
			b.Fatal(err)
		}
		check(b, d.Remove(k))
		if _, err := d.Keys(); err != nil {
			b.Fatal(err)
		}
	}
}
