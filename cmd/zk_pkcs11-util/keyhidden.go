// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"libzk_pkcs11/internal/keyring"
)

// isAmong reports whether a key is called as the command line says.
func (x *keyTool) isAmong(keys []*keyring.Key) bool {
	for _, k := range keys {
		if x.choice.Fits(k.Label, k.ID) {
			return true
		}
	}
	return false
}

// aboutHidden adds to a key that was not found that its user may see more: of a private key without a public one,
// as keytool makes them, nothing is shown to others.
func (x *keyTool) aboutHidden(err error, keys []*keyring.Key) error {
	if err == nil || !x.public || x.isAmong(keys) {
		return err
	}
	return fmt.Errorf("%w; keys without a public half, such as those of keytool, are seen with the user PIN alone: give --pin-file, or \"key list --login\"", err)
}

// tellHidden tells of a certificate whose key is not seen that its user may see it. Those of issuers have none here.
func (x *keyTool) tellHidden(r *keyring.Ring, keys []*keyring.Key) error {
	if !x.public || x.hides || x.json { // hidden by the setting is told otherwise
		return nil
	}
	all, err := r.Certificates()
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.X509 != nil && !c.X509.IsCA && !c.HasKey(keys) {
			fmt.Fprintf(x.errs, "The key of the certificate %q is not seen: if it has no public half, it is with the user PIN (--pin-file, or \"key list --login\")\n", visible(c.Label))
			return nil
		}
	}
	return nil
}
