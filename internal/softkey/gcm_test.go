// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"testing"
)

func TestGCMParameters(t *testing.T) {
	k := need[*AES](t)(GenerateAES(32))
	for _, p := range []GCM{
		{IV: nil, TagBits: 128}, {IV: make([]byte, longestIV+1), TagBits: 128}, {IV: make([]byte, 12), TagBits: 0},
		{IV: make([]byte, 12), TagBits: 127}, {IV: make([]byte, 12), TagBits: 136}, {IV: make([]byte, 12), TagBits: -128},
		{IV: make([]byte, 12), TagBits: 24}, {IV: make([]byte, 12), TagBits: 88},
	} {
		_, err := k.EncryptGCM(p)
		refused(t, "encryption", err, ErrParameter)
		_, err = k.DecryptGCM(p)
		refused(t, "decryption", err, ErrParameter)
	}
}

// TestGCMTags: each length of tag, with IVs of several lengths, and nothing comes out when a byte of
// the tag, the text, the IV or the other data is changed.
func TestGCMTags(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	for _, bits := range []int{128, 120, 112, 104, 96, 64, 32} {
		for _, n := range []int{1, 12, 13, 100} {
			p := GCM{IV: randomBytes(n), AAD: randomBytes(n), TagBits: bits}
			message := randomBytes(5 * n)
			sealed, err := begun(func() (Stream, error) { return k.EncryptGCM(p) }).both(t, message, 7)
			if err != nil || len(sealed) != 5*n+bits/8 {
				t.Fatalf("%d bytes, %v", len(sealed), err)
			}
			got, err := begun(func() (Stream, error) { return k.DecryptGCM(p) }).both(t, sealed, 9)
			wanted(t, "GCM", got, err, message)
			k.changedGCM(t, p, sealed)
		}
	}
}

func (k *AES) changedGCM(t *testing.T, p GCM, sealed []byte) {
	t.Helper()
	open := func(p GCM, sealed []byte) {
		out, err := need[Stream](t)(k.DecryptGCM(p)).Whole(make([]byte, 0, 600), sealed)
		if err != ErrData || out != nil {
			t.Errorf("changed: %x, %v", out, err)
		}
	}
	changes(sealed, func(_ int, changed []byte) { open(p, changed) })
	changes(p.AAD, func(_ int, changed []byte) { open(GCM{p.IV, changed, p.TagBits}, sealed) })
	changes(p.IV, func(_ int, changed []byte) { open(GCM{changed, p.AAD, p.TagBits}, sealed) })
	for n := range len(sealed) {
		_, err := need[Stream](t)(k.DecryptGCM(p)).Whole(nil, sealed[:n])
		if err != ErrData && err != ErrLength {
			t.Errorf("cut to %d: %v", n, err)
		}
	}
}

// TestGCMKeepsParameters: what a caller does with his memory afterwards changes nothing.
func TestGCMKeepsParameters(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	p := GCM{IV: make([]byte, 12), AAD: make([]byte, 5), TagBits: 128}
	s := need[Stream](t)(k.EncryptGCM(p))
	want := need[[]byte](t)(need[Stream](t)(k.EncryptGCM(p)).Whole(nil, []byte("m")))
	p.IV[0], p.AAD[0] = 1, 1
	got, err := s.Whole(nil, []byte("m"))
	wanted(t, "GCM", got, err, want)
}

func TestMessages(t *testing.T) {
	k := need[*AES](t)(GenerateAES(32))
	for generator, fixed := range map[Generator]int{GenerateNone: 0, Generate: 32, GenerateCounter: 32, GenerateRandom: 0, GenerateCounterXOR: 32} {
		m := k.Messages()
		seen := map[string]bool{}
		for i := range 5 {
			iv := MessageIV{IV: bytes.Repeat([]byte{0xa5}, 12), FixedBits: fixed, Generator: generator}
			g := GCM{AAD: []byte("with"), TagBits: 128}
			text, tag, err := m.Encrypt(nil, iv, g, []byte("message"))
			if err != nil || len(text) != 7 || len(tag) != 16 {
				t.Fatalf("generator %d: %x, %x, %v", generator, text, tag, err)
			}
			if !bytes.Equal(iv.IV[:fixed/8], bytes.Repeat([]byte{0xa5}, fixed/8)) {
				t.Errorf("generator %d changed what is fixed: %x", generator, iv.IV)
			}
			if last := iv.IV[11]; generator == GenerateCounter && last != byte(i) || generator == GenerateCounterXOR && last != 0xa5^byte(i) {
				t.Errorf("generator %d, message %d: IV %x", generator, i, iv.IV)
			}
			if seen[string(iv.IV)] && generator != GenerateNone {
				t.Errorf("generator %d: the same IV twice", generator)
			}
			seen[string(iv.IV)] = true
			checkMessage(t, k, GCM{iv.IV, g.AAD, 128}, text, tag)
		}
	}
}

