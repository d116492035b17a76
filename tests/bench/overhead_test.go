// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"slices"
	"testing"
	"time"
)

// round is how many operations are timed together. Rounds of the module and of
// plain Go take turns, so that both meet the same weather. Longer rounds gave
// less steady differences on a busy machine (docs/PERFORMANCE.md).
const round = 50

// BenchmarkSignature compares C_SignInit and C_Sign through the module with the
// same signature by the standard library. It reports medians over all rounds:
// plain Go, the module, and the difference.
func BenchmarkSignature(b *testing.B) {
	message := make([]byte, 32)
	for nonce, random := range map[string]io.Reader{"random": rand.Reader, "rfc6979": nil} {
		b.Run("P-256/"+nonce, func(b *testing.B) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				b.Fatal(err)
			}
			compare(b, "P-256", nonce, func() error {
				_, err := key.Sign(random, message, crypto.SHA256)
				return err
			})
		})
	}
	b.Run("Ed25519", func(b *testing.B) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		compare(b, "Ed25519", "random", func() error {
			ed25519.Sign(key, message)
			return nil
		})
	})
}

// compare runs rounds of both; an iteration of the benchmark is one of each.
func compare(b *testing.B, operation, nonce string, plain func() error) {
	d := startDriver(b, "soft.nonce = \""+nonce+"\"\n")
	d.run(operation, round) // opens the device
	var here, there []time.Duration
	for b.Loop() {
		here = append(here, timed(b, plain))
		there = append(there, d.run(operation, round))
	}
	base, module := median(here), median(there)
	b.ReportMetric(0, "ns/op") // of a round: says nothing
	b.ReportMetric(micro(base), "us/plain-Go")
	b.ReportMetric(micro(module), "us/module")
	b.ReportMetric(micro(module-base), "us/difference")
}

// timed is what one of a round of f takes in this process.
func timed(b *testing.B, f func() error) time.Duration {
	start := time.Now()
	for range round {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / round
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// BenchmarkCall measures calls in which the device has no part: crossing into
// the module and back, reading an attribute, a search by class and CKA_ID in
// three calls, and C_Initialize with the C_Finalize before it.
func BenchmarkCall(b *testing.B) {
	for _, operation := range []string{"C_GetSessionInfo", "C_GetAttributeValue", "C_FindObjects", "C_OpenSession", "C_Initialize"} {
		b.Run(operation, func(b *testing.B) {
			d := startDriver(b, "")
			d.run(operation, round)
			var took []time.Duration
			for b.Loop() {
				took = append(took, d.run(operation, round))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(micro(median(took)), "us/call")
		})
	}
}

// BenchmarkCrossing measures what it costs that signals of the host wait while it is in
// a call: two requests to the kernel, as a time, as a part of the shortest call, and as a
// part of a P-256 signature, which is two calls. The three take turns.
func BenchmarkCrossing(b *testing.B) {
	d := startDriver(b, "")
	d.run("P-256", round)
	var kernel, call, signature []time.Duration
	for b.Loop() {
		kernel = append(kernel, d.run("signals", 10*round))
		call = append(call, d.run("C_GetSessionInfo", 10*round))
		signature = append(signature, d.run("P-256", round))
	}
	wait := median(kernel)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(micro(wait), "us/signals")
	b.ReportMetric(micro(median(call)), "us/call")
	b.ReportMetric(micro(median(signature)), "us/signature")
	b.ReportMetric(100*float64(wait)/float64(median(signature)), "%/signature")
}
