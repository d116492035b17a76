// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/aes"
	"slices"
	"testing"
)

func TestKeySizes(t *testing.T) {
	for n := range 40 {
		_, err := NewAES(make([]byte, n))
		_, generateErr := GenerateAES(n)
		if n == 16 || n == 24 || n == 32 {
			if err != nil || generateErr != nil {
				t.Errorf("%d bytes: %v, %v", n, err, generateErr)
			}
			continue
		}
		refused(t, "AES key", err, ErrKeySize)
		refused(t, "AES key", generateErr, ErrKeySize)
	}
	for _, n := range []int{-1, 0, LongestSecret + 1} {
		_, err := GenerateSecret(n)
		refused(t, "secret", err, ErrKeySize)
	}
	_, err := NewSecret(nil)
	refused(t, "empty secret", err, ErrKeySize)
}

func TestCheckValues(t *testing.T) {
	k := need[*AES](t)(NewAES(make([]byte, 16)))
	wanted(t, "AES", k.CheckValue(), nil, unhex(t, "66e94b"))
	s := need[*Secret](t)(NewSecret([]byte("abc")))
	wanted(t, "secret", s.CheckValue(), nil, unhex(t, "a9993e"))
}

func TestBadIV(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	for _, iv := range [][]byte{nil, make([]byte, 15), make([]byte, 17)} {
		for name, begin := range map[string]func([]byte) (Stream, error){
			"EncryptCBC": k.EncryptCBC, "DecryptCBC": k.DecryptCBC, "EncryptCBCPad": k.EncryptCBCPad, "DecryptCBCPad": k.DecryptCBCPad,
			"CTR": func(iv []byte) (Stream, error) { return k.CTR(128, iv) },
		} {
			_, err := begin(iv)
			refused(t, name, err, ErrParameter)
		}
	}
	for _, bits := range []int{-1, 0, 129} {
		_, err := k.CTR(bits, make([]byte, 16))
		refused(t, "CTR", err, ErrParameter)
	}
}

// TestPartialBlocks: what is no whole block is an error at the end, and in one part.
func TestPartialBlocks(t *testing.T) {
	k := need[*AES](t)(GenerateAES(32))
	iv := make([]byte, 16)
	for name, begin := range map[string]begun{
		"EncryptECB":    func() (Stream, error) { return k.EncryptECB(), nil },
		"DecryptECB":    func() (Stream, error) { return k.DecryptECB(), nil },
		"EncryptCBC":    func() (Stream, error) { return k.EncryptCBC(iv) },
		"DecryptCBC":    func() (Stream, error) { return k.DecryptCBC(iv) },
		"DecryptCBCPad": func() (Stream, error) { return k.DecryptCBCPad(iv) },
	} {
		for _, n := range []int{1, 15, 17, 31} {
			_, err := begin.both(t, make([]byte, n), 4)
			refused(t, name, err, ErrLength)
		}
	}
	decrypt := begun(func() (Stream, error) { return k.DecryptCBCPad(iv) })
	_, err := decrypt.both(t, nil, 1)
	refused(t, "nothing", err, ErrLength)
}

// TestPaddings: of all last bytes of a block, and with each byte of a padding changed.
func TestPaddings(t *testing.T) {
	for size := 1; size <= 16; size++ {
		block := randomBytes(16)
		for i := 16 - size; i < 16; i++ {
			block[i] = byte(size)
		}
		if n, good := unpadded(block); good != 1 || n != 16-size {
			t.Errorf("padding of %d: %d, %d", size, n, good)
		}
		for i := 16 - size; i < 15; i++ {
			changed := bytes.Clone(block)
			changed[i]++
			if _, good := unpadded(changed); good != 0 {
				t.Errorf("padding of %d, byte %d changed", size, i)
			}
		}
	}
	for last := 17; last < 256; last++ {
		if _, good := unpadded(bytes.Repeat([]byte{byte(last)}, 16)); good != 0 {
			t.Errorf("padding of %d", last)
		}
	}
	if _, good := unpadded(make([]byte, 16)); good != 0 {
		t.Error("padding of zeros")
	}
}

