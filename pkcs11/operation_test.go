// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "testing"

// TestOperationStates goes through every state and every step from it.
func TestOperationStates(t *testing.T) {
	const idle, begun, asked, partway, within = 0, 1, 2, 3, 4
	in := func(state int) *operation[int] {
		o := &operation[int]{}
		if state >= begun {
			_ = o.begin(new(int))
		}
		switch state {
		case asked:
			_, _ = o.workInOne()
		case partway:
			_, _ = o.workInParts()
		case within:
			o.beginMessage()
		}
		return o
	}
	begin := func(o *operation[int]) error { return o.begin(new(int)) }
	whole := func(o *operation[int]) error { _, err := o.workInOne(); return err }
	part := func(o *operation[int]) error { _, err := o.workInParts(); return err }
	message := func(o *operation[int]) error { _, err := o.workForMessage(); return err }
	next := func(o *operation[int]) error { _, err := o.workInMessage(); return err }
	failed := func(o *operation[int]) error { return o.endOnError(CKR_DATA_INVALID) }
	went := func(o *operation[int]) error { return o.endOnError(nil) }
	end := func(o *operation[int]) error { o.end(); return nil }
	for _, c := range []struct {
		name  string
		step  func(*operation[int]) error
		from  int
		code  Error
		after int
	}{
		{"idle", (*operation[int]).checkIdle, idle, CKR_OK, idle},
		{"idle", (*operation[int]).checkIdle, begun, CKR_OPERATION_ACTIVE, begun},
		{"idle", (*operation[int]).checkIdle, partway, CKR_OPERATION_ACTIVE, partway},
		{"begin", begin, idle, CKR_OK, begun},
		{"begin", begin, begun, CKR_OPERATION_ACTIVE, begun},
		{"begin", begin, partway, CKR_OPERATION_ACTIVE, partway},
		{"whole", whole, idle, CKR_OPERATION_NOT_INITIALIZED, idle},
		{"whole", whole, begun, CKR_OK, asked},
		{"whole", whole, asked, CKR_OK, asked},
		{"whole", whole, partway, CKR_OPERATION_ACTIVE, idle},
		{"part", part, idle, CKR_OPERATION_NOT_INITIALIZED, idle},
		{"part", part, begun, CKR_OK, partway},
		{"part", part, asked, CKR_OPERATION_ACTIVE, idle},
		{"part", part, partway, CKR_OK, partway},
		{"message", message, idle, CKR_OPERATION_NOT_INITIALIZED, idle},
		{"message", message, begun, CKR_OK, begun},
		{"message", message, within, CKR_OPERATION_ACTIVE, within},
		{"next", next, idle, CKR_OPERATION_NOT_INITIALIZED, idle},
		{"next", next, begun, CKR_OPERATION_NOT_INITIALIZED, begun},
		{"next", next, within, CKR_OK, within},
		{"message ends", func(o *operation[int]) error { o.endMessage(); return nil }, within, CKR_OK, begun},
		{"message fails", func(o *operation[int]) error { return o.endMessageOnError(CKR_DATA_INVALID) }, within, CKR_DATA_INVALID, begun},
		{"message goes on", func(o *operation[int]) error { return o.endMessageOnError(nil) }, within, CKR_OK, within},
		{"message has no room", func(o *operation[int]) error { return o.endMessageOnError(CKR_BUFFER_TOO_SMALL) }, within, CKR_BUFFER_TOO_SMALL, within},
		{"endOn failure", failed, partway, CKR_DATA_INVALID, idle},
		{"endOn success", went, partway, CKR_OK, partway},
		{"end", end, idle, CKR_OK, idle},
		{"end", end, partway, CKR_OK, idle},
	} {
		o := in(c.from)
		want(t, c.name, c.step(o), c.code)
		after := idle
		if o.work != nil {
			after = begun + int(o.way)
		}
		if after != c.after {
			t.Errorf("%s from state %d leads to %d, want %d", c.name, c.from, after, c.after)
		}
	}
}

