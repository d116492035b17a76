// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"encoding/binary"
	"fmt"

	"libzk_pkcs11/pkcs11"
)

// common are the attributes that objects of every class take along.
func common() []uint {
	return []uint{pkcs11.CKA_LABEL, pkcs11.CKA_PRIVATE, pkcs11.CKA_MODIFIABLE, pkcs11.CKA_COPYABLE, pkcs11.CKA_DESTROYABLE}
}

// ofKeys are those of keys, of which each takes what it may have.
func ofKeys() []uint {
	return append(common(), pkcs11.CKA_KEY_TYPE, pkcs11.CKA_ID, pkcs11.CKA_START_DATE, pkcs11.CKA_END_DATE, pkcs11.CKA_DERIVE, pkcs11.CKA_ALLOWED_MECHANISMS)
}

func ofPrivate() []uint {
	return append(ofKeys(), pkcs11.CKA_SUBJECT, pkcs11.CKA_SENSITIVE, pkcs11.CKA_EXTRACTABLE, pkcs11.CKA_WRAP_WITH_TRUSTED, pkcs11.CKA_ALWAYS_AUTHENTICATE,
		pkcs11.CKA_DECRYPT, pkcs11.CKA_SIGN, pkcs11.CKA_SIGN_RECOVER, pkcs11.CKA_UNWRAP)
}

// carried are the attributes that an object of a class takes along, and those without which it is none. There are none
// for a class that tokens here have no objects of.
func carried(class, keyType uint) (may, must []uint) {
	switch class {
	case pkcs11.CKO_DATA:
		return append(common(), pkcs11.CKA_APPLICATION, pkcs11.CKA_OBJECT_ID, pkcs11.CKA_VALUE), nil
	case pkcs11.CKO_CERTIFICATE:
		return append(common(), pkcs11.CKA_CERTIFICATE_CATEGORY, pkcs11.CKA_START_DATE, pkcs11.CKA_END_DATE, pkcs11.CKA_ID, pkcs11.CKA_ISSUER,
			pkcs11.CKA_SERIAL_NUMBER, pkcs11.CKA_URL, pkcs11.CKA_HASH_OF_SUBJECT_PUBLIC_KEY, pkcs11.CKA_HASH_OF_ISSUER_PUBLIC_KEY,
			pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKA_SUBJECT, pkcs11.CKA_VALUE), []uint{pkcs11.CKA_VALUE}
	case pkcs11.CKO_SECRET_KEY:
		return append(ofKeys(), pkcs11.CKA_SENSITIVE, pkcs11.CKA_EXTRACTABLE, pkcs11.CKA_WRAP_WITH_TRUSTED, pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT,
			pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY, pkcs11.CKA_WRAP, pkcs11.CKA_UNWRAP, pkcs11.CKA_VALUE), []uint{pkcs11.CKA_VALUE}
	case pkcs11.CKO_PUBLIC_KEY:
		may = append(ofKeys(), pkcs11.CKA_SUBJECT, pkcs11.CKA_ENCRYPT, pkcs11.CKA_VERIFY, pkcs11.CKA_VERIFY_RECOVER, pkcs11.CKA_WRAP)
		if keyType == pkcs11.CKK_RSA {
			return append(may, pkcs11.CKA_MODULUS, pkcs11.CKA_PUBLIC_EXPONENT), []uint{pkcs11.CKA_MODULUS}
		}
		return append(may, pkcs11.CKA_EC_PARAMS, pkcs11.CKA_EC_POINT), []uint{pkcs11.CKA_EC_POINT}
	case pkcs11.CKO_PRIVATE_KEY:
		if keyType == pkcs11.CKK_RSA {
			return append(ofPrivate(), pkcs11.CKA_MODULUS, pkcs11.CKA_PUBLIC_EXPONENT, pkcs11.CKA_PRIVATE_EXPONENT, pkcs11.CKA_PRIME_1, pkcs11.CKA_PRIME_2,
				pkcs11.CKA_EXPONENT_1, pkcs11.CKA_EXPONENT_2, pkcs11.CKA_COEFFICIENT), []uint{pkcs11.CKA_PRIVATE_EXPONENT}
		}
		return append(ofPrivate(), pkcs11.CKA_EC_PARAMS, pkcs11.CKA_VALUE), []uint{pkcs11.CKA_VALUE}
	}
	return nil, nil
}

