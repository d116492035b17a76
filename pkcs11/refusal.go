// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "fmt"

// refusal says why a template cannot be had. Callers get the code alone, which names no
// attribute; the rest is for the log. It never holds a value.
type refusal struct {
	code      Error
	attribute uint
	reason    string // goes on after the name of the attribute
}

func refuse(code Error, attribute uint, reason string) error {
	return &refusal{code, attribute, reason}
}

func (r *refusal) Error() string {
	name := AttributeName(r.attribute)
	if name == "" {
		name = fmt.Sprintf("attribute %#x", r.attribute)
	}
	return fmt.Sprintf("%s %s (%v)", name, r.reason, r.code)
}

func (r *refusal) Unwrap() error { return r.code }

// because makes a refusal of a code, and leaves what is none as it is.
func because(err error, attribute uint, reason string) error {
	if e, ok := err.(Error); ok {
		return refuse(e, attribute, reason)
	}
	return err
}