func TestPadLengths(t *testing.T) {
	k := need[*AES](t)(GenerateAES(24))
	iv := randomBytes(16)
	for n := range 50 {
		message := randomBytes(n)
		sealed, err := begun(func() (Stream, error) { return k.EncryptCBCPad(iv) }).both(t, message, 1+n/3)
		if err != nil || len(sealed) != (n/16+1)*16 {
			t.Fatalf("%d bytes: %d, %v", n, len(sealed), err)
		}
		got, err := begun(func() (Stream, error) { return k.DecryptCBCPad(iv) }).both(t, sealed, 1+n/2)
		wanted(t, "CBC_PAD", got, err, message)
	}
}

// TestOverlap: the result may lie where the message does, and before or behind, in one part and in
// parts, both ways.
func TestOverlap(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	iv := make([]byte, 16)
	p := GCM{IV: iv[:12], TagBits: 96}
	for name, begin := range map[string][2]begun{
		"ECB": {func() (Stream, error) { return k.EncryptECB(), nil }, func() (Stream, error) { return k.DecryptECB(), nil }},
		"CBC": {func() (Stream, error) { return k.EncryptCBC(iv) }, func() (Stream, error) { return k.DecryptCBC(iv) }},
		"PAD": {func() (Stream, error) { return k.EncryptCBCPad(iv) }, func() (Stream, error) { return k.DecryptCBCPad(iv) }},
		"CTR": {func() (Stream, error) { return k.CTR(64, iv) }, func() (Stream, error) { return k.CTR(64, iv) }},
		"GCM": {func() (Stream, error) { return k.EncryptGCM(p) }, func() (Stream, error) { return k.DecryptGCM(p) }},
		"KW":  {func() (Stream, error) { return k.Wrap(nil) }, func() (Stream, error) { return k.Unwrap(nil) }},
	} {
		message := randomBytes(80)
		sealed := need[[]byte](t)(need[Stream](t)(begin[0]()).Whole(nil, message))
		for _, from := range []int{0, 1, 16, 40} {
			for _, to := range []int{0, 1, 16, 40} {
				begin[0].overlaps(t, name, from, to, message, sealed)
				begin[1].overlaps(t, name, from, to, sealed, message)
			}
		}
	}
}

// overlaps has the message and the result in the same room.
func (b begun) overlaps(t *testing.T, name string, from, to int, message, want []byte) {
	t.Helper()
	room := make([]byte, 300)
	copy(room[from:], message)
	got, err := need[Stream](t)(b()).Whole(room[to:to:200], room[from:from+len(message)])
	wanted(t, name+" over itself", got, err, want)
	got, err = overItself(need[Stream](t)(b()), room, from, to, message)
	wanted(t, name+" over itself in parts", got, err, want)
}

// overItself does parts of 13 bytes, each of which is put where it is to be read from.
func overItself(s Stream, room []byte, from, to int, message []byte) (out []byte, err error) {
	for part := range slices.Chunk(message, 13) {
		in := room[from : from+len(part)]
		copy(in, part)
		got, err := s.Update(room[to:to:200], in)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	got, err := s.Final(room[to:to:200])
	return append(out, got...), err
}

// TestCounterEnds: no block of the stream is used twice.
func TestCounterEnds(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	first := make([]byte, 16)
	for _, v := range []struct{ bits, last, most int }{{1, 0, 32}, {1, 1, 16}, {8, 0, 4096}, {8, 250, 96}, {4, 0xf3, 208}} {
		first[15] = byte(v.last)
		begin := begun(func() (Stream, error) { return k.CTR(v.bits, first) })
		if _, err := begin.both(t, make([]byte, v.most), 7); err != nil {
			t.Errorf("%d bits from %d: %v", v.bits, v.last, err)
		}
		_, err := begin.both(t, make([]byte, v.most+1), v.most)
		refused(t, "one byte more", err, ErrLength)
	}
	all := begun(func() (Stream, error) { return k.CTR(128, bytes.Repeat([]byte{0xff}, aes.BlockSize)) })
	if _, err := all.both(t, make([]byte, 16), 7); err != nil {
		t.Error("the last block of a counter of 128 bits:", err)
	}
	_, err := all.both(t, make([]byte, 17), 16)
	refused(t, "one byte more of 128 bits", err, ErrLength)
}
