// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"testing"

	"golang.org/x/sys/unix"
)

// The yardstick is `openssl speed` on the same machine (docs/adr/0031-software-keys.md). It counts the processor's time, and
// so do these, in cpu-ns/op: other programs on the machine make the rest longer.

// processor is the time that this process has had of the processor, in nanoseconds.
func processor() int64 {
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// measure begins to count, and returns what tells the result.
func measure(b *testing.B) func() {
	b.ReportAllocs()
	start := processor()
	return func() { b.ReportMetric(float64(processor()-start)/float64(b.N), "cpu-ns/op") }
}

func BenchmarkRSA2048Sign(b *testing.B) {
	k := rsaFile(b)
	message := make([]byte, 32)
	defer measure(b)()
	for b.Loop() {
		s, _ := k.SignPKCS1(crypto.SHA256)
		_ = s.Update(message)
		if _, err := s.Sign(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRSA2048SignPSS(b *testing.B) {
	k := rsaFile(b)
	message := make([]byte, 32)
	defer measure(b)()
	for b.Loop() {
		s, _ := k.SignPSS(PSS{crypto.SHA256, crypto.SHA256, 32})
		_ = s.Update(message)
		if _, err := s.Sign(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRSA2048Reopen(b *testing.B) {
	der := need[[]byte](b)(rsaFile(b).Marshal())
	defer measure(b)()
	for b.Loop() {
		if _, err := ReopenPrivate(der); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGCM1K(b *testing.B) {
	k := need[*AES](b)(GenerateAES(32))
	p := GCM{IV: make([]byte, 12), TagBits: 128}
	message, room := make([]byte, 1024), make([]byte, 0, 1040)
	b.SetBytes(1024)
	defer measure(b)()
	for b.Loop() {
		s, _ := k.EncryptGCM(p)
		if _, err := s.Whole(room, message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHMAC1K(b *testing.B) {
	k := need[*Secret](b)(GenerateSecret(32))
	message, room := make([]byte, 1024), make([]byte, 0, 32)
	b.SetBytes(1024)
	defer measure(b)()
	for b.Loop() {
		m, _ := k.HMAC(crypto.SHA256)
		_ = m.Update(message)
		if _, err := m.Sign(room); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCBC1K(b *testing.B) {
	k := need[*AES](b)(GenerateAES(32))
	iv, message, room := make([]byte, 16), make([]byte, 1024), make([]byte, 0, 1040)
	b.SetBytes(1024)
	defer measure(b)()
	for b.Loop() {
		s, _ := k.EncryptCBCPad(iv)
		if _, err := s.Whole(room, message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCMAC1K(b *testing.B) {
	k := need[*AES](b)(GenerateAES(16))
	message, room := make([]byte, 1024), make([]byte, 0, 16)
	b.SetBytes(1024)
	defer measure(b)()
	for b.Loop() {
		m := k.CMAC()
		_ = m.Update(message)
		if _, err := m.Sign(room); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, c := range weierstrassCurves {
		b.Run(c.String(), func(b *testing.B) {
			k := need[*EC](b)(GenerateEC(c))
			defer measure(b)()
			for b.Loop() {
				s, _ := k.Sign(crypto.SHA256)
				if _, err := s.Sign(nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Ed25519", func(b *testing.B) {
		k := GenerateEdwards()
		defer measure(b)()
		for b.Loop() {
			s, _ := k.Sign(EdDSA{})
			if _, err := s.Sign(nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
