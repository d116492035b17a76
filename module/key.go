// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goGenerateKey
func goGenerateKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, key C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GenerateKey", sessionArg(h), mechanismArg(m), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if to, m, list := destinationOf(&c, key, toULong), mechanism(&c, m), template(&c, t, n); c.accepted() {
		c.err = to.deliver(c.library.provider.GenerateKey(uint(h), m, list))
	}
	return rv
}

//export goGenerateKeyPair
func goGenerateKeyPair(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, tpub C.CK_ATTRIBUTE_PTR, npub C.CK_ULONG, tpriv C.CK_ATTRIBUTE_PTR, npriv C.CK_ULONG, pub, priv C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GenerateKeyPair", sessionArg(h), mechanismArg(m), typesArg(tpub, npub), typesArg(tpriv, npriv))
	defer c.endWithin(&rv, h)
	to, how := destinationsOf(&c, pub, priv), mechanism(&c, m)
	if public, private := template(&c, tpub, npub), template(&c, tpriv, npriv); c.accepted() {
		c.err = to.deliver(c.library.provider.GenerateKeyPair(uint(h), how, public, private))
	}
	return rv
}

// pairDestination is where the handles of a new key pair go.
type pairDestination struct {
	public, private destination[C.CK_OBJECT_HANDLE, uint]
}

func destinationsOf(c *call, public, private C.CK_OBJECT_HANDLE_PTR) pairDestination {
	return pairDestination{destinationOf(c, public, toULong), destinationOf(c, private, toULong)}
}

// deliver writes both handles, unless there was an error, which it returns.
func (d pairDestination) deliver(public, private uint, err error) error {
	_ = d.public.deliver(public, err)
	return d.private.deliver(private, err)
}

//export goDeriveKey
func goDeriveKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, base C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, key C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DeriveKey", sessionArg(h), mechanismArg(m), objectArg(base), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if to, m, list := destinationOf(&c, key, toULong), mechanism(&c, m), template(&c, t, n); c.accepted() {
		c.err = to.deliver(c.library.provider.DeriveKey(uint(h), m, uint(base), list))
	}
	return rv
}
