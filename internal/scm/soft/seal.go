// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"encoding/binary"

	"libzk_pkcs11/internal/secret"
)

// keySize is the length in bytes of the AES-256 keys: the root key and the key
// made of the secret that seals it.
const keySize = 32

// rootInfo tells the key made of a secret for the root key from keys that
// others may make of the same secret.
const rootInfo = "zk_pkcs11 soft SCM root key"

// context binds what is sealed beside a key to the slot, curve, kind and public
// key, so that blobs cannot change places.
func (k *sealedKey) context() []byte {
	b := []byte("zk_pkcs11 soft SCM key")
	b = binary.BigEndian.AppendUint64(b, uint64(k.Slot))
	b = append(b, byte(k.Curve), byte(k.kind))
	return append(b, k.Public...)
}

// secretContext binds a secret of the device itself to its name.
func secretContext(name string) []byte {
	return append([]byte("zk_pkcs11 soft SCM secret "), name...)
}

// rootSealer is the key that seals the root key with the given identity.
func rootSealer(pass, id []byte) *secret.Buffer {
	key := secret.New(keySize)
	secret.Derive(key.Bytes(), pass, id, rootInfo)
	return key
}