func checkMessage(t *testing.T, k *AES, g GCM, text, tag []byte) {
	t.Helper()
	m := k.Messages()
	got, err := m.Decrypt(nil, g, text, tag)
	wanted(t, "message", got, err, []byte("message"))
	whole := need[[]byte](t)(need[Stream](t)(k.EncryptGCM(g)).Whole(nil, []byte("message")))
	wanted(t, "message and tag", append(bytes.Clone(text), tag...), nil, whole)
	changes(tag, func(_ int, changed []byte) {
		_, err := m.Decrypt(nil, g, text, changed)
		refused(t, "another tag", err, ErrData)
	})
	_, err = m.Decrypt(nil, g, text, tag[:12])
	refused(t, "a shorter tag", err, ErrParameter)
}

func TestMessagesInParts(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	m := k.Messages()
	iv := MessageIV{IV: make([]byte, 12), Generator: Generate}
	g := GCM{TagBits: 96}
	s := need[*Sealed](t)(m.BeginEncrypt(iv, g))
	for _, part := range []string{"mes", "", "sage"} {
		if err := s.Update([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.FinalSize(0); n != 7 {
		t.Errorf("%d bytes told", n)
	}
	text, tag, err := s.Final(nil)
	if err != nil || len(tag) != 12 {
		t.Fatal(tag, err)
	}
	_, _, err = s.Final(nil)
	refused(t, "a second end", err, ErrEnded)
	g.IV = iv.IV
	o := need[*Opened](t)(m.BeginDecrypt(g))
	for _, b := range text {
		if err := o.Update([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := o.Final(nil, tag)
	wanted(t, "message", got, err, []byte("message"))
	_, err = o.Final(nil, tag)
	refused(t, "a second end", err, ErrEnded)
}

// TestGeneratorsEnd: no IV is given out twice, and none of which too little is at random.
func TestGeneratorsEnd(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	g := GCM{TagBits: 128}
	for _, generator := range []Generator{GenerateCounter, GenerateCounterXOR} {
		m := k.Messages()
		seen := map[byte]bool{}
		for i := range 17 {
			iv := MessageIV{IV: bytes.Repeat([]byte{0x77}, 12), FixedBits: 92, Generator: generator}
			_, _, err := m.Encrypt(nil, iv, g, nil)
			if i == 16 {
				refused(t, "the 17th of four bits", err, ErrExhausted)
				break
			}
			if last := iv.IV[11]; err != nil || seen[last] || last>>4 != 7 {
				t.Fatalf("IV %x, %v", iv.IV, err)
			}
			seen[iv.IV[11]] = true
		}
	}
	for _, bad := range []MessageIV{
		{make([]byte, 12), 33, Generate}, {make([]byte, 7), 0, GenerateRandom}, {make([]byte, 12), 97, GenerateCounter},
		{make([]byte, 12), -1, GenerateCounter}, {make([]byte, 12), 0, 5}, {make([]byte, 12), 0, -1}, {nil, 0, GenerateNone},
	} {
		_, _, err := k.Messages().Encrypt(nil, bad, g, nil)
		refused(t, "generator", err, ErrParameter)
	}
	m := k.Messages()
	_, _, err := m.Encrypt(nil, MessageIV{make([]byte, 12), 96, GenerateCounter}, g, nil)
	if err != nil {
		t.Error("one message without a counter:", err)
	}
	_, _, err = m.Encrypt(nil, MessageIV{make([]byte, 12), 96, GenerateCounter}, g, nil)
	refused(t, "another one", err, ErrExhausted)
}
