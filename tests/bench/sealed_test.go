// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// sealedOperations are those that are compared, and how many of each are timed together.
var sealedOperations = map[string]int{"RSA-2048": 10, "AES-GCM": 200, "HMAC-SHA256": 200}

// startSealed starts the program for keys that no key slot can hold, with a module.
func startSealed(t testing.TB, module string) *driver {
	t.Helper()
	home := harness.NewHome(t)
	tokens, settings := filepath.Join(home.Dir, "softhsm"), filepath.Join(t.TempDir(), "softhsm.conf")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("SOFTHSM2_CONF", settings)
	d := &driver{t: t}
	d.start(home.Command(harness.Compile(t, "testdata/sealed.c"), module))
	return d
}

// signPlainly is what a signature by the standard library takes.
func signPlainly(b *testing.B, key *rsa.PrivateKey) time.Duration {
	const count = 10
	sum := sha256.Sum256([]byte("again and again"))
	start := time.Now()
	for range count {
		if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / count
}

// BenchmarkSealed compares keys that are sealed in the store with those of SoftHSM2: how many operations a second there are
// for each one there, RSA beside the standard library, too. Rounds of all take turns.
func BenchmarkSealed(b *testing.B) {
	if _, err := os.Stat(softHSM); err != nil {
		b.Skip("SoftHSM2 is not installed")
	}
	ours, theirs := startSealed(b, harness.Module(b)), startSealed(b, softHSM)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	for operation, count := range sealedOperations {
		b.Run(operation, func(b *testing.B) {
			var here, there, plain []time.Duration
			for b.Loop() {
				here = append(here, ours.run(operation, count))
				there = append(there, theirs.run(operation, count))
				if operation == "RSA-2048" {
					plain = append(plain, signPlainly(b, key))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(micro(median(here)), "us/module")
			b.ReportMetric(micro(median(there)), "us/SoftHSM2")
			b.ReportMetric(float64(median(there))/float64(median(here)), "ratio")
			if plain != nil {
				b.ReportMetric(micro(median(plain)), "us/plain-Go")
			}
		})
	}
}

// TestSealedDriver: the program works, with this module.
func TestSealedDriver(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	d := startSealed(t, harness.Module(t))
	for operation := range sealedOperations {
		if took := d.run(operation, 2); took <= 0 {
			t.Errorf("%s took %v", operation, took)
		}
	}
}
