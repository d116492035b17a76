// SPDX-License-Identifier: Apache-2.0

package backup_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// write makes key pairs and data objects by turns, each named by its writer and its number, until its input ends. It tells
// each number when it is done.
func write(module string) error {
	k := pkcs11.New(module)
	if err := k.Initialize(); err != nil {
		return err
	}
	session, err := k.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return err
	}
	if err := k.Login(session, pkcs11.CKU_USER, harness.UserPIN); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for n := 0; in.Scan(); n++ {
		label := fmt.Sprintf("%s-%d", os.Getenv("WRITER"), n)
		if n%8 == 0 { // key slots are few
			err = pair(k, session, label)
		} else {
			_, err = k.CreateObject(session, []*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), attr(pkcs11.CKA_TOKEN, true),
				attr(pkcs11.CKA_PRIVATE, true), attr(pkcs11.CKA_LABEL, label), attr(pkcs11.CKA_VALUE, label)})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", label, err)
		}
		fmt.Println(n)
	}
	return k.Finalize()
}

// writer is a process that writes.
type writer struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done *bufio.Scanner
	errs strings.Builder
	told int
}

func startWriter(t *testing.T, home *harness.Home, i int) *writer {
	t.Helper()
	w := &writer{cmd: home.Role("write"), told: -1}
	w.cmd.Env = append(w.cmd.Env, fmt.Sprint("WRITER=", i))
	w.cmd.Stderr = &w.errs
	in, err := w.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.in, w.done = in, bufio.NewScanner(out)
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	return w
}

// writeOn has it write so many more, without waiting for them.
func (w *writer) writeOn(n int) { _, _ = io.WriteString(w.in, strings.Repeat("\n", n)) }

// await waits until it has written so many in all.
func (w *writer) await(t *testing.T, n int) {
	t.Helper()
	for w.told+1 < n {
		if !w.done.Scan() {
			t.Fatalf("a writer has ended: %s", w.errs.String())
		}
		if _, err := fmt.Sscan(w.done.Text(), &w.told); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBackupUnderLoad takes backups while processes write: each restores to a state that existed. What a writer had done before
// is there, what it had not begun is not, and nothing is missing in between; each key pair is whole, and signs.
func TestBackupUnderLoad(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	backups, writers, each := 3, 4, 8
	if os.Getenv("ZK_SOAK") != "" {
		backups, writers = 50, 8
	}
	x := newTool(t)
	var all []*writer
	for i := range writers {
		all = append(all, startWriter(t, x.home, i))
	}
	least, files := make([][]int, backups), make([]string, backups)
	for b := range backups {
		for _, w := range all {
			w.await(t, b*each)
			least[b] = append(least[b], w.told+1)
			w.writeOn(each)
		}
		files[b] = x.backUp()
	}
	for _, w := range all {
		w.await(t, backups*each)
		_ = w.in.Close()
		if err := w.cmd.Wait(); err != nil || w.errs.Len() > 0 {
			t.Errorf("a writer: %v, %s", err, w.errs.String())
		}
	}
	for b, file := range files {
		t.Run(fmt.Sprint(b), func(t *testing.T) { checkRestored(t, file, least[b], (b+1)*each) })
	}
}

// checkRestored restores a backup to a new directory: each writer has written at least and at most so many.
func checkRestored(t *testing.T, file string, least []int, most int) {
	x := &tool{t, harness.NewHome(t)}
	x.home.Set("ZK_PKCS11_HOME", x.home.Dir+"/state")
	x.restore(file)
	k := live.Load(t, x.home)
	session := k.User()
	for i, at := range least {
		n := 0
		for ; n < most; n++ {
			label := attr(pkcs11.CKA_LABEL, fmt.Sprintf("%d-%d", i, n))
			found := k.Find(session, label)
			if len(found) == 0 {
				break
			}
			if n%8 != 0 {
				continue
			}
			data := make([]byte, 32)
			private := k.One(session, label, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY))
			public := k.One(session, label, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY))
			k.OK(k.Verified(session, pkcs11.CKM_ECDSA, public, data, k.Signed(session, pkcs11.CKM_ECDSA, private, data)))
		}
		if n < at {
			t.Errorf("writer %d had written %d, of which %d are there", i, at, n)
		}
		for later := n; later < most; later++ {
			if len(k.Find(session, attr(pkcs11.CKA_LABEL, fmt.Sprintf("%d-%d", i, later)))) > 0 {
				t.Errorf("writer %d: %d is missing, and %d is there", i, n, later)
			}
		}
	}
	out := x.home.Run("pkcs11-tool", "--module", harness.Module(t), "--login", "--pin", harness.UserPIN, "--list-objects", "--type", "privkey")
	if strings.Contains(out, "error") || strings.Contains(out, "warning") {
		t.Error(out)
	}
}
