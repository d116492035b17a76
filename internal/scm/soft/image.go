// SPDX-License-Identifier: Apache-2.0

package soft

// The files that are a soft SCM, the rest of which is made anew. The second is there while no
// secret seals it.
const (
	FlashFile   = flashName
	RootKeyFile = rootFileName
)

// Image calls fn with the flash as it is at this moment. Nobody changes it, or the root key, until fn returns.
func (d *Device) Image(fn func(image []byte) error) error { return deviceError(d.file.Image(fn)) }
