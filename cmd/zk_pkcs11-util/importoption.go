// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/importer"
	"libzk_pkcs11/pkcs11"
)

// doImport is "import pem" as SoftHSM2's tool and its guides have it: a private key with the label and the CKA_ID that are
// given. Certificates in the file are left to "cert import".
func (f *flags) doImport(c *cobra.Command) error {
	name, err := f.keyName("--import")
	if err != nil {
		return err
	}
	x := &importTool{tokenTool: tokenTool{flags: *f, ask: newPrompter(c)}, fromPIN: f.filePIN, wait: time.Minute}
	x.out = c.OutOrStdout()
	objects, err := x.read(importer.Source{Kind: importer.PEM, Path: f.importFile, Label: f.label})
	if err != nil {
		return err
	}
	defer eraseObjects(objects)
	w := keyImport{flags: f, name: name, importing: importing{output: x.output}, keys: f.keysOf(objects)}
	if len(w.keys) == 0 {
		return fmt.Errorf("%s has no private key, which --import alone brings in; \"import pem\" brings certificates, too", f.importFile)
	}
	return x.withLogin(func(p *pkcs11.Provider, session uint) error {
		w.hides = x.hides
		return w.run(p, session)
	})
}

// keysOf are the keys of a file, without their public keys if these are not wanted.
func (f *flags) keysOf(objects []importer.Object) (keys []importer.Object) {
	for _, o := range objects {
		switch classOf(o.Template) {
		case pkcs11.CKO_PRIVATE_KEY:
			keys = append(keys, o)
		case pkcs11.CKO_PUBLIC_KEY:
			if !f.noPublicKey {
				keys = append(keys, o)
			}
		}
	}
	return keys
}

// keyImport is the import of the keys of a file under one name.
type keyImport struct {
	importing
	flags *flags
	name  []pkcs11.Attribute
	keys  []importer.Object
}

func (w *keyImport) run(p *pkcs11.Provider, session uint) error {
	w.p, w.session = p, session
	if err := w.checkID(); err != nil {
		return err
	}
	for _, o := range w.keys {
		for _, a := range w.name {
			setValue(o.Template, a)
		}
	}
	return w.importing.run(w.keys)
}

// checkID refuses the CKA_ID of another private key, unless that is forced as with SoftHSM2: programs would find two keys by it.
func (w *keyImport) checkID() error {
	if !w.flags.idGiven || w.flags.yes {
		return nil
	}
	taken, err := w.isThere([]pkcs11.Attribute{
		{Type: pkcs11.CKA_CLASS, Value: pkcs11.EncodeULong(pkcs11.CKO_PRIVATE_KEY)}, {Type: pkcs11.CKA_ID, Value: valueIn(w.name, pkcs11.CKA_ID)},
	})
	if err == nil && taken {
		err = fmt.Errorf("a private key has the ID %s already; give another --id, or --force", w.flags.id)
	}
	return err
}

// setValue gives an attribute of a template another value.
func setValue(template []pkcs11.Attribute, value pkcs11.Attribute) {
	for i := range template {
		if template[i].Type == value.Type {
			template[i].Value = value.Value
		}
	}
}
