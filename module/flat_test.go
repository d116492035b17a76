// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// observer is a device that notes from where it is asked to sign.
type observer struct {
	scm.Device
	callers []string
}

func (o *observer) Sign(scm.Slot, []byte) ([]byte, error) {
	callers := make([]uintptr, 50)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		o.callers = append(o.callers, f.Function[strings.LastIndex(f.Function, "/")+1:])
	}
	return make([]byte, 64), nil
}

// observed returns a provider with a token that is initialised, and its device.
func observed(t *testing.T) (*pkcs11.Provider, *observer) {
	t.Helper()
	dir, device := t.TempDir(), &observer{}
	p := pkcs11.New(pkcs11.Options{Slots: []pkcs11.SlotOptions{{Open: func() (scm.Device, *store.Store, error) {
		d, err := soft.Open(dir, soft.Options{Group: -1, Settings: soft.Settings{Host: "test"}})
		if err != nil {
			return nil, nil, err
		}
		s, err := store.Open(dir, store.Options{Mode: 0o600, Group: -1})
		if err != nil {
			return nil, nil, errors.Join(err, d.Close())
		}
		device.Device = d
		return device, s, nil
	}}}})
	t.Cleanup(func() { p.Close() })
	return p, device
}

// signing logs in and begins a signature in the session that it returns.
func signing(t *testing.T, p *pkcs11.Provider) (session uint) {
	t.Helper()
	const flags = pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION
	class := make([]byte, unsafe.Sizeof(uint(0)))
	*(*uint)(unsafe.Pointer(&class[0])) = pkcs11.CKO_PRIVATE_KEY
	handles := make([]uint, 1)
	failed := p.InitToken(0, []byte("so-87654321"), []byte("test"))
	session, err := p.OpenSession(0, flags)
	failed = errors.Join(failed, err, p.Login(session, pkcs11.CKU_SO, []byte("so-87654321")),
		p.InitPIN(session, []byte("user-1234")), p.Logout(session),
		p.Login(session, pkcs11.CKU_USER, []byte("user-1234")),
		p.FindObjectsInit(session, []pkcs11.Attribute{{Type: pkcs11.CKA_CLASS, Value: class}}))
	_, err = p.FindObjects(session, handles)
	failed = errors.Join(failed, err, p.FindObjectsFinal(session),
		p.SignInit(session, &pkcs11.Mechanism{Type: pkcs11.CKM_ECDSA}, handles[0]))
	if failed != nil {
		t.Fatal(failed)
	}
	return session
}

// callSign calls goSign with memory of Go's: a test cannot name the types of C.
func callSign(session uint, data, signature []byte, length *uint) pkcs11.Error {
	sign := reflect.ValueOf(goSign)
	pointer := func(i int, p unsafe.Pointer) reflect.Value { return reflect.NewAt(sign.Type().In(i).Elem(), p) }
	number := func(i int, n uint) reflect.Value { return reflect.ValueOf(n).Convert(sign.Type().In(i)) }
	rv := sign.Call([]reflect.Value{
		number(0, session), pointer(1, unsafe.Pointer(&data[0])), number(2, uint(len(data))),
		pointer(3, unsafe.Pointer(&signature[0])), pointer(4, unsafe.Pointer(length)),
	})
	return pkcs11.Error(rv[0].Uint())
}

// TestStackOfSign: a signature goes through few functions, each of which has a name that a
// stack trace shows.
func TestStackOfSign(t *testing.T) {
	p, device := observed(t)
	current.Store(&library{log: trace.NewLogger(trace.Error, "stderr"), provider: p})
	t.Cleanup(func() { current.Store(nil) })
	length := uint(64)
	if rv := callSign(signing(t, p), make([]byte, 32), make([]byte, 64), &length); rv != pkcs11.CKR_OK || length != 64 {
		t.Fatalf("C_Sign: %v, length %d", rv, length)
	}
	want := []string{
		"module.(*observer).Sign", "pkcs11.(*heldKey).sign", "pkcs11.(*deviceSigner).Sign", "pkcs11.(*session).finishSigning", "pkcs11.(*Provider).Sign", "module.goSign",
	}
	if end := slices.Index(device.callers, "module.goSign"); end < 0 || !slices.Equal(device.callers[:end+1], want) {
		t.Errorf("the device was called by way of %q, want %q", device.callers, want)
	}
}
