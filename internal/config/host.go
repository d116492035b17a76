// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"libzk_pkcs11/internal/config/value"
	"libzk_pkcs11/internal/descriptor"
)

// host is what the place of the settings depends on.
type host struct {
	getenv   func(string) string
	root     bool
	member   func() bool   // of the group that SystemState was made for
	home     func() string // home directory by the user database
	fallback string        // file that is read when none is named
}

func thisHost(getenv func(string) string) host {
	return host{getenv: getenv, root: os.Geteuid() == 0, member: isMember, home: homeOfUser, fallback: DefaultFile}
}

func homeOfUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.HomeDir
}

// isMember reports whether the process is in the group of the system's state. It asks no list of groups, for
// which the C library may load others.
func isMember() bool {
	gid, ok := descriptor.SharedBy(SystemState)
	if !ok {
		return false
	}
	groups, err := os.Getgroups()
	return gid == os.Getegid() || err == nil && slices.Contains(groups, gid)
}

// source finds the file and reads it. A file that was named must be there.
func (h host) source() (Source, error) {
	s := Source{State: h.state(), Directory: value.Absolute("", "."), Machine: machine()}
	file, named := h.getenv("ZK_PKCS11_CONF"), true
	if file == "" {
		file, named = h.fallback, false
	}
	file = value.Absolute("", file)
	text, err := descriptor.ReadFile(file)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil && named {
		return s, fmt.Errorf("ZK_PKCS11_CONF: %w", err)
	}
	if err != nil {
		return s, err
	}
	s.File, s.Text = file, string(text)
	return s, nil
}

// machine is the identity that the operating system gives the host, if it does.
func machine() string {
	id, _ := descriptor.ReadFile("/etc/machine-id")
	return strings.TrimSpace(string(id))
}

// state is the default state directory: per user by the XDG base directory
// specification, which wants relative paths ignored.
func (h host) state() string {
	if h.root || h.member() {
		return SystemState
	}
	if home := h.homeState(); home != "" {
		return home
	}
	return SystemState
}

// HomeState returns the default state directory of a user who is not in the group of SystemState; "" without a home.
func HomeState(getenv func(string) string) string { return thisHost(getenv).homeState() }

func (h host) homeState() string {
	if xdg := h.getenv("XDG_STATE_HOME"); filepath.IsAbs(xdg) {
		return filepath.Join(xdg, "zk_pkcs11")
	}
	home := h.getenv("HOME")
	if !filepath.IsAbs(home) {
		home = h.home()
	}
	if !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(home, ".local/state/zk_pkcs11")
}
