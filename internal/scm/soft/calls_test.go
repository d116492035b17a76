// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft/board"
)

// What a call of a host needs beside an SCM that answers.
const (
	nothing  = iota
	keys     // that the SCM has not destroyed its keys
	secrets  // that a secret has been given, too
	rootOnly // the same, for calls that make it so
)

// calls are those of a host, with arguments that are right.
var calls = []struct {
	name  string
	needs int
	call  func(*Device) error
}{
	{"Info", nothing, func(d *Device) error { _, err := d.Info(); return err }},
	{"Keys", keys, func(d *Device) error { _, err := d.Keys(); return err }},
	{"Slots", keys, func(d *Device) error { _, err := d.Slots(); return err }},
	{"PublicKey", keys, func(d *Device) error { _, err := d.PublicKey(0); return err }},
	{"Generate", secrets, func(d *Device) error { _, err := d.Generate(scm.P256); return err }},
	{"Draft", secrets, func(d *Device) error { return second(scmtest.GenerateAt(d, 500, scm.P256)) }},
	{"Free", keys, func(d *Device) error { return second(d.Free(func(scm.Slot) bool { return true })) }},
	{"GenerateVolatile", secrets, func(d *Device) error { _, err := d.GenerateVolatile(scm.P256); return err }},
	{"GenerateEphemeral", secrets, func(d *Device) error { return d.GenerateEphemeral(scm.P256) }},
	{"InvalidateEphemeral", keys, (*Device).InvalidateEphemeral},
	{"Remove", keys, func(d *Device) error { return orEmpty(d.Remove(scm.Key{Slot: scm.LastUser})) }},
	{"Sign", secrets, func(d *Device) error { _, err := d.Sign(0, make([]byte, 32)); return err }},
	{"SignRecoverable", secrets, func(d *Device) error { _, _, err := d.SignRecoverable(0, make([]byte, 32)); return err }},
	{"AgreeWith", secrets, func(d *Device) error { return second(d.AgreeWith(0, 1)) }},
	{"Agree", secrets, func(d *Device) error { return orInput(second(d.Agree(0, make([]byte, 64)))) }},
	{"Verify", keys, func(d *Device) error { _, err := d.Verify(0, make([]byte, 32), make([]byte, 64)); return err }},
	{"Random", nothing, func(d *Device) error { return d.Random(make([]byte, 8)) }},
	{"Lock", secrets, func(d *Device) error { _, err := d.Lock(nil, scm.OneWayKey); return err }},
	{"Unlock", secrets, func(d *Device) error { return orAuth(second(d.Unlock(nil, scm.OneWayKey))) }},
	{"Foreign", keys, func(d *Device) error { _, err := d.Foreign(); return err }},
	{"ForeignSlots", keys, func(d *Device) error { _, err := d.ForeignSlots(); return err }},
	{"ForeignKey", keys, func(d *Device) error { return orEmpty(second(d.ForeignKey(127))) }},
	{"StoreForeign", keys, func(d *Device) error { _, err := d.StoreForeign(scm.Ed25519, make([]byte, 32)); return err }},
	{"RemoveForeign", keys, func(d *Device) error { return orEmpty(d.RemoveForeign(127)) }},
	{"DisableExport", keys, func(d *Device) error { return d.DisableExport(5) }},
	{"AddTop", secrets, func(d *Device) error { _, err := d.addWallet(scm.P256); return err }},
	{"OpenNode", secrets, func(d *Device) error { return orInput(second(d.OpenNode(0))) }},
	{"NodeAddress", keys, func(d *Device) error { _, _, _, err := d.NodeAddress(0); return orInput(err) }},
	{"FindNode", keys, func(d *Device) error { return orEmpty(second(d.FindNode("m", "no wallet", -1))) }},
	{"Prepare", rootOnly, func(d *Device) error { return d.Prepare([]byte("another secret")) }},
	{"SetPerimeterAction", nothing, func(d *Device) error { return d.SetPerimeterAction(0, 0) }},
	{"SetPerimeterLowPower", nothing, func(d *Device) error { return d.SetPerimeterLowPower(1, 1) }},
	{"SetPerimeterDelays", nothing, func(d *Device) error { return d.SetPerimeterDelays(1, 1) }},
	{"PerimeterEvents", nothing, func(d *Device) error { _, err := d.PerimeterEvents(); return err }},
	{"ClearPerimeter", nothing, (*Device).ClearPerimeter},
	{"CPUTemperature", nothing, func(d *Device) error { _, err := d.CPUTemperature(); return err }},
	{"AuxTemperature", nothing, func(d *Device) error { _, err := d.AuxTemperature(0); return err }},
	{"RTCDrift", nothing, func(d *Device) error { _, err := d.RTCDrift(); return err }},
	{"BatteryVoltage", nothing, func(d *Device) error { _, err := d.BatteryVoltage(); return err }},
	{"SetBatteryAction", nothing, func(d *Device) error { return orFixed(d.SetBatteryAction(0)) }},
	{"SetBatteryThreshold", nothing, func(d *Device) error { return orFixed(d.SetBatteryThreshold(2)) }},
	{"SetTemperatureAction", nothing, func(d *Device) error { return orFixed(d.SetTemperatureAction(0)) }},
	{"SetTemperatureThresholds", nothing, func(d *Device) error { return orFixed(d.SetTemperatureThresholds(nil, nil)) }},
	{"Time", nothing, func(d *Device) error { _, err := d.Time(); return err }},
	{"SetLED", nothing, func(d *Device) error { return d.SetLED(time.Second, 0, 0) }},
	{"SetTapSensitivity", nothing, func(d *Device) error { return d.SetTapSensitivity(0, 1) }},
	{"Accelerometer", nothing, func(d *Device) error { _, err := d.Accelerometer(); return err }},
	{"LockBinding", nothing, func(d *Device) error { return orFixed(d.LockBinding()) }},
	{"Binding", nothing, func(d *Device) error { _, _, err := d.Binding(); return err }},
	{"SetBootPolicy", nothing, func(d *Device) error { return d.SetBootPolicy(0) }},
	{"RemoveBootFile", nothing, func(d *Device) error { return orInput(d.RemoveBootFile("x")) }},
	{"BootManifest", nothing, func(d *Device) error { _, err := d.BootManifest(); return err }},
	{"VerifyBootFiles", keys, func(d *Device) error { _, err := d.VerifyBootFiles(); return err }},
}

