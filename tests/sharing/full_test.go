// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// TestFullDisk fills a file system of 2 MB to the last byte, with objects or with a file
// of somebody else. A process that was there before and a new one log in, sign and destroy
// objects, and wrong PINs are counted. What cannot be stored is CKR_DEVICE_MEMORY, with a
// line in the log that names the directory. There is room again when objects are gone.
func TestFullDisk(t *testing.T) {
	p := build(t)
	t.Run("objects", func(t *testing.T) {
		d := newSmallDisk(t)
		user := d.must(p.signer(d.home))
		d.want(user, "pair kept", pkcs11.CKR_OK)
		made := d.fillWithObjects(user, 1000)
		d.fillToTheLastByte()
		d.makesPairs(user)
		d.goesOn(user)
		d.beginsAnew(p, made)
	})
	t.Run("file", func(t *testing.T) {
		d := newSmallDisk(t)
		user := d.must(p.user(d.home))
		made := d.fillWithObjects(user, 5)
		if err := user.end(); err != nil {
			t.Fatal(err)
		}
		d.fillToTheLastByte()
		d.beginsAnew(p, made)
	})
}

// goesOn has a process that was there before use a full disk.
func (d *smallDisk) goesOn(c *client) {
	d.t.Helper()
	d.want(c, "sign 0 0", pkcs11.CKR_OK)
	d.want(c, "stuff more 100000", pkcs11.CKR_DEVICE_MEMORY)
	d.want(c, "logout", pkcs11.CKR_OK)
	d.want(c, "login "+harness.UserPIN, pkcs11.CKR_OK)
	d.endsNamingDirectory(c)
}

// makesPairs has a process make key pairs until there is no room, and destroy one. None is
// left by halves or without its names.
func (d *smallDisk) makesPairs(c *client) {
	d.t.Helper()
	made := 0
	for a := (answer{}); a.rv == pkcs11.CKR_OK && made < 400; made++ {
		var err error
		if a, err = c.ask(fmt.Sprint("pair full", made)); err != nil {
			d.t.Fatal(err)
		}
		if a.rv != pkcs11.CKR_OK && a.rv != pkcs11.CKR_DEVICE_MEMORY {
			d.t.Errorf("C_GenerateKeyPair on a full disk: %#x", uint(a.rv))
		}
	}
	d.want(c, "destroy private kept", pkcs11.CKR_OK)
	private, public := d.want(c, "list private", pkcs11.CKR_OK).words, d.want(c, "list public", pkcs11.CKR_OK).words
	pairs := 0
	for _, label := range private {
		if strings.HasPrefix(label, "full") {
			pairs++
		}
		if nameless(label) || !slices.Contains(public, label) {
			d.t.Errorf("there is a private key %s without a name or a public key", label)
		}
	}
	if pairs != made-1 || len(public) != len(private)+1 || !slices.Contains(public, "kept") {
		d.t.Errorf("%d pairs of %d, public keys %v", pairs, made-1, public)
	}
	d.t.Logf("%d key pairs on a full disk", pairs)
}

// beginsAnew has a new process use a full disk, and make room.
func (d *smallDisk) beginsAnew(p *program, made int) {
	d.t.Helper()
	c := d.must(p.start(d.home))
	d.want(c, "initialize", pkcs11.CKR_OK)
	d.want(c, "open", pkcs11.CKR_OK)
	d.want(c, "login wrong-PIN", pkcs11.CKR_PIN_INCORRECT)
	if a := d.want(c, "pin-count-low", pkcs11.CKR_OK); a.rv == pkcs11.CKR_OK && a.number() != 1 {
		d.t.Error("a wrong PIN was not counted")
	}
	d.want(c, "login "+harness.UserPIN, pkcs11.CKR_OK)
	d.want(c, "key", pkcs11.CKR_OK)
	d.want(c, "sign 0 0", pkcs11.CKR_OK)
	d.want(c, "stuff more 100000", pkcs11.CKR_DEVICE_MEMORY)
	for i := range made {
		if a := d.want(c, fmt.Sprint("destroy data stuff", i), pkcs11.CKR_OK); a.rv != pkcs11.CKR_OK {
			break // the others would say the same
		}
	}
	d.want(c, "create after room 0", pkcs11.CKR_OK)
	d.endsNamingDirectory(c)
	d.t.Logf("%d objects on a full disk; %d calls, %d of them with a wrong answer", made, d.calls, d.wrong)
}

// smallDisk is a soft SCM on a file system of its own.
type smallDisk struct {
	t            *testing.T
	home         *harness.Home
	calls, wrong int
}

func newSmallDisk(t *testing.T) *smallDisk {
	t.Helper()
	home := harness.NewHome(t)
	if err := syscall.Mount("tmpfs", home.Dir, "tmpfs", 0, "size=2m,mode=700"); err != nil {
		t.Skipf("a small file system needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(home.Dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	home.Init()
	return &smallDisk{t: t, home: home}
}

func (d *smallDisk) must(c *client, err error) *client {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// want has a command done, whose code is to be this one.
func (d *smallDisk) want(c *client, command string, rv pkcs11.Error) answer {
	d.t.Helper()
	a, err := c.ask(command)
	if err != nil {
		d.t.Fatalf("%v\n%s", err, c.stderr.String())
	}
	d.calls++
	if a.rv != rv {
		d.wrong++
		d.t.Errorf("%s on a full disk: %#x, want %v", command, uint(a.rv), rv)
	}
	return a
}

// fillWithObjects makes so many objects, or as many as there is room for.
func (d *smallDisk) fillWithObjects(c *client, most int) int {
	d.t.Helper()
	for n := range most {
		a, err := c.ask(fmt.Sprintf("stuff stuff%d 20000", n))
		if err != nil {
			d.t.Fatal(err)
		}
		if a.rv != pkcs11.CKR_OK {
			if a.rv != pkcs11.CKR_DEVICE_MEMORY {
				d.t.Errorf("C_CreateObject when the disk is full: %#x", uint(a.rv))
			}
			return n
		}
	}
	return most
}

// fillToTheLastByte writes a file of somebody else until nothing more can be written.
func (d *smallDisk) fillToTheLastByte() {
	d.t.Helper()
	f, err := os.Create(filepath.Join(d.home.Dir, "of somebody else"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for block := 4096; block > 0; {
		_, err := f.Write(make([]byte, block))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			block /= 2
		case err != nil:
			d.t.Fatal(err)
		}
	}
}

// endsNamingDirectory expects a line in the log of the process that says where there is no room.
func (d *smallDisk) endsNamingDirectory(c *client) {
	d.t.Helper()
	if err := c.end(); err != nil {
		d.t.Error(err)
	}
	if !strings.Contains(c.stderr.String(), d.home.Dir) {
		d.t.Errorf("the log does not name the directory: %q", c.stderr.String())
	}
}
