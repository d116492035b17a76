// SPDX-License-Identifier: Apache-2.0

package pool

import "libzk_pkcs11/internal/scm"

// Callers find what a device can do by assertion, so a pool has the abilities of its first
// device, and no others. What the pool does itself is nearer in these types than what the
// first device does.

// full is a device with the abilities of the soft SCM.
type full interface {
	scm.Device
	scm.Agreer
	scm.Placer
	scm.Volatile
	scm.Heritable
	scm.Sealer
	scm.Capable
	scm.Locker
	scm.Keeper
	scm.Wallet
	scm.Stamper
	scm.Bonded
	scm.Clock
	scm.Reconnector
}

// hardware is a device with the abilities of an SCM in hardware.
type hardware interface {
	scm.Device
	scm.Agreer
	scm.Capable
	scm.Locker
	scm.Keeper
	scm.Wallet
	scm.Clock
	scm.Monitor
}

// What a first device does lies one level deeper than what the pool does.
type (
	fullBelow     struct{ full }
	fullFirst     struct{ fullBelow }
	hardwareBelow struct{ hardware }
	plainBelow    struct{ scm.Device }
)

type (
	fullPool struct {
		*sealed
		deepFirst
	}
	deepFirst    struct{ fullFirst }
	hardwarePool struct {
		*core
		hardwareFirst
	}
	hardwareFirst struct{ hardwareBelow }
	plainPool     struct {
		*core
		plainFirst
	}
	plainFirst struct{ plainBelow }
)

var (
	_ full       = fullPool{}
	_ hardware   = hardwarePool{}
	_ scm.Device = plainPool{}
)

// withAbilities gives the pool the abilities of its first device.
func (c *core) withAbilities(first scm.Device) scm.Device {
	switch d := first.(type) {
	case full:
		return fullPool{&sealed{c, d}, deepFirst{fullFirst{fullBelow{d}}}}
	case hardware:
		c.open.Store(true) // nothing seals it
		return hardwarePool{c, hardwareFirst{hardwareBelow{d}}}
	}
	return plainPool{c, plainFirst{plainBelow{first}}}
}
