// SPDX-License-Identifier: Apache-2.0

// Package scmtest is the contract of scm.Device as a test that every
// implementation has to pass, and a device that fails on request.
package scmtest

import (
	"errors"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// Options adapt the contract to a device.
type Options struct {
	// SkipFull, if it is not empty, is the reason why the device is not
	// filled with keys.
	SkipFull string
	// KeepsOpen tells that the device has a Sealer that leaves it open to
	// everybody.
	KeepsOpen bool
}

// Run tests the devices that open returns: each open, and without a secret that
// seals it or unsealed. There may be keys in user slots; they are left alone.
// Keys that the tests make are removed at the end. The tests close the device.
func Run(t *testing.T, open func(t *testing.T) scm.Device, o Options) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, scm.Device)
	}{
		{"Info", testInfo},
		{"Permanent", testPermanent},
		{"Keys", testKeys},
		{"LowestFreeSlot", testLowestFreeSlot},
		{"RemoveAnother", testRemoveAnother},
		{"Full", func(t *testing.T, d scm.Device) { testFull(t, d, o) }},
		{"SlotErrors", testSlotErrors},
		{"CurveErrors", testCurveErrors},
		{"Results", testResults},
		{"Version", testVersion},
		{"Stamp", testStamp},
		{"Sign", testSign},
		{"SignLengths", testSignLengths},
		{"Agree", testAgree},
		{"AgreeErrors", testAgreeErrors},
		{"Random", testRandom},
		{"Concurrency", testConcurrency},
		{"Placer", testPlacer},
		{"Draft", testDraft},
		{"Free", testFree},
		{"Volatile", testVolatile},
		{"Sealer", func(t *testing.T, d scm.Device) { testSealer(t, d, o) }},
		{"Prepare", func(t *testing.T, d scm.Device) { testPrepare(t, d, o) }},
		{"Bonded", func(t *testing.T, d scm.Device) { testBonded(t, d, o) }},
		{"Locker", testLocker},
		{"Keeper", testKeeper},
		{"Wallet", testWallet},
		{"Clock", testClock},
		{"Close", testClose},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := open(t)
			t.Cleanup(func() { d.Close() })
			test.run(t, d)
		})
	}
}

// capability is what d can do with the curve, by its own word or by its methods.
func capability(d scm.Device, c scm.Curve) scm.Capability {
	if cd, ok := d.(scm.Capable); ok {
		return cd.Capability(c)
	}
	_, agrees := d.(scm.Agreer)
	able := scm.Capability{
		Generate: true,
		Sign:     c != scm.X25519,
		Agree:    agrees && c != scm.Ed25519,
	}
	if c == scm.P256 || c == scm.Secp256k1 {
		able.Message = 32
	}
	return able
}

// curves calls f in a subtest for each curve with which d has the ability.
func curves(t *testing.T, d scm.Device, able func(scm.Capability) bool, f func(*testing.T, scm.Curve)) {
	for _, c := range scm.Curves {
		t.Run(c.String(), func(t *testing.T) {
			if !able(capability(d, c)) {
				t.Skip("the device says that it cannot do this with the curve")
			}
			f(t, c)
		})
	}
}

func generates(c scm.Capability) bool { return c.Generate }
func signs(c scm.Capability) bool     { return c.Generate && c.Sign }
func agrees(c scm.Capability) bool    { return c.Generate && c.Agree }

// generate makes a key that is removed when the test ends.
func generate(t *testing.T, d scm.Device, c scm.Curve) scm.Key {
	t.Helper()
	k, err := d.Generate(c)
	if err != nil {
		t.Fatalf("Generate(%s): %v", c, err)
	}
	t.Cleanup(func() { removed(t, d, k) })
	return k
}

// removed removes a key that the test may have removed, or closed in, already.
func removed(t *testing.T, d scm.Device, k scm.Key) {
	err := d.Remove(k)
	if err != nil && !errors.Is(err, scm.ErrSlotEmpty) && !errors.Is(err, scm.ErrAbsent) {
		t.Errorf("Remove(%d): %v", k.Slot, err)
	}
}

func keys(t *testing.T, d scm.Device) []scm.Key {
	t.Helper()
	k, err := d.Keys()
	if err != nil {
		t.Fatalf("Keys: %v", err)
	}
	return k
}

func find(keys []scm.Key, s scm.Slot) int {
	return slices.IndexFunc(keys, func(k scm.Key) bool { return k.Slot == s })
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
