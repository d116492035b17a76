// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"encoding/asn1"
	"fmt"
	"strings"

	"libzk_pkcs11/pkcs11"
)

// keyType is a type of keys that can be made.
type keyType struct {
	name      string
	mechanism uint
	public    []pkcs11.Attribute // what says the curve or the size
	secret    []pkcs11.Attribute // of a key that is no pair: its size, and what it is for
}

// keyTypes lists the types in the order in which they are told.
func keyTypes() []keyType {
	list := []keyType{
		onCurve("p256", pkcs11.CKM_EC_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}),
		onCurve("secp256k1", pkcs11.CKM_EC_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 3, 132, 0, 10}),
		onCurve("ed25519", pkcs11.CKM_EC_EDWARDS_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 3, 101, 112}),
		onCurve("x25519", pkcs11.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 3, 101, 110}),
		onCurve("p224", pkcs11.CKM_EC_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 3, 132, 0, 33}),
		onCurve("p384", pkcs11.CKM_EC_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 3, 132, 0, 34}),
		onCurve("p521", pkcs11.CKM_EC_KEY_PAIR_GEN, asn1.ObjectIdentifier{1, 3, 132, 0, 35}),
	}
	for _, size := range []uint{2048, 3072, 4096} {
		list = append(list, keyType{fmt.Sprintf("rsa%d", size), pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, []pkcs11.Attribute{Number(pkcs11.CKA_MODULUS_BITS, size)}, nil})
	}
	for _, size := range []uint{128, 192, 256} {
		list = append(list, keyType{fmt.Sprintf("aes%d", size), pkcs11.CKM_AES_KEY_GEN, nil, secretOf(size, pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT)})
	}
	return append(list,
		keyType{"hmac256", pkcs11.CKM_GENERIC_SECRET_KEY_GEN, nil, secretOf(256, pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY)},
		ofSet("mldsa44", pkcs11.CKM_ML_DSA_KEY_PAIR_GEN, pkcs11.CKP_ML_DSA_44), ofSet("mldsa65", pkcs11.CKM_ML_DSA_KEY_PAIR_GEN, pkcs11.CKP_ML_DSA_65),
		ofSet("mldsa87", pkcs11.CKM_ML_DSA_KEY_PAIR_GEN, pkcs11.CKP_ML_DSA_87), ofSet("mlkem768", pkcs11.CKM_ML_KEM_KEY_PAIR_GEN, pkcs11.CKP_ML_KEM_768),
		ofSet("mlkem1024", pkcs11.CKM_ML_KEM_KEY_PAIR_GEN, pkcs11.CKP_ML_KEM_1024))
}

func onCurve(name string, mechanism uint, curve asn1.ObjectIdentifier) keyType {
	params, err := asn1.Marshal(curve)
	if err != nil {
		panic(err) // the curves are those above
	}
	return keyType{name, mechanism, []pkcs11.Attribute{Bytes(pkcs11.CKA_EC_PARAMS, params)}, nil}
}

func ofSet(name string, mechanism, set uint) keyType {
	return keyType{name, mechanism, []pkcs11.Attribute{Number(pkcs11.CKA_PARAMETER_SET, set)}, nil}
}

func secretOf(size uint, uses ...uint) []pkcs11.Attribute {
	list := []pkcs11.Attribute{Number(pkcs11.CKA_VALUE_LEN, size/8)}
	for _, use := range uses {
		list = append(list, Truth(use, pkcs11.CK_TRUE))
	}
	return list
}

// TypeNames are the types of keys that Generate makes.
func TypeNames() []string {
	var names []string
	for _, t := range keyTypes() {
		names = append(names, t.name)
	}
	return names
}

// Generate makes a key of a type on the token, in a key slot of the SCM where it can hold such keys. wanted is more
// that the private key is to be.
func (r *Ring) Generate(typeName, label string, id []byte, wanted ...pkcs11.Attribute) (*Key, error) {
	t, err := findType(typeName)
	if err != nil {
		return nil, err
	}
	private := append(named(label, id), Truth(pkcs11.CKA_PRIVATE, pkcs11.CK_TRUE), Truth(pkcs11.CKA_SENSITIVE, pkcs11.CK_TRUE))
	private = append(private, wanted...)
	var made uint
	if how := (&pkcs11.Mechanism{Type: t.mechanism}); t.secret != nil {
		made, err = r.Provider.GenerateKey(r.Session, how, append(private, t.secret...))
	} else {
		_, made, err = r.Provider.GenerateKeyPair(r.Session, how, append(named(label, id), t.public...), private)
	}
	if err != nil {
		return nil, err
	}
	return r.keyWith(made)
}

func findType(name string) (keyType, error) {
	plain := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	for _, t := range keyTypes() {
		if t.name == plain {
			return t, nil
		}
	}
	return keyType{}, fmt.Errorf("--type: there is no type %q; the types are %s", name, strings.Join(TypeNames(), ", "))
}

// named is the beginning of a template.
func named(label string, id []byte) []pkcs11.Attribute {
	return []pkcs11.Attribute{Truth(pkcs11.CKA_TOKEN, pkcs11.CK_TRUE), Bytes(pkcs11.CKA_LABEL, label), Bytes(pkcs11.CKA_ID, id)}
}

// keyWith finds the key that has a private or a secret key.
func (r *Ring) keyWith(private uint) (*Key, error) {
	keys, err := r.Keys()
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Private == private {
			return k, nil
		}
	}
	return nil, fmt.Errorf("the key was made, but another program has destroyed it already")
}

// CheckType returns an error for a type that Generate does not make.
func CheckType(name string) error {
	_, err := findType(name)
	return err
}