func second[T any](_ T, err error) error { return err }

// but makes an error that is right for the arguments no error.
func but(err, right error) error {
	if errors.Is(err, right) {
		return nil
	}
	return err
}

func orEmpty(err error) error { return but(err, scm.ErrSlotEmpty) }
func orInput(err error) error { return but(err, scm.ErrInput) }
func orAuth(err error) error  { return but(err, scm.ErrAuth) }
func orFixed(err error) error { return but(err, scm.ErrFixed) }

// states are those of an SCM in which calls fail, and how they do.
var states = []struct {
	name   string
	enter  func(*Device) error
	errors [rootOnly + 1]error // by what the call needs
}{
	{"good", func(*Device) error { return nil }, [...]error{nil, nil, nil, nil}},
	{"sealed", func(d *Device) error { d.Forget(); return nil },
		[...]error{nil, nil, scm.ErrSealed, scm.ErrSealed}},
	{"destroyed", destroyed, [...]error{nil, scm.ErrDestroyed, scm.ErrDestroyed, scm.ErrDestroyed}},
	{"unbound", func(d *Device) error { return d.InjectUnbind() }, allAbsent},
	{"daemon started anew", func(d *Device) error { return d.InjectFault(board.Fault{Restart: true}) }, allAbsent},
	{"timeouts", func(d *Device) error { return d.InjectFault(board.Fault{Timeouts: 1 << 20}) },
		[...]error{scm.ErrTimeout, scm.ErrTimeout, scm.ErrTimeout, scm.ErrTimeout}},
	{"closed", (*Device).Close, allAbsent},
}

var allAbsent = [...]error{scm.ErrAbsent, scm.ErrAbsent, scm.ErrAbsent, scm.ErrAbsent}

func destroyed(d *Device) error {
	_, err := d.Boot()
	return errors.Join(err, d.SetPerimeterAction(0, board.ActionSelfDestruct), d.LockBinding(), second(d.Boot()), d.InjectTamper(0))
}

// TestStates makes every call in every state.
func TestStates(t *testing.T) {
	for _, state := range states {
		t.Run(state.name, func(t *testing.T) {
			b := newBench(t, Options{})
			must(t, b.d.Prepare([]byte("secret")))
			must(t, b.d.Unseal([]byte("secret")))
			must(t, state.enter(b.d))
			for _, c := range calls {
				b.want(c.name, c.call(b.d), state.errors[c.needs])
			}
		})
	}
}

// TestOneFault checks that a call counts as one, whatever it does: a single timeout
// makes it fail, and the same call after it succeed.
func TestOneFault(t *testing.T) {
	b := newBench(t, Options{})
	for _, c := range calls {
		if c.name == "Draft" || c.name == "LockBinding" {
			continue // the slot is taken the second time, and the other calls end
		}
		must(t, c.call(b.d))
		must(t, b.d.InjectFault(board.Fault{Timeouts: 1}))
		b.want(c.name, c.call(b.d), scm.ErrTimeout)
		b.want(c.name+" again", c.call(b.other), nil)
	}
}

// FuzzUnlock unlocks what was locked by nobody, or changed since.
func FuzzUnlock(f *testing.F) {
	d, err := Open(f.TempDir(), testOptions)
	must(f, err)
	f.Cleanup(func() { d.Close() })
	locked, err := d.Lock([]byte("data"), scm.OneWayKey)
	must(f, err)
	f.Add([]byte{}, 0)
	f.Add(locked, 3)
	f.Add(bytes.Repeat([]byte{0}, 88), 87)
	f.Fuzz(func(t *testing.T, data []byte, flip int) {
		if got, err := d.Unlock(data, scm.OneWayKey); err == nil && !bytes.Equal(data, locked) {
			t.Errorf("%x unlocks as %x", data, got)
		}
		changed := bytes.Clone(locked)
		changed[uint(flip)%uint(len(changed))] ^= 0x40
		if got, err := d.Unlock(changed, scm.OneWayKey); !errors.Is(err, scm.ErrAuth) {
			t.Errorf("%x unlocks as %x, %v", changed, got, err)
		}
	})
}
