// SPDX-License-Identifier: Apache-2.0

package keyring

// Rename gives a key, by the name that it has here, and its certificates another one. The private half goes first: by
// its id programs find the rest.
func (r *Ring) Rename(k *Key, name Choice) error {
	for _, h := range k.Objects {
		if err := r.Provider.SetAttributeValue(r.Session, h, name.Template()); err != nil {
			return err
		}
	}
	if name.HasLabel {
		k.Label = name.Label
	}
	if name.HasID {
		k.ID = name.ID
	}
	return r.RenameCertificates(k.Certificates, name)
}

// RenameCertificates gives certificates the name that their key has got.
func (r *Ring) RenameCertificates(list []*Certificate, name Choice) error {
	for _, c := range list {
		if err := r.Provider.SetAttributeValue(r.Session, c.Object, name.Template()); err != nil {
			return err
		}
		if name.HasLabel {
			c.Label = name.Label
		}
		if name.HasID {
			c.ID = name.ID
		}
	}
	return nil
}
