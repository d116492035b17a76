// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import (
	"runtime"
	"sync"
)

// faultRoom is by how much a goroutine's stack is grown for the kernel's frame of a fault
// in Go's own code, as the host's threads have no other stack for it (faults.c).
const faultRoom = 32 << 10

// goMeet is the first call of a thread of the host. The runtime keeps a goroutine for the
// thread, whose stack is made large enough for faults once, and stays so.
//
//export goMeet
func goMeet() { growStack() }

//go:noinline
func growStack() {
	var room [faultRoom]byte
	runtime.KeepAlive(&room)
}

// heapReserve is how much address space the heap keeps in a host whose address space is
// limited: some logins at a time, each with the memory of its Argon2id.
const heapReserve = 96 << 20

// goReserveHeap has the heap reserve address space, which it never gives back. The memory
// is not touched, so that the host has no less of it.
//
//export goReserveHeap
func goReserveHeap() {
	runtime.KeepAlive(make([]byte, heapReserve))
	runtime.GC()
}

// goPrepareThreads has the runtime make n threads, which it keeps: the host may be allowed
// none later.
//
//export goPrepareThreads
func goPrepareThreads(n C.int) { prepareThreads(int(n)) }

func prepareThreads(n int) {
	threads := threads{release: make(chan struct{})}
	threads.there.Add(n)
	for range n {
		threads.gone.Go(threads.occupy)
	}
	threads.there.Wait()
	close(threads.release)
	threads.gone.Wait()
}

// threads are threads that wait for one another.
type threads struct {
	there, gone sync.WaitGroup
	release     chan struct{}
}

// occupy has a thread of its own while it waits.
func (t *threads) occupy() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t.there.Done()
	<-t.release
}