// keyTypeWhy says why keys of a type are not brought over, "" for those that are.
func keyTypeWhy(class, keyType uint) string {
	switch class {
	case pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_PRIVATE_KEY:
		switch keyType {
		case pkcs11.CKK_RSA, pkcs11.CKK_EC, pkcs11.CKK_EC_EDWARDS, pkcs11.CKK_EC_MONTGOMERY:
			return ""
		}
	case pkcs11.CKO_SECRET_KEY:
		switch keyType {
		case pkcs11.CKK_AES, pkcs11.CKK_GENERIC_SECRET, pkcs11.CKK_SHA_1_HMAC, pkcs11.CKK_SHA224_HMAC, pkcs11.CKK_SHA256_HMAC, pkcs11.CKK_SHA384_HMAC, pkcs11.CKK_SHA512_HMAC:
			return ""
		}
	default:
		return ""
	}
	return fmt.Sprintf("there are no keys of type %s here", keyTypeName(keyType))
}

// keyTypeName names the key types that other tokens hold and this one does not.
func keyTypeName(keyType uint) string {
	for _, t := range []struct {
		value uint
		name  string
	}{
		{pkcs11.CKK_DES, "DES"}, {pkcs11.CKK_DES2, "DES2"}, {pkcs11.CKK_DES3, "DES3"}, {pkcs11.CKK_DSA, "DSA"}, {pkcs11.CKK_DH, "DH"},
		{pkcs11.CKK_GOSTR3410, "GOST R 34.10"}, {pkcs11.CKK_CAMELLIA, "Camellia"}, {pkcs11.CKK_CHACHA20, "ChaCha20"},
	} {
		if t.value == keyType {
			return t.name
		}
	}
	return fmt.Sprintf("0x%x", keyType)
}

// reader returns the value of an attribute, nil where there is none.
type reader func(kind uint) []byte

// newObject makes an object of its attributes.
func newObject(class uint, read reader) Object {
	o := Object{Label: string(read(pkcs11.CKA_LABEL))}
	keyType := number(read(pkcs11.CKA_KEY_TYPE))
	o.Template = append(o.Template, attribute(pkcs11.CKA_CLASS, ulong(class)))
	may, must := carried(class, keyType)
	if may == nil {
		o.Why = fmt.Sprintf("there are no objects of class 0x%x here", class)
		return o
	}
	if o.Why = keyTypeWhy(class, keyType); o.Why == "" {
		o.Why = keyWhy(class, keyType, read)
	}
	if o.Why != "" {
		o.Template = append(o.Template, attribute(pkcs11.CKA_ID, read(pkcs11.CKA_ID)))
		return o
	}
	for _, kind := range may {
		if v := read(kind); len(v) > 0 {
			o.Template = append(o.Template, attribute(kind, v))
		}
	}
	for _, kind := range must {
		if len(read(kind)) == 0 {
			o.Why = notGiven
		}
	}
	if v := read(pkcs11.CKA_TRUSTED); len(v) == 1 && v[0] != 0 {
		o.Note = "without CKA_TRUSTED, which the SO sets"
	}
	o.settlePrivate(class)
	return o
}

// notGiven is why a key stays where it is.
const notGiven = "its module does not give it away: CKA_SENSITIVE or not CKA_EXTRACTABLE"

// settlePrivate makes private keys private: on a token they are nothing else here.
func (o *Object) settlePrivate(class uint) {
	if class != pkcs11.CKO_PRIVATE_KEY {
		return
	}
	for i, a := range o.Template {
		if a.Type == pkcs11.CKA_PRIVATE && len(a.Value) == 1 && a.Value[0] == 0 {
			o.Template[i].Value = []byte{1}
			o.Note = "private now, as all private keys are here"
		}
	}
}

// number is a CK_ULONG of an attribute; what is none is no number that means anything.
func number(b []byte) uint {
	switch len(b) {
	case 4:
		return uint(binary.NativeEndian.Uint32(b))
	case 8:
		return uint(binary.NativeEndian.Uint64(b))
	}
	return ^uint(0)
}
