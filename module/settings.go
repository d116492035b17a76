// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdlib.h>
// #include "fork.h"
import "C"

import (
	"strings"
	"unsafe"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// newLibrary makes a library of the settings.
func newLibrary() (*library, error) {
	settings, err := readSettings()
	if err != nil {
		return nil, err
	}
	level, err := trace.ParseLevel(settings.Log.Level)
	if err != nil {
		return nil, err
	}
	l := &library{log: trace.NewLogger(level, settings.Log.To)}
	if settings.Trace != "" {
		l.tracer, err = trace.NewTracer(settings.Trace)
		if err != nil {
			l.log.Warningf("calls are not traced: %v", err)
		}
	}
	options := setup.Options(settings, l.log, guardLock)
	options.Quirks = newQuirks(settings.Quirks, l.log).detect
	options.Handles = &handles
	l.provider = pkcs11.New(options)
	return l, nil
}

// readSettings reads the settings, in a fresh copy of this library with what
// the image that loaded it, or one before it, found when it had its root
// directory, its user and its environment still.
func readSettings() (settings config.Config, err error) {
	if source, ok := inherited(); ok {
		settings, err = source.Load(getenv)
	} else {
		settings, err = config.Load(getenv)
	}
	if err == nil {
		bequeath(settings.Source)
	}
	return settings, err
}

// getenv asks C: Go's own copy of the environment lacks what the host has set
// since it started. Where privileges differ there is no environment.
func getenv(name string) string {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	return C.GoString(C.secure_getenv(cname))
}

// A source is handed down as its fields and then its variables, with a NUL
// between them; neither paths nor TOML nor variables hold one.

func bequeath(s config.Source) {
	fields := []string{s.File, s.State, s.Directory, s.Machine, s.Text}
	for name, text := range s.Variables {
		fields = append(fields, name+"="+text)
	}
	text := strings.Join(fields, "\x00")
	C.zk_bequeath(unsafe.Pointer(unsafe.StringData(text)), C.size_t(len(text)))
}

func inherited() (config.Source, bool) {
	var size C.size_t
	bytes := C.zk_inherited(&size)
	if bytes == nil {
		return config.Source{}, false
	}
	fields := strings.Split(string(unsafe.Slice((*byte)(bytes), size)), "\x00")
	s := config.Source{
		File: fields[0], State: fields[1], Directory: fields[2], Machine: fields[3], Text: fields[4],
		Variables: map[string]string{},
	}
	for _, variable := range fields[5:] {
		name, text, _ := strings.Cut(variable, "=")
		s.Variables[name] = text
	}
	return s, true
}

// guardLock has the children of this process close a descriptor that locks files.
func guardLock(fd int) (forget func()) {
	C.zk_lock_opened(C.int(fd))
	return func() { C.zk_lock_closes(C.int(fd)) }
}
