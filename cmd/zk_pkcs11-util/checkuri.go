// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// keyURI is a pkcs11: URI (RFC 7512) of a key. What is empty is not asked for.
type keyURI struct {
	token, serial, model, manufacturer string
	object                             string
	id                                 []byte
	slot                               string // in decimal
	pinValue, pinSource                string
}

// parseKeyURI reads a URI that names a key.
func parseKeyURI(text string) (u keyURI, err error) {
	rest, is := strings.CutPrefix(text, "pkcs11:")
	if !is {
		return u, errors.New("--key takes a pkcs11: URI, such as pkcs11:token=device;object=www")
	}
	path, query, _ := strings.Cut(rest, "?")
	for _, part := range append(split(path, ";"), split(query, "&")...) {
		name, encoded, _ := strings.Cut(part, "=")
		value, err := url.PathUnescape(encoded)
		if err != nil {
			return u, fmt.Errorf("%s in the URI is badly encoded", name)
		}
		if err := u.set(name, value); err != nil {
			return u, err
		}
	}
	if u.object == "" && u.id == nil {
		return u, errors.New("the URI names no key: it has neither object nor id")
	}
	return u, nil
}

func split(text, at string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, at)
}

// set takes one attribute. The PIN is not in the error of a wrong one.
func (u *keyURI) set(name, value string) error {
	fields := map[string]*string{
		"token": &u.token, "serial": &u.serial, "model": &u.model, "manufacturer": &u.manufacturer, "object": &u.object,
		"slot-id": &u.slot, "pin-value": &u.pinValue, "pin-source": &u.pinSource,
	}
	switch field, known := fields[name]; {
	case name == "id":
		u.id = []byte(value)
	case known:
		*field = value
	case name == "type" && (value == "private" || value == "public"), strings.HasPrefix(name, "x-"), strings.HasPrefix(name, "library-"), strings.HasPrefix(name, "module-"):
	default:
		return fmt.Errorf("the URI has %q, which is of no key", name)
	}
	if name == "slot-id" {
		if _, err := strconv.ParseUint(value, 10, 32); err != nil {
			return fmt.Errorf("slot-id is no number in the URI")
		}
	}
	return nil
}
