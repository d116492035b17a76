// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/sharedfile"
)

// others are what other processes do to the SCM in a directory.
var others = map[string]processtest.Role{
	"change": change,
	"halt":   halt,
	"lock":   lock,
	"obey":   obey,
}

// A signature that waits for another process takes as long as that wants, up to the 5 s of
// Options.Wait. One that does not may still be late on a busy machine.
const late = 2 * time.Second

// change makes and removes keys, with the pause in between that it is told. It tells each
// that it has made.
func change(dir string, in *bufio.Scanner) error {
	in.Scan()
	pause, err := time.ParseDuration(in.Text())
	if err != nil {
		return err
	}
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	for tick := time.Tick(pause); ; <-tick {
		k, err := d.Generate(scm.P256)
		if err != nil {
			return err
		}
		fmt.Printf("%d %x\n", k.Slot, k.Public)
		<-tick
		if err := d.Remove(k); err != nil {
			return err
		}
	}
}

// halt stops in the middle of a transaction that hides the public key in a slot, and ends
// it when it goes on.
func halt(dir string, in *bufio.Scanner) error {
	in.Scan()
	slot, err := strconv.Atoi(in.Text())
	if err != nil {
		return err
	}
	file, err := sharedfile.Open(filepath.Join(dir, "flash.db"), sharedfile.Options{Parts: int(scm.LastUser) + 2, Upgrades: make([]string, 1)})
	if err != nil {
		return err
	}
	_, err = file.Change(func(tx *sql.Tx) ([]int, error) {
		if _, err := tx.Exec("UPDATE key SET hidden = TRUE WHERE slot = ?", slot); err != nil {
			return nil, err
		}
		return []int{slot}, stop()
	})
	if err == nil {
		fmt.Println("done")
	}
	return errors.Join(err, file.Close())
}

// stop tells the number of the process and stops it.
func stop() error {
	fmt.Println(os.Getpid())
	return syscall.Kill(os.Getpid(), syscall.SIGSTOP)
}

// lock holds the lock that keeps everybody from the flash, and stops.
func lock(dir string, _ *bufio.Scanner) error {
	file, err := os.OpenFile(filepath.Join(dir, "flash.db.lock"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	return stop()
}

// stopped starts a process that stops, and waits until it has.
func stopped(t *testing.T, role, dir, line string) (p *processtest.Process, pid int) {
	t.Helper()
	p = processtest.Start(t, role, dir)
	p.Tell(line)
	pid, err := strconv.Atoi(p.Hear())
	check(t, err)
	for !isStopped(t, pid) {
		time.Sleep(time.Millisecond)
	}
	return p, pid
}

func isStopped(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(t, err)
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "T")
}

// user is a device with keys that are ready, of each kind.
type user struct {
	t    *testing.T
	d    *soft.Device
	keys []scm.Key
}

func newUser(t *testing.T, dir string) *user {
	t.Helper()
	u := &user{t: t, d: open(t, dir, options)}
	permanent, err := u.d.PublicKey(0)
	check(t, err)
	volatile, err := u.d.GenerateVolatile(scm.P256)
	check(t, err)
	u.keys = []scm.Key{permanent, generate(t, u.d, scm.P256), volatile}
	u.use()
	return u
}

// use uses every key, and whatever else must never wait.
func (u *user) use() {
	u.t.Helper()
	for _, k := range u.keys {
		before := time.Now()
		sig, err := u.d.Sign(k.Slot, make([]byte, 32))
		check(u.t, err)
		_, err = u.d.Agree(k.Slot, u.keys[0].Public)
		check(u.t, err)
		u.d.Stamp(k.Slot)
		u.d.Version()
		if took := time.Since(before); took > late {
			u.t.Errorf("the key in slot %d took %v", k.Slot, took)
		}
		check(u.t, scmtest.Verify(k, make([]byte, 32), sig))
	}
}

// TestBesideHaltedWriter uses keys while another process is stopped in a transaction. What
// has changed before can be read.
func TestBesideHaltedWriter(t *testing.T) {
	dir := t.TempDir()
	reader := open(t, dir, options)
	u := newUser(t, dir)
	other := generate(t, u.d, scm.P256)
	p, pid := stopped(t, "halt", dir, fmt.Sprint(other.Slot))
	for range 50 {
		u.use()
	}
	begun := time.Now()
	if keys, err := reader.Keys(); err != nil || len(keys) != scm.PermanentSlots+2 {
		t.Errorf("Keys = %d keys, %v", len(keys), err)
	}
	_, err := reader.Sign(other.Slot, make([]byte, 32))
	check(t, err)
	if took := time.Since(begun); took > late {
		t.Errorf("reading took %v", took)
	}
	check(t, syscall.Kill(pid, syscall.SIGCONT))
	if answer := p.Hear(); answer != "done" {
		t.Errorf("the writer says %q", answer)
	}
	u.use()
	_, err = u.d.PublicKey(other.Slot)
	wantError(t, "PublicKey of a key that was hidden", err, scm.ErrExport)
}

// TestBesideLock uses keys while another process keeps everybody from the flash, and
// callers of this process wait for it.
func TestBesideLock(t *testing.T) {
	dir := t.TempDir()
	u := newUser(t, dir)
	impatient := options
	impatient.Wait = 300 * time.Millisecond
	waiting := open(t, dir, impatient)
	generate(t, u.d, scm.P256) // that the other has to read
	p, _ := stopped(t, "lock", dir, "")
	const callers = 16
	told := make(chan error, callers)
	begun := time.Now()
	for range callers {
		go func() { _, err := waiting.Keys(); told <- err }()
	}
	for range 50 {
		u.use()
	}
	_, err := waiting.Sign(0, make([]byte, 32)) // with a key that has not changed
	check(t, err)
	for range callers {
		wantError(t, "Keys", <-told, scm.ErrDevice)
	}
	if took := time.Since(begun); took > late {
		t.Errorf("the last of %d callers was told after %v", callers, took)
	}
	p.Kill()
	keys, err := waiting.Keys()
	if err != nil || len(keys) != scm.PermanentSlots+2 {
		t.Errorf("Keys = %d keys, %v", len(keys), err)
	}
}

// TestBesideStoppedProcess stops a process that makes and removes keys at any moment.
func TestBesideStoppedProcess(t *testing.T) {
	dir := t.TempDir()
	u := newUser(t, dir)
	p := processtest.Start(t, "change", dir)
	p.Tell("1ms")
	p.Hear()
	for range 20 {
		time.Sleep(rand.N(20 * time.Millisecond))
		p.Signal(syscall.SIGSTOP)
		for range 10 {
			u.use()
		}
		p.Signal(syscall.SIGCONT)
	}
	p.Kill()
	checkWhole(t, u.d)
}

// obey does what it is told, and says what came of it.
func obey(dir string, in *bufio.Scanner) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	for in.Scan() {
		words := strings.Fields(in.Text())
		slot := scm.Slot(0)
		if len(words) > 1 {
			fmt.Sscan(words[1], &slot)
		}
		var k scm.Key
		switch words[0] {
		case "make":
			k, err = scmtest.GenerateAt(d, slot, scm.P256)
		case "remove":
			err = d.Remove(scm.Key{Slot: slot})
		case "seal":
			err = seal(d, []byte("secret"))
		case "unbind":
			err = d.InjectUnbind()
		case "bind":
			err = d.InjectRebind()
		case "fault":
			err = d.InjectFault(board.Fault{Timeouts: 1})
		case "destroy":
			err = selfDestruct(d)
		case "reset":
			err = d.Reset()
		}
		fmt.Printf("%x %v\n", k.Public, err)
	}
	return d.Close()
}

