// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/internal/sharedfile"
)

const roleVariable = "SHAREDFILE_TEST_ROLE"

const schema = `
	CREATE TABLE counter (n INTEGER NOT NULL);
	INSERT INTO counter VALUES (0);
	CREATE TABLE rows (n INTEGER PRIMARY KEY)`

// roles are what a process does that a test starts from its own binary. The
// test closes stdin to end it, or kills it.
var roles = map[string]func(f *sharedfile.File, in *bufio.Scanner) error{
	"increment": func(f *sharedfile.File, in *bufio.Scanner) error {
		in.Scan()
		n, err := strconv.Atoi(in.Text())
		for ; n > 0 && err == nil; n-- {
			err = f.Update(increment)
		}
		return err
	},
	"insert": func(f *sharedfile.File, in *bufio.Scanner) error {
		for in.Scan() {
			err := f.Update(func(tx *sql.Tx) error {
				_, err := tx.Exec("INSERT INTO rows SELECT coalesce(max(n), 0) + 1 FROM rows")
				return err
			})
			if err != nil {
				return err
			}
			fmt.Println("committed")
		}
		return nil
	},
	"stay in update": func(f *sharedfile.File, in *bufio.Scanner) error {
		return f.Update(func(tx *sql.Tx) error {
			fmt.Println("inside")
			in.Scan()
			return increment(tx)
		})
	},
	"report update": func(f *sharedfile.File, in *bufio.Scanner) error {
		fmt.Println("read only:", errors.Is(f.Update(increment), sharedfile.ErrReadOnly))
		return nil
	},
	"look": func(f *sharedfile.File, in *bufio.Scanner) error {
		for in.Scan() {
			version := f.Version()
			n, err := count(f)
			fmt.Println(f.ReadOnly(), version, n, err)
		}
		return nil
	},
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := play(role, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(role func(*sharedfile.File, *bufio.Scanner) error, path string) error {
	f, err := sharedfile.Open(path, options())
	if err != nil {
		return err
	}
	defer f.Close()
	return role(f, bufio.NewScanner(os.Stdin))
}

func options() sharedfile.Options {
	return sharedfile.Options{Schema: schema, Mode: 0o644, Group: -1, Wait: time.Minute}
}

func open(t testing.TB, path string) *sharedfile.File {
	t.Helper()
	f, err := sharedfile.Open(path, options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func increment(tx *sql.Tx) error {
	_, err := tx.Exec("UPDATE counter SET n = n + 1")
	return err
}

func mustIncrement(t testing.TB, f *sharedfile.File) {
	t.Helper()
	if err := f.Update(increment); err != nil {
		t.Fatal(err)
	}
}

func count(f *sharedfile.File) (n int, err error) {
	err = f.View(func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT n FROM counter").Scan(&n)
	})
	return n, err
}

func mustCount(t testing.TB, f *sharedfile.File) int {
	t.Helper()
	n, err := count(f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// process is a running role.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// start runs a role of the test binary on the file at path. A change to the
// command can be made before it starts.
func start(t testing.TB, role, path string, change ...func(*exec.Cmd)) *process {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", path)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t, cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(p.kill)
	return p
}

func (p *process) tell(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) hear() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatalf("process ended: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// end lets the process finish by itself.
func (p *process) end() error {
	p.stdin.Close()
	return p.cmd.Wait()
}

func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// unprivileged makes a command run as somebody whom permissions bind.
func unprivileged(t testing.TB) func(*exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func(*exec.Cmd) {}
	}
	const nobody = 65534
	binary := copyOfBinary(t)
	return func(cmd *exec.Cmd) {
		cmd.Path = binary
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// copyOfBinary puts the test binary where everybody may execute it.
func copyOfBinary(t testing.TB) string {
	t.Helper()
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(publicDir(t), "test")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// publicDir returns a directory that everybody may read.
func publicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", strings.ReplaceAll(t.Name(), "/", "_"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
