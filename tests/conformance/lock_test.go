// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// locking is CKM_ZK_LOCK; shared is with the key that modules share.
func locking(shared bool) []*pkcs11.Mechanism {
	if shared {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(live.CKM_ZK_LOCK, []byte{1})}
	}
	return live.Mechanism(live.CKM_ZK_LOCK)
}

// encrypted and decrypted are the results of one part; the key is none.
func encrypted(k *live.Token, s pkcs11.SessionHandle, m []*pkcs11.Mechanism, data []byte) ([]byte, error) {
	if err := k.EncryptInit(s, m, 0); err != nil {
		return nil, err
	}
	return k.Encrypt(s, data)
}

func decrypted(k *live.Token, s pkcs11.SessionHandle, m []*pkcs11.Mechanism, data []byte) ([]byte, error) {
	if err := k.DecryptInit(s, m, 0); err != nil {
		return nil, err
	}
	return k.Decrypt(s, data)
}

// lock is the trial of a mechanism that encrypts without a key object: whole, in
// parts, and with a key that only stands for the SCM.
func (x *trial) lock(m uint) {
	x.t.Helper()
	plain := []byte("some data")
	key := x.Key(x.s, pkcs11.CKO_PRIVATE_KEY, 0)
	x.OK(x.EncryptInit(x.s, live.Mechanism(m), key))
	x.OK(discard(x.EncryptUpdate(x.s, plain[:4])))
	x.OK(discard(x.EncryptUpdate(x.s, plain[4:])))
	locked, err := x.EncryptFinal(x.s)
	x.OK(err)
	whole, err := decrypted(x.Token, x.s, live.Mechanism(m), locked)
	x.OK(err)
	x.OK(x.DecryptInit(x.s, live.Mechanism(m), key))
	x.OK(discard(x.DecryptUpdate(x.s, locked[:1])))
	x.OK(discard(x.DecryptUpdate(x.s, locked[1:])))
	parts, err := x.DecryptFinal(x.s)
	x.OK(err)
	if !bytes.Equal(whole, plain) || !bytes.Equal(parts, plain) || bytes.Contains(locked, plain) {
		x.t.Errorf("mechanism 0x%x: %q and %q of %x", m, whole, parts, locked)
	}
}

func discard(_ []byte, err error) error { return err }

// TestLock locks data of several sizes with both keys; neither opens what the
// other has locked.
func TestLock(t *testing.T) {
	k := live.New(t)
	s := k.User()
	for _, size := range []int{4, 16, 100000} {
		for _, shared := range []bool{false, true} {
			plain := bytes.Repeat([]byte{'p'}, size)
			locked, err := encrypted(k, s, locking(shared), plain)
			k.OK(err)
			if size == 4 && len(locked) != 88 {
				t.Errorf("4 bytes become %d, want 88", len(locked))
			}
			got, err := decrypted(k, s, locking(shared), locked)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes, shared %v: %d bytes, %v", size, shared, len(got), err)
			}
			_, err = decrypted(k, s, locking(!shared), locked)
			k.Want("C_Decrypt with the other key", err, pkcs11.CKR_ENCRYPTED_DATA_INVALID)
			locked[len(locked)/2] ^= 1
			_, err = decrypted(k, s, locking(shared), locked)
			k.Want("C_Decrypt of changed data", err, pkcs11.CKR_ENCRYPTED_DATA_INVALID)
		}
	}
}

// TestLockedByAnotherModule: each SCM opens its own data only, until the next
// C_Initialize and after it.
func TestLockedByAnotherModule(t *testing.T) {
	k := live.New(t)
	s := k.User()
	locked, err := encrypted(k, s, locking(false), []byte("mine"))
	k.OK(err)
	k.OK(k.Finalize())
	k.OK(k.Initialize())
	s = k.User()
	got, err := decrypted(k, s, locking(false), locked)
	if err != nil || string(got) != "mine" {
		t.Errorf("after C_Initialize: %q, %v", got, err)
	}
	k.OK(k.Finalize())
	other := live.New(t)
	_, err = decrypted(other, other.User(), locking(false), locked)
	other.Want("C_Decrypt in another SCM", err, pkcs11.CKR_ENCRYPTED_DATA_INVALID)
}

// TestLockNeedsLogin: locked data is the user's.
func TestLockNeedsLogin(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	_, err := encrypted(k, s, locking(false), nil)
	k.Want("C_EncryptInit", err, pkcs11.CKR_USER_NOT_LOGGED_IN)
	k.OK(k.Login(s, pkcs11.CKU_USER, harness.UserPIN))
	_, err = encrypted(k, s, locking(false), []byte("data"))
	k.OK(err)
}
