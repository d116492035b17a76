// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

func encryptWrap(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.Wrap(t.how.Parameter)
}

func decryptWrap(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.Unwrap(t.how.Parameter)
}

func encryptWrapPadded(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.WrapPadded(t.how.Parameter)
}

func decryptWrapPadded(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.UnwrapPadded(t.how.Parameter)
}

func encryptWrapPKCS7(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.WrapPKCS7(t.how.Parameter)
}

func decryptWrapPKCS7(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.UnwrapPKCS7(t.how.Parameter)
}