// TestOperationFinish checks what ends an operation: everything but a question
// for the size and a buffer that is too small.
func TestOperationFinish(t *testing.T) {
	for _, c := range []struct {
		name   string
		out    Output[byte]
		fails  error
		code   Error
		active bool
		asked  bool // for the result
		length uint
	}{
		{"size", sizeOnly(), nil, CKR_OK, true, false, 4},
		{"too small", room(3), nil, CKR_BUFFER_TOO_SMALL, true, false, 4},
		{"exact", room(4), nil, CKR_OK, false, true, 4},
		{"larger", room(9), nil, CKR_OK, false, true, 4},
		{"failure", room(4), CKR_DEVICE_ERROR, CKR_DEVICE_ERROR, false, true, 4},
		{"no length", Output[byte]{Buffer: make([]byte, 4)}, nil, CKR_ARGUMENTS_BAD, false, false, 0},
	} {
		o := &operation[int]{work: new(int)}
		asked, err := o.finish(c.out, 4)
		if asked {
			err = c.out.copyUnless([]byte("done"), c.fails)
		}
		want(t, c.name, err, c.code)
		if active := o.work != nil; active != c.active || asked != c.asked {
			t.Errorf("%s: active %v, asked %v, want %v, %v", c.name, active, asked, c.active, c.asked)
		}
		if c.out.Length != nil && *c.out.Length != c.length {
			t.Errorf("%s: length %d, want %d", c.name, *c.out.Length, c.length)
		}
	}
}

func room(n int) Output[byte] {
	out, _ := buffer(n)
	return out
}

// TestKindsAreIndependent has a digest, a signature, a verification and a search
// under way in one session.
func TestKindsAreIndependent(t *testing.T) {
	f := newUser(t)
	sha, ecdsa := &Mechanism{Type: CKM_SHA256}, &Mechanism{Type: CKM_ECDSA_SHA256}
	f.ok(f.DigestInit(f.h, sha))
	signer, verifier := f.private(0), f.public(0)
	f.ok(f.SignInit(f.h, ecdsa, signer))
	f.ok(f.VerifyInit(f.h, ecdsa, verifier))
	f.ok(f.FindObjectsInit(f.h, nil))

	want(t, "second digest", f.DigestInit(f.h, sha), CKR_OPERATION_ACTIVE)
	want(t, "second signature", f.SignInit(f.h, ecdsa, signer), CKR_OPERATION_ACTIVE)
	want(t, "second verification", f.VerifyInit(f.h, ecdsa, verifier), CKR_OPERATION_ACTIVE)
	want(t, "second search", f.FindObjectsInit(f.h, nil), CKR_OPERATION_ACTIVE)

	out, signature := buffer(64)
	f.ok(f.Sign(f.h, digest32, out))
	f.ok(f.Verify(f.h, digest32, signature))
	f.ok(f.Digest(f.h, digest32, room(32)))
	f.ok(f.FindObjectsFinal(f.h))
}

// TestCancel ends operations by a NULL mechanism and by C_SessionCancel.
func TestCancel(t *testing.T) {
	f := newUser(t)
	signer, verifier := f.private(0), f.public(0)
	m := &Mechanism{Type: CKM_ECDSA}
	kinds := []struct {
		name   string
		flag   uint
		begin  func() error
		cancel func() error
		use    func() error
	}{
		{"digest", CKF_DIGEST,
			func() error { return f.DigestInit(f.h, &Mechanism{Type: CKM_SHA_1}) },
			func() error { return f.DigestInit(f.h, nil) },
			func() error { return f.DigestFinal(f.h, room(20)) }},
		{"sign", CKF_SIGN,
			func() error { return f.SignInit(f.h, m, signer) },
			func() error { return f.SignInit(f.h, nil, 0) },
			func() error { return f.Sign(f.h, digest32, room(64)) }},
		{"verify", CKF_VERIFY,
			func() error { return f.VerifyInit(f.h, m, verifier) },
			func() error { return f.VerifyInit(f.h, nil, 0) },
			func() error { return f.Verify(f.h, digest32, make([]byte, 64)) }},
		{"find", CKF_FIND_OBJECTS,
			func() error { return f.FindObjectsInit(f.h, nil) },
			func() error { return f.FindObjectsFinal(f.h) },
			func() error { _, err := f.FindObjects(f.h, nil); return err }},
	}
	for _, k := range kinds {
		for name, cancel := range map[string]func() error{
			"by the function":     k.cancel,
			"by C_SessionCancel":  func() error { return f.SessionCancel(f.h, k.flag) },
			"with all the others": func() error { return f.SessionCancel(f.h, ^uint(0)) },
		} {
			f.ok(k.begin())
			f.ok(f.SessionCancel(f.h, ^uint(0)&^(CKF_DIGEST|CKF_SIGN|CKF_VERIFY|CKF_FIND_OBJECTS)))
			want(t, k.name+" goes on", k.begin(), CKR_OPERATION_ACTIVE)
			want(t, k.name+" cancelled "+name, cancel(), CKR_OK)
			want(t, k.name+" after it", k.use(), CKR_OPERATION_NOT_INITIALIZED)
		}
	}
}
