// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goGenerateKeyPair
func goGenerateKeyPair(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, tpub C.CK_ATTRIBUTE_PTR, npub C.CK_ULONG, tpriv C.CK_ATTRIBUTE_PTR, npriv C.CK_ULONG, pub, priv C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return within("C_GenerateKeyPair", h, args{sessionArg(h), mechanismArg(m), typesArg(tpub, npub), typesArg(tpriv, npriv)}, func(p *pkcs11.Provider) error {
		toPub, toPriv := fill(pub, ulong), fill(priv, ulong)
		public, private, err := p.GenerateKeyPair(uint(h), mechanism(m), template(tpub, npub), template(tpriv, npriv))
		_ = toPub(public, err)
		return toPriv(private, err)
	})
}

//export goDeriveKey
func goDeriveKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, base C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, key C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return within("C_DeriveKey", h, args{sessionArg(h), mechanismArg(m), objectArg(base), typesArg(t, n)}, func(p *pkcs11.Provider) error {
		return fill(key, ulong)(p.DeriveKey(uint(h), mechanism(m), uint(base), template(t, n)))
	})
}
