// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"reflect"
	"sync/atomic"
	"testing"
)

// TestNoLogger: a provider without a Logger has nothing to say.
func TestNoLogger(t *testing.T) {
	opened := 0
	p := New(Options{Slots: []SlotOptions{failing(&opened)}})
	defer p.Close()
	_, err := p.GetTokenInfo(0)
	want(t, "token", err, CKR_TOKEN_NOT_PRESENT)
	p.log.Warningf("not %s", "seen")
	p.log.Infof("not %s", "seen")
}

// TestNewOpensNothing: devices are opened by the first call that needs them, and
// only once.
func TestNewOpensNothing(t *testing.T) {
	f := newBlank(t)
	_, err := f.GetInfo()
	f.ok(err)
	f.ok(f.GetSlotList(Output[uint]{Length: new(uint)}))
	if f.device != nil {
		t.Error("the device is open before it is needed")
	}
	f.session(0)
	first := f.device
	f.session(0)
	if f.device != first || first == nil {
		t.Error("the device was opened anew")
	}
}

// TestHandlesAcrossProviders: a handle that outlives its provider, as one does
// that a thread got just before C_Finalize, means nothing to the next.
func TestHandlesAcrossProviders(t *testing.T) {
	handles := new(atomic.Uint64)
	before := openIn(t, t.TempDir(), Options{Handles: handles})
	h := before.session(0)
	before.Close()
	after := openIn(t, before.dir, Options{Handles: handles})
	if next := after.session(0); next <= h {
		t.Errorf("session %d after %d", next, h)
	}
	_, err := after.GetSessionInfo(h)
	want(t, "session of before", err, CKR_SESSION_HANDLE_INVALID)
}

// TestCloseWaits: Close comes back when the calls that run have ended.
func TestCloseWaits(t *testing.T) {
	f := newPublic(t)
	inside, release, ended := make(chan bool), make(chan bool), atomic.Bool{}
	f.device.Before("Random", func(int) error {
		inside <- true
		<-release
		ended.Store(true)
		return nil
	})
	go func() { _ = f.GenerateRandom(f.h, make([]byte, 1)) }()
	<-inside
	go close(release)
	f.Close()
	if !ended.Load() {
		t.Error("closed while a call was running")
	}
}

// TestClosed: after Close each method, Close too, answers a code and does nothing.
func TestClosed(t *testing.T) {
	f := newPublic(t)
	f.ok(f.Close())
	p := reflect.ValueOf(f.Provider)
	for i := range p.NumMethod() {
		name, method := p.Type().Method(i).Name, p.Method(i)
		if name == "Present" || name == "Unmade" {
			continue // which answer no code
		}
		var arguments []reflect.Value
		for j := range method.Type().NumIn() {
			arguments = append(arguments, reflect.Zero(method.Type().In(j)))
		}
		results := method.Call(arguments)
		err, _ := results[len(results)-1].Interface().(error)
		want(t, name, err, CKR_CRYPTOKI_NOT_INITIALIZED)
	}
	if f.Present(0) || f.Unmade(0) {
		t.Error("a token is present, or yet to be made")
	}
}
