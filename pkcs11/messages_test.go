// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// newMessage is a parameter with room for the IV and the tag.
func newMessage(generator uint, fixed uint) *GCMMessage {
	return &GCMMessage{IV: bytes.Repeat([]byte{0xa5}, 12), FixedBits: fixed, Generator: generator, Tag: make([]byte, 16), TagBits: 128}
}

var gcmMessages = &Mechanism{Type: CKM_AES_GCM}

// sent encrypts a message.
func (x *trial) sent(m *GCMMessage, text []byte) []byte {
	x.Helper()
	out := room(len(text))
	x.ok(x.EncryptMessage(x.h, m, []byte("besides"), text, out))
	return out.Buffer[:*out.Length]
}

// received decrypts a message.
func (x *trial) received(m *GCMMessage, text []byte) ([]byte, error) {
	out := room(len(text))
	err := x.DecryptMessage(x.h, m, []byte("besides"), text, out)
	return out.Buffer[:*out.Length], err
}

// TestEncryptMessages: one message after another, with each generator of IVs, is what C_Decrypt makes a message of, and what
// C_DecryptMessage does.
func TestEncryptMessages(t *testing.T) {
	x := newTrial(t)
	key := x.public[aesKeys]
	for _, generator := range []uint{CKG_NO_GENERATE, CKG_GENERATE, CKG_GENERATE_COUNTER, CKG_GENERATE_RANDOM, CKG_GENERATE_COUNTER_XOR} {
		x.ok(x.MessageEncryptInit(x.h, gcmMessages, key))
		x.ok(x.MessageDecryptInit(x.h, gcmMessages, key))
		seen := map[string]bool{}
		for range 3 {
			m := newMessage(generator, 32)
			text := x.sent(m, digest32)
			if generator != CKG_NO_GENERATE && seen[string(m.IV)] {
				t.Errorf("generator %d: IV %x twice", generator, m.IV)
			}
			seen[string(m.IV)] = true
			got, err := x.received(m, text)
			if err != nil || !bytes.Equal(got, digest32) {
				t.Errorf("generator %d: %x, %v", generator, got, err)
			}
			x.ok(x.DecryptInit(x.h, &Mechanism{Type: CKM_AES_GCM, Params: &GCMParams{IV: m.IV, AAD: []byte("besides"), TagBits: 128}}, key))
			x.ok(x.Decrypt(x.h, append(text, m.Tag...), room(32)))
			m.Tag[3] ^= 1
			_, err = x.received(m, text)
			want(t, "another tag", err, CKR_AEAD_DECRYPT_FAILED)
		}
		x.ok(x.MessageEncryptFinal(x.h))
		x.ok(x.MessageDecryptFinal(x.h))
	}
	want(t, "after the end", x.EncryptMessage(x.h, newMessage(0, 0), nil, digest32, room(32)), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "after the end", x.MessageDecryptFinal(x.h), CKR_OPERATION_NOT_INITIALIZED)
}

// TestMessageSizes: a caller who asks for the size, or has too little room, uses up no IV.
func TestMessageSizes(t *testing.T) {
	x := newTrial(t)
	x.ok(x.MessageEncryptInit(x.h, gcmMessages, x.public[aesKeys]))
	m := newMessage(CKG_GENERATE_COUNTER, 32)
	ask := Output[byte]{Length: new(uint)}
	x.ok(x.EncryptMessage(x.h, m, nil, digest32, ask))
	if *ask.Length != 32 {
		t.Errorf("size %d", *ask.Length)
	}
	want(t, "too small", x.EncryptMessage(x.h, m, nil, digest32, room(31)), CKR_BUFFER_TOO_SMALL)
	x.ok(x.EncryptMessage(x.h, m, nil, digest32, room(32)))
	if m.IV[11] != 0 {
		t.Errorf("the first IV is %x", m.IV)
	}
	for name, bad := range map[string]*GCMMessage{
		"none": nil, "no IV": {Tag: make([]byte, 16), TagBits: 128}, "no room for the tag": {IV: make([]byte, 12), TagBits: 128},
	} {
		want(t, name, x.EncryptMessage(x.h, bad, nil, digest32, room(32)), CKR_MECHANISM_PARAM_INVALID)
	}
	want(t, "a tag of 127 bits", x.EncryptMessage(x.h, &GCMMessage{IV: make([]byte, 12), Tag: make([]byte, 16), TagBits: 127}, nil, nil, room(0)), CKR_MECHANISM_PARAM_INVALID)
	x.ok(x.EncryptMessage(x.h, m, nil, digest32, room(32))) // nothing of this ends the operation
}

