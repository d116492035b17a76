// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"errors"

	"github.com/miekg/pkcs11"
)

const filler = "filler"

// fill makes keys until there is no room for another.
func fill(c *client) error {
	if err := errors.Join(c.initialize(), c.open()); err != nil {
		return err
	}
	for {
		if _, err := c.generate(filler); err != nil {
			if is(err, pkcs11.CKR_DEVICE_MEMORY) {
				return nil
			}
			return err
		}
	}
}

// empty removes what fill has made. A signer may have lost some of it meanwhile.
func empty(c *client) error {
	if err := errors.Join(c.initialize(), c.open()); err != nil {
		return err
	}
	keys, err := c.find(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, filler))
	for _, key := range keys {
		err = errors.Join(err, c.destroy(key))
	}
	return err
}