// order has a process do something, and returns the public key that came of it.
func order(t *testing.T, p *processtest.Process, line string) (public []byte) {
	t.Helper()
	p.Tell(line)
	answer := p.Hear()
	key, err, _ := strings.Cut(answer, " ")
	if err != "<nil>" {
		t.Fatalf("%s: %s", line, err)
	}
	fmt.Sscanf(key, "%x", &public)
	return public
}

// TestReplacedElsewhere signs with keys that another process removes and replaces: a key
// that is gone for the other does not sign here.
func TestReplacedElsewhere(t *testing.T) {
	dir := t.TempDir()
	u := newUser(t, dir)
	p := processtest.Start(t, "obey", dir)
	const slot = 100
	for range 50 {
		k := scm.Key{Slot: slot, Curve: scm.P256, Public: order(t, p, fmt.Sprint("make ", slot))}
		sig, err := u.d.Sign(slot, make([]byte, 32))
		check(t, err)
		if err := scmtest.Verify(k, make([]byte, 32), sig); err != nil {
			t.Errorf("another key than the one that was made signs: %v", err)
		}
		order(t, p, fmt.Sprint("remove ", slot))
		_, err = u.d.Sign(slot, make([]byte, 32))
		wantError(t, "Sign with a key that was removed", err, scm.ErrSlotEmpty)
	}
	u.use()
}

// TestChangedElsewhere signs after another process has done something to the whole SCM.
func TestChangedElsewhere(t *testing.T) {
	for _, test := range []struct {
		order string
		want  error
		mend  string
	}{
		{"seal", scm.ErrSealed, ""},
		{"unbind", scm.ErrAbsent, "bind"},
		{"fault", scm.ErrTimeout, "bind"},
		{"destroy", scm.ErrDestroyed, "reset"},
	} {
		t.Run(test.order, func(t *testing.T) {
			dir := t.TempDir()
			u := newUser(t, dir)
			p := processtest.Start(t, "obey", dir)
			order(t, p, test.order)
			wantError(t, "Sign", sign(u.d), test.want)
			if test.mend == "" {
				return
			}
			order(t, p, test.mend)
			check(t, sign(u.d))
			checkWhole(t, u.d)
		})
	}
}
