// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/certificate"
	"libzk_pkcs11/internal/keyring"
)

func (x *keyTool) publicCommand() *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use: "public [URI]", Short: "Print a public key as PEM, as a line of ssh, or as a JSON Web Key",
		Example: "  zk_pkcs11-util key public --label www\n" +
			"  zk_pkcs11-util key public --label www --format ssh >> ~/.ssh/authorized_keys",
		Args: uriWord,
		RunE: func(*cobra.Command, []string) error { return x.printPublicKey(format) },
	}
	c.Flags().StringVar(&format, "format", "pem", "`FORM` of the key: pem, ssh or jwk")
	complete(c, "format", "pem", "ssh", "jwk")
	return x.addOutput(c)
}

func (x *keyTool) printPublicKey(format string) error {
	switch format {
	case "pem", "ssh", "jwk":
	default:
		return usagef("--format: there is no %q; the forms are pem, ssh and jwk", format)
	}
	return x.withPublicKeys(func(r *keyring.Ring) error {
		k, err := x.chosenKey(r)
		if err != nil {
			return err
		}
		if k.Public == nil {
			return fmt.Errorf("the key %q has no public key that can be read", k.Label)
		}
		text, err := formatted(k.Public, format, k.Label)
		if err != nil {
			return err
		}
		return x.writeResult(text)
	})
}

func formatted(p *certificate.PublicKey, format, label string) ([]byte, error) {
	switch format {
	case "ssh":
		return p.SSH(label)
	case "jwk":
		return p.JWK()
	}
	return p.PEM(), nil
}
