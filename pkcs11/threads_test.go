// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
)

// The tests of this file are of threads that wait for one another: while a file is busy
// their waits do not add up, and while the device is slow none of them fails.

// newWaiting is newUser with a store that waits so long for other processes.
func newWaiting(t *testing.T, wait time.Duration) *fixture {
	t.Helper()
	made := newPublic(t)
	made.Close()
	f := openIn(t, made.dir, Options{})
	f.wait = wait
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
	f.search()
	return f
}

// worker is what one of the threads works with.
type worker struct{ session, key, data uint }

const threads = 8

func (f *fixture) workers() []worker {
	f.Helper()
	list := make([]worker, threads)
	for i := range list {
		data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true))
		f.ok(err)
		list[i] = worker{f.session(CKF_RW_SESSION), f.private(i), data}
	}
	return list
}

// atOnce has all of them work at the same time.
func (f *fixture) atOnce(workers []worker, work func(worker)) {
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() { work(w) })
	}
	all.Wait()
}

func doSearch(f *fixture, w worker) error {
	err := f.FindObjectsInit(w.session, nil)
	if err == nil {
		err = f.FindObjectsFinal(w.session)
	}
	return err
}

func doGenerate(f *fixture, w worker) error {
	public := is(CKA_TOKEN, true, CKA_EC_PARAMS, curves[scm.P256].encodeParams())
	_, _, err := f.GenerateKeyPair(w.session, &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, public, is(CKA_TOKEN, true))
	return err
}

// TestWaitIsOne: of many threads that call while a file of the token is held each waits as
// long as one would.
func TestWaitIsOne(t *testing.T) {
	const wait = time.Second
	for _, tt := range []struct {
		name, file string
		call       func(f *fixture, w worker) error
	}{
		{"search", "token.db.lock", doSearch},
		{"name a key", "token.db.write", func(f *fixture, w worker) error {
			return f.SetAttributeValue(w.session, w.key, is(CKA_LABEL, "new"))
		}},
		{"destroy", "token.db.write", func(f *fixture, w worker) error { return f.DestroyObject(w.session, w.data) }},
		{"create", "token.db.write", func(f *fixture, w worker) error {
			_, err := f.CreateObject(w.session, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true))
			return err
		}},
		{"generate", "token.db.write", doGenerate},
		{"in one session", "token.db.write", func(f *fixture, _ worker) error { return create(f, CKO_DATA) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newWaiting(t, wait)
			workers := f.workers()
			f.ok(create(f.another(), CKO_DATA)) // so that there is something to read
			release := f.withheld(tt.file)
			start := time.Now()
			f.atOnce(workers, func(w worker) { want(t, tt.name, tt.call(f, w), CKR_DEVICE_ERROR) })
			took := time.Since(start)
			t.Logf("%d threads with a wait of %v: the last was told after %v", threads, wait, took)
			if took > threads/2*wait {
				t.Errorf("%d threads with a wait of %v: the last was told after %v", threads, wait, took)
			}
			release()
			f.atOnce(workers, func(w worker) { want(t, "afterwards", tt.call(f, w), CKR_OK) })
		})
	}
}

// TestSlowDeviceIsNotBusy: a device may take as long as it does, however short the wait for
// other processes is. A call that waits for a lock that is held meanwhile is served in the end.
func TestSlowDeviceIsNotBusy(t *testing.T) {
	const wait = 20 * time.Millisecond
	for _, tt := range []struct {
		name, method string
		call         func(f *fixture, w worker) error
	}{{"search", "Keys", doSearch}, {"generate", "Generate", doGenerate}} {
		t.Run(tt.name, func(t *testing.T) {
			f := newWaiting(t, wait)
			workers := f.workers()
			f.device.Before(tt.method, func(int) error {
				time.Sleep(3 * wait)
				return nil
			})
			f.token().forgetObjects()
			f.atOnce(workers, func(w worker) { want(t, tt.name, tt.call(f, w), CKR_OK) })
		})
	}
}
