// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"slices"
	"testing"
)

// TestCMACVectors has those of RFC 4493, section 4.
func TestCMACVectors(t *testing.T) {
	k := need[*AES](t)(NewAES(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c")))
	message := unhex(t, nistText)
	for n, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		wanted(t, "CMAC", signed(t, k.CMAC(), nil, message[:n]), nil, unhex(t, want))
		short, err := k.CMACGeneral(5)
		wanted(t, "CMAC of 5 bytes", signed(t, short, err, message[:n]), nil, unhex(t, want)[:5])
	}
	for _, size := range []int{-1, 0, 17} {
		_, err := k.CMACGeneral(size)
		refused(t, "CMAC", err, ErrParameter)
	}
}

// TestWrapVectors has those of RFC 3394, section 4, and of RFC 5649, section 6.
func TestWrapVectors(t *testing.T) {
	key := "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	text := "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"
	for _, v := range []struct {
		key, text int
		want      string
	}{
		{16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"},
		{32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
		{24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"},
		{32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"},
		{32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
	} {
		k := need[*AES](t)(NewAES(unhex(t, key)[:v.key]))
		wrapsTo(t, func() (Stream, error) { return k.Wrap(nil) }, func() (Stream, error) { return k.Unwrap(nil) }, unhex(t, text)[:v.text], unhex(t, v.want))
	}
	k := need[*AES](t)(NewAES(unhex(t, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")))
	for text, want := range map[string]string{
		"c37b7e6492584340bed12207808941155068f738": "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
		"466f7250617369": "afbeb0f07dfbf5419200f2ccb50bb24f",
	} {
		wrapsTo(t, func() (Stream, error) { return k.WrapPadded(nil) }, func() (Stream, error) { return k.UnwrapPadded(nil) }, unhex(t, text), unhex(t, want))
	}
}

func wrapsTo(t *testing.T, wrap, unwrap begun, text, want []byte) {
	t.Helper()
	got, err := wrap.both(t, text, 3)
	wanted(t, "wrapped", got, err, want)
	got, err = unwrap.both(t, want, 5)
	wanted(t, "unwrapped", got, err, text)
}

// nistText is what NIST SP 800-38A encrypts.
const nistText = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
	"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"

// TestModeVectors has those of NIST SP 800-38A, sections F.1, F.2 and F.5, for AES-128.
func TestModeVectors(t *testing.T) {
	k := need[*AES](t)(NewAES(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c")))
	iv := unhex(t, "000102030405060708090a0b0c0d0e0f")
	first := unhex(t, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
	counter := func() (Stream, error) { return k.CTR(128, first) }
	for _, v := range []struct {
		name             string
		encrypt, decrypt begun
		want             string
	}{
		{
			"ECB", func() (Stream, error) { return k.EncryptECB(), nil }, func() (Stream, error) { return k.DecryptECB(), nil },
			"3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
		},
		{
			"CBC", func() (Stream, error) { return k.EncryptCBC(iv) }, func() (Stream, error) { return k.DecryptCBC(iv) },
			"7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
		},
		{
			"CTR", counter, counter,
			"874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
		},
	} {
		for n := 1; n < 70; n += 3 {
			got, err := v.encrypt.both(t, unhex(t, nistText), n)
			wanted(t, v.name, got, err, unhex(t, v.want))
			got, err = v.decrypt.both(t, unhex(t, v.want), n)
			wanted(t, v.name, got, err, unhex(t, nistText))
		}
	}
}

// TestHKDFVectors has those of RFC 5869, appendix A.
func TestHKDFVectors(t *testing.T) {
	s := need[*Secret](t)(NewSecret(unhex(t, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")))
	p := HKDF{Hash: crypto.SHA256, Extract: true, Expand: true, Salt: unhex(t, "000102030405060708090a0b0c"), Info: unhex(t, "f0f1f2f3f4f5f6f7f8f9")}
	got, err := s.HKDF(p, 42)
	wanted(t, "A.1", got, err, unhex(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
	p.Expand = false
	got, err = s.HKDF(p, 0)
	wanted(t, "A.1, extracted", got, err, unhex(t, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"))
	p = HKDF{Hash: crypto.SHA256, Extract: true, Expand: true}
	got, err = s.HKDF(p, 42)
	wanted(t, "A.3", got, err, unhex(t, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
	for _, bad := range []struct {
		HKDF
		n    int
		want error
	}{
		{HKDF{Hash: crypto.SHA256}, 32, ErrParameter},
		{HKDF{Hash: crypto.MD5, Extract: true}, 0, ErrUnsupported},
		{HKDF{Hash: crypto.SHA256, Extract: true}, 31, ErrKeySize},
		{HKDF{Hash: crypto.SHA256, Expand: true}, 0, ErrKeySize},
		{HKDF{Hash: crypto.SHA256, Expand: true}, 255*32 + 1, ErrKeySize},
		{HKDF{Hash: crypto.SHA256, Expand: true}, -1, ErrKeySize},
	} {
		_, err := s.HKDF(bad.HKDF, bad.n)
		refused(t, "HKDF", err, bad.want)
	}
}

// TestPBKDF2Vectors has those of RFC 6070 that do not last.
func TestPBKDF2Vectors(t *testing.T) {
	for _, v := range []struct {
		password, salt string
		iterations     uint64
		want           string
	}{
		{"password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
		{"password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
		{"password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"},
		{"passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"},
		{"pass\x00word", "sa\x00lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3"},
	} {
		want := unhex(t, v.want)
		got, err := PBKDF2(crypto.SHA1, []byte(v.password), []byte(v.salt), v.iterations, len(want))
		wanted(t, "PBKDF2", got, err, want)
	}
	_, err := PBKDF2(crypto.MD5, nil, nil, 1, 1)
	refused(t, "MD5", err, ErrUnsupported)
	_, err = PBKDF2(crypto.SHA1, nil, nil, 0, 1)
	refused(t, "no iterations", err, ErrParameter)
	_, err = PBKDF2(crypto.SHA1, nil, nil, 1<<31, 1)
	refused(t, "iterations without end", err, ErrParameter)
	_, err = PBKDF2(crypto.SHA1, nil, nil, 1, 0)
	refused(t, "no bytes", err, ErrKeySize)
}

// TestX963Vectors has some of NIST's (ansx963_2001).
func TestX963Vectors(t *testing.T) {
	for _, v := range []struct {
		hash                 crypto.Hash
		shared, info, starts string
		n                    int
	}{
		{crypto.SHA1, "fd17198b89ab39c4ab5d7cca363b82f9fd7e23c3984dc8a2", "856a53f3e36a26bbc5792879f307cce2", "6e5fad865cb4a51c95209b16df0cc490bc2c9064405c5bccd4ee4832a531fbe7", 128},
		{crypto.SHA224, "da67a73072d521a8272c69023573012ddf9b46bff65b3900", "727997aed53e78f74b1d66743a4ea4d2", "dfc3126c5eebf9a58d89730e8d8ff7cc772592f28c10b349b437d9d068698a22", 128},
		{crypto.SHA256, "22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d", "75eef81aa3041e33b80971203d2c0c52", "c498af77161cc59f2962b9a713e2b215152d139766ce34a776df11866a69bf2e", 128},
		{crypto.SHA384, "d8554db1b392cd55c3fe957bed76af09c13ac2a9392f88f6", "", "671a46aada145162f8ddf1ca586a1cda", 16},
		{crypto.SHA512, "87fc0d8c4477485bb574f5fcea264b30885dc8d90ad82782", "", "947665fbb9152153ef460238506a0245", 16},
	} {
		got, err := deriveX963(v.hash, unhex(t, v.shared), unhex(t, v.info), v.n)
		if len(got) != v.n {
			t.Fatalf("%d bytes of %d, %v", len(got), v.n, err)
		}
		want := unhex(t, v.starts)
		wanted(t, "X9.63", got[:len(want)], err, want)
	}
}

// TestSimpleDerivations has the examples of PKCS#11, section 6.43.
func TestSimpleDerivations(t *testing.T) {
	base := need[*Secret](t)(NewSecret(unhex(t, "01234567")))
	other := need[*Secret](t)(NewSecret(unhex(t, "89abcdef")))
	got, err := base.Concatenate(other, 0)
	wanted(t, "base and key", got, err, unhex(t, "0123456789abcdef"))
	got, err = base.ConcatenateData(unhex(t, "89abcdef"), 6)
	wanted(t, "base and data", got, err, unhex(t, "0123456789ab"))
	got, err = base.ConcatenateToData(unhex(t, "89abcdef"), 0)
	wanted(t, "data and base", got, err, unhex(t, "89abcdef01234567"))
	got, err = base.XOR(unhex(t, "89abcdef11"), 0)
	wanted(t, "base xor data", got, err, unhex(t, "88888888"))
	got, err = base.XOR(unhex(t, "89ab"), 0)
	wanted(t, "base xor shorter data", got, err, unhex(t, "8888"))
	key := need[*Secret](t)(NewSecret(unhex(t, "329f84a9")))
	got, err = key.Extract(21, 2)
	wanted(t, "extracted", got, err, unhex(t, "9526"))
	got, err = key.Extract(0, 4)
	wanted(t, "extracted whole", got, err, unhex(t, "329f84a9"))
	got, err = key.DeriveHash(crypto.SHA512_224, 20)
	wanted(t, "hashed", got, err, digest(crypto.SHA512_224, unhex(t, "329f84a9"))[:20])
	wanted(t, "the key itself", key.Value(), nil, unhex(t, "329f84a9"))

	_, err = base.Concatenate(other, 9)
	refused(t, "more than there is", err, ErrKeySize)
	_, err = base.XOR(nil, 0)
	refused(t, "nothing", err, ErrKeySize)
	_, err = base.XOR(unhex(t, "89ab"), 3)
	refused(t, "more than the shorter one", err, ErrKeySize)
	_, err = base.ConcatenateData(make([]byte, LongestSecret), 0)
	refused(t, "too long", err, ErrKeySize)
	_, err = base.DeriveHash(crypto.SHA1, 21)
	refused(t, "more than the hash", err, ErrKeySize)
	_, err = base.DeriveHash(crypto.MD5, 0)
	refused(t, "MD5", err, ErrUnsupported)
	for _, bit := range []uint64{32, 1 << 63} {
		_, err = key.Extract(bit, 1)
		refused(t, "beyond the last bit", err, ErrParameter)
	}
	for _, n := range []int{0, -1, 5} {
		_, err = key.Extract(0, n)
		refused(t, "more than there is", err, ErrKeySize)
	}
}

// TestExtractAll compares all bits with how the specification tells it.
func TestExtractAll(t *testing.T) {
	key := randomBytes(9)
	s := need[*Secret](t)(NewSecret(key))
	var bits []byte
	for _, b := range slices.Concat(key, key) {
		for i := 7; i >= 0; i-- {
			bits = append(bits, b>>i&1)
		}
	}
	for first := range 72 {
		for n := 1; n <= 9; n++ {
			want := make([]byte, n)
			for i := range 8 * n {
				want[i/8] = want[i/8]<<1 | bits[first+i]
			}
			got, err := s.Extract(uint64(first), n)
			wanted(t, "extracted", got, err, want)
		}
	}
}
