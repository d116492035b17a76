// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

const roleVariable = "SOFT_TEST_ROLE"

// roles are what a process does that a test starts from its own binary, with
// the directory of an SCM.
var roles = map[string]func(dir string) error{
	"identify": identify,
	"generate": generateForever,
	"seal":     sealForever,
	"look":     look,
	"use":      useForever,
	"destroy":  destroyForever,
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		processtest.Main(m, others)
		return
	}
	if err := role(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// start runs a role; its output can be read until it ends.
func start(t *testing.T, role, dir string, change ...func(*exec.Cmd)) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", dir)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, out
}

// killed runs a role, kills it some time after its first line, and returns its
// complete lines.
func killed(t *testing.T, role, dir string) (lines []string) {
	t.Helper()
	cmd, out := start(t, role, dir)
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if lines == nil {
			// Where it hits does not matter, only that it differs.
			time.AfterFunc(rand.N(20*time.Millisecond), func() { cmd.Process.Kill() })
		}
		lines = append(lines, line[:len(line)-1])
	}
	cmd.Wait()
	return lines
}

func identify(dir string) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	defer d.Close()
	info, err := d.Info()
	if err != nil {
		return err
	}
	keys, err := d.Keys()
	if err != nil {
		return err
	}
	_, err = d.Sign(keys[0].Slot, make([]byte, 32))
	fmt.Println(info.Serial, len(keys), fmt.Sprintf("%x", keys[0].Public))
	return err
}

// TestFirstUse has many processes make the SCM at the same time.
func TestFirstUse(t *testing.T) {
	dir := t.TempDir()
	var lines []string
	var outs []io.Reader
	for range 8 {
		_, out := start(t, "identify", dir)
		outs = append(outs, out)
	}
	for _, out := range outs {
		line, err := io.ReadAll(out)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	if all := slices.Compact(slices.Clone(lines)); len(all) != 1 || all[0] == "" {
		t.Errorf("processes see different devices: %q", lines)
	}
}

// TestKilledFactory kills processes while they make the SCM.
func TestKilledFactory(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		cmd, _ := start(t, "identify", dir)
		time.AfterFunc(rand.N(20*time.Millisecond), func() { cmd.Process.Kill() })
		cmd.Wait()
		checkWhole(t, open(t, dir, options))
		checkFiles(t, dir, "root.key")
	}
}

// generateForever tells the slot and public key of every key that it makes.
func generateForever(dir string) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	for {
		k, err := d.Generate(scm.P256)
		if err != nil {
			return err
		}
		fmt.Printf("%d %x\n", k.Slot, k.Public)
	}
}

// TestKilledGenerate checks that no key is lost that Generate has returned.
func TestKilledGenerate(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	for range 10 {
		for _, line := range killed(t, "generate", dir) {
			var slot scm.Slot
			var public []byte
			if _, err := fmt.Sscanf(line, "%d %x", &slot, &public); err != nil {
				t.Fatal(err)
			}
			k, err := d.PublicKey(slot)
			if err != nil || !slices.Equal(k.Public, public) {
				t.Errorf("slot %d holds %x, %v; want %x", slot, k.Public, err, public)
			}
		}
		checkWhole(t, d)
	}
}

func secretNumber(n int) []byte { return []byte("secret " + strconv.Itoa(n)) }

// sealForever seals the device to one secret after the other and tells the
// number of each. The device is not sealed, or sealed to the one in the file
// "number" of the directory.
func sealForever(dir string) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(dir, "number"))
	n, _ := strconv.Atoi(string(b))
	if err == nil {
		err = d.Unseal(secretNumber(n))
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	for ; err == nil; n++ {
		fmt.Println(n)
		err = seal(d, secretNumber(n+1))
	}
	return err
}

// TestKilledSeal checks that after a crash either the old or the new secret
// opens everything.
func TestKilledSeal(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, options).Close()
	for range 40 {
		lines := killed(t, "seal", dir)
		last, err := strconv.Atoi(lines[len(lines)-1])
		if err != nil {
			t.Fatal(err)
		}
		checkSealedTo(t, dir, last, last+1)
	}
}

// checkSealedTo checks that one of the secrets unseals the SCM, and notes which.
func checkSealedTo(t *testing.T, dir string, numbers ...int) {
	t.Helper()
	d := open(t, dir, options)
	defer d.Close()
	if sign(d) == nil { // never sealed
		checkWhole(t, d)
		return
	}
	for _, n := range numbers {
		if err := d.Unseal(secretNumber(n)); err == nil {
			checkWhole(t, d)
			checkFiles(t, dir)
			if err := os.WriteFile(filepath.Join(dir, "number"), []byte(strconv.Itoa(n)), 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("none of the secrets %v unseals the device", numbers)
}

// look reports what a user who may only read finds.
func look(dir string) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		fmt.Println("open", errors.Is(err, scm.ErrReadOnly))
		return nil
	}
	if err := d.Unseal([]byte("secret")); err != nil {
		return err
	}
	_, err = d.Sign(0, make([]byte, 32))
	fmt.Println("sign", err)
	_, err = d.GenerateVolatile(scm.P256)
	fmt.Println("volatile", err)
	_, err = d.Generate(scm.P256)
	fmt.Println("generate", errors.Is(err, scm.ErrReadOnly))
	fmt.Println("remove", errors.Is(d.Remove(scm.Key{Slot: scm.FirstUser}), scm.ErrReadOnly))
	fmt.Println("prepare", errors.Is(d.Prepare([]byte("other")), scm.ErrReadOnly))
	_, err = d.Sign(0, make([]byte, 32))
	fmt.Println("sign", err)
	return d.Close()
}

func TestReadOnly(t *testing.T) {
	const all = "sign <nil>\nvolatile <nil>\ngenerate true\nremove true\nprepare true\nsign <nil>\n"
	for _, test := range []struct {
		name string
		make func(t *testing.T, dir string)
		want string
	}{
		{"nothing there", func(*testing.T, string) {}, "open true\n"},
		{"never sealed", func(t *testing.T, dir string) { open(t, dir, readable).Close() }, all},
		{"sealed", func(t *testing.T, dir string) { sealedDevice(t, dir, seal) }, all},
		{"prepared", func(t *testing.T, dir string) { sealedDevice(t, dir, (*soft.Device).Prepare) }, all},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := publicDir(t)
			test.make(t, dir)
			if err := os.Chmod(dir, 0o555); err != nil {
				t.Fatal(err)
			}
			_, out := start(t, "look", dir, unprivileged(t))
			got, err := io.ReadAll(out)
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// readable makes files that everybody may read.
var readable = soft.Options{Group: -1, Mode: 0o644}

func sealedDevice(t *testing.T, dir string, seal func(*soft.Device, []byte) error) {
	t.Helper()
	d := open(t, dir, readable)
	defer d.Close()
	if err := seal(d, []byte("secret")); err != nil {
		t.Fatal(err)
	}
}

// unprivileged makes a command run as somebody whom permissions bind.
func unprivileged(t *testing.T) func(*exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func(*exec.Cmd) {}
	}
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(publicDir(t), "test")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	return func(cmd *exec.Cmd) {
		cmd.Path = path
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// publicDir is t.TempDir that everybody may read.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "soft")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Chmod(dir, 0o755)
		os.RemoveAll(dir)
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
