// SPDX-License-Identifier: Apache-2.0

package scm

// Preparer is a Sealer that can be sealed in two steps, between which the caller
// stores the secret. With Seal alone a crash before the secret is stored would
// leave a device that nothing unseals any more.
type Preparer interface {
	Sealer
	// Prepare makes secret unseal the device, too, and changes nothing else.
	// The first Unseal with it then does what Seal does. The device has to be
	// unsealed, or never have been sealed. A second Prepare, or Seal, takes
	// the place of one that no Unseal has followed.
	Prepare(secret []byte) error
}