// TestMessagesInParts: a message in parts comes out at its end.
func TestMessagesInParts(t *testing.T) {
	x := newTrial(t)
	key := x.public[aesKeys]
	x.ok(x.MessageEncryptInit(x.h, gcmMessages, key))
	x.ok(x.MessageDecryptInit(x.h, gcmMessages, key))
	for range 2 {
		m := newMessage(CKG_GENERATE_RANDOM, 0)
		x.ok(x.EncryptMessageBegin(x.h, m, []byte("besides")))
		want(t, "another one meanwhile", x.EncryptMessageBegin(x.h, m, nil), CKR_OPERATION_ACTIVE)
		want(t, "another one meanwhile", x.EncryptMessage(x.h, m, nil, nil, room(0)), CKR_OPERATION_ACTIVE)
		want(t, "the end meanwhile", x.MessageEncryptFinal(x.h), CKR_OPERATION_ACTIVE)
		x.ok(x.EncryptMessageNext(x.h, m, digest32[:5], room(0), 0))
		want(t, "no parameter", x.EncryptMessageNext(x.h, nil, digest32[5:], room(32), CKF_END_OF_MESSAGE), CKR_MECHANISM_PARAM_INVALID)
		want(t, "which ends the message", x.EncryptMessageNext(x.h, m, digest32[5:], room(32), CKF_END_OF_MESSAGE), CKR_OPERATION_NOT_INITIALIZED)
		x.ok(x.EncryptMessageBegin(x.h, m, []byte("besides")))
		x.ok(x.EncryptMessageNext(x.h, m, digest32[:5], room(0), 0))
		want(t, "too small", x.EncryptMessageNext(x.h, m, digest32[5:], room(31), CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL)
		text := room(32)
		x.ok(x.EncryptMessageNext(x.h, m, digest32[5:], text, CKF_END_OF_MESSAGE))
		got, err := x.received(m, text.Buffer)
		if err != nil || !bytes.Equal(got, digest32) {
			t.Errorf("%x, %v", got, err)
		}
		x.ok(x.DecryptMessageBegin(x.h, m, []byte("besides")))
		x.ok(x.DecryptMessageNext(x.h, nil, text.Buffer[:9], room(0), 0))
		out := room(32)
		x.ok(x.DecryptMessageNext(x.h, m, text.Buffer[9:], out, CKF_END_OF_MESSAGE))
		if !bytes.Equal(out.Buffer, digest32) {
			t.Errorf("decrypted to %x", out.Buffer)
		}
		want(t, "after its end", x.EncryptMessageNext(x.h, m, nil, room(0), 0), CKR_OPERATION_NOT_INITIALIZED)
	}
}

// TestMessageKeys: the key has to be one for it, and the login has to last.
func TestMessageKeys(t *testing.T) {
	x := newTrial(t)
	key := x.public[aesKeys]
	want(t, "no messages", x.MessageEncryptInit(x.h, &Mechanism{Type: CKM_AES_CBC}, key), CKR_MECHANISM_INVALID)
	want(t, "a parameter", x.MessageEncryptInit(x.h, &Mechanism{Type: CKM_AES_GCM, Parameter: make([]byte, 5)}, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "another key", x.MessageEncryptInit(x.h, gcmMessages, x.public[rsaKeys]), CKR_KEY_TYPE_INCONSISTENT)
	want(t, "no key", x.MessageDecryptInit(x.h, gcmMessages, 0), CKR_KEY_HANDLE_INVALID)
	x.ok(x.MessageEncryptInit(x.h, gcmMessages, key))
	want(t, "twice", x.MessageEncryptInit(x.h, gcmMessages, key), CKR_OPERATION_ACTIVE)
	want(t, "state", x.GetOperationState(x.h, room(100)), CKR_STATE_UNSAVEABLE)
	x.ok(x.MessageDecryptInit(x.h, gcmMessages, key))
	x.ok(x.SessionCancel(x.h, CKF_MESSAGE_ENCRYPT))
	want(t, "cancelled", x.EncryptMessage(x.h, newMessage(0, 0), nil, digest32, room(32)), CKR_OPERATION_NOT_INITIALIZED)
	x.ok(x.MessageEncryptInit(x.h, gcmMessages, key))
	x.ok(x.MessageEncryptInit(x.h, nil, 0))
	x.ok(x.Logout(x.h))
	want(t, "logged out", x.DecryptMessage(x.h, newMessage(0, 0), nil, nil, room(0)), CKR_OPERATION_NOT_INITIALIZED)
}

// TestSignMessages signs and verifies one message after another with each mechanism that signs, in one part and in several.
func TestSignMessages(t *testing.T) {
	x := newTrial(t)
	used := 0
	for typ, row := range mechanisms {
		if row.sign == nil || !row.sealed {
			continue
		}
		used++
		m, name := x.example(typ, row), MechanismName(typ)
		x.ok(x.MessageSignInit(x.h, m, x.private[row.keys]))
		x.ok(x.MessageVerifyInit(x.h, m, x.public[row.keys]))
		for range 2 {
			x.messageSigned(name, row)
		}
		x.ok(x.MessageSignFinal(x.h))
		x.ok(x.MessageVerifyFinal(x.h))
		want(t, name, x.VerifyMessage(x.h, digest32, nil), CKR_OPERATION_NOT_INITIALIZED)
	}
	if used < 40 {
		t.Errorf("%d mechanisms", used)
	}
}

func (x *trial) messageSigned(name string, row *mechanism) {
	x.Helper()
	ask := Output[byte]{Length: new(uint)}
	x.ok(x.SignMessage(x.h, digest32, ask))
	out := room(int(*ask.Length))
	x.ok(x.SignMessage(x.h, digest32, out))
	want(x.TB, name, x.VerifyMessage(x.h, digest32, out.Buffer), CKR_OK)
	out.Buffer[0] ^= 1
	want(x.TB, name+" changed", x.VerifyMessage(x.h, digest32, out.Buffer), CKR_SIGNATURE_INVALID)
	if row.onePart {
		want(x.TB, name+" in parts", x.SignMessageBegin(x.h), CKR_OPERATION_NOT_INITIALIZED)
		want(x.TB, name+" in parts", x.VerifyMessageBegin(x.h), CKR_OPERATION_NOT_INITIALIZED)
		return
	}
	x.ok(x.SignMessageBegin(x.h))
	want(x.TB, name+" meanwhile", x.SignMessage(x.h, digest32, out), CKR_OPERATION_ACTIVE)
	x.ok(x.SignMessageNext(x.h, digest32[:5], Output[byte]{}))
	x.ok(x.SignMessageNext(x.h, digest32[5:], ask)) // for the size alone
	want(x.TB, name+" too small", x.SignMessageNext(x.h, digest32[5:], room(len(out.Buffer)-1)), CKR_BUFFER_TOO_SMALL)
	x.ok(x.SignMessageNext(x.h, digest32[5:], out))
	x.ok(x.VerifyMessageBegin(x.h))
	x.ok(x.VerifyMessageNext(x.h, digest32[:9], nil))
	want(x.TB, name+" in parts", x.VerifyMessageNext(x.h, digest32[9:], out.Buffer), CKR_OK)
	want(x.TB, name+" after the end", x.VerifyMessageNext(x.h, nil, nil), CKR_OPERATION_NOT_INITIALIZED)
}

// TestSignMessagesInSlot signs messages with the key of a key slot, each with a login of its own if the key wants that.
func TestSignMessagesInSlot(t *testing.T) {
	f := newUser(t)
	_, private := f.pair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true, CKA_ALWAYS_AUTHENTICATE, true})
	f.ok(f.MessageSignInit(f.h, &Mechanism{Type: CKM_ECDSA_SHA256}, private))
	for range 2 {
		want(t, "without a login", f.SignMessage(f.h, digest32, room(64)), CKR_USER_NOT_LOGGED_IN)
		f.ok(f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN))
		f.ok(f.SignMessage(f.h, digest32, room(64)))
	}
}
