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
	options := setup.Options(settings, l.log)
	options.Quirks = newQuirks(settings.Quirks, l.log).detect
	l.provider = pkcs11.New(options)
	return l, nil
}

// readSettings reads the settings, in a fresh copy of this library with what
// the image that loaded it, or one before it, found when it had its root
// directory and its user still.
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

// A source is handed down as its fields with a NUL after each but the last;
// neither paths nor TOML hold one.

func bequeath(s config.Source) {
	text := strings.Join([]string{s.File, s.State, s.Text}, "\x00")
	C.zk_bequeath(unsafe.Pointer(unsafe.StringData(text)), C.size_t(len(text)))
}

func inherited() (config.Source, bool) {
	var size C.size_t
	bytes := C.zk_inherited(&size)
	if bytes == nil {
		return config.Source{}, false
	}
	file, rest, _ := strings.Cut(string(unsafe.Slice((*byte)(bytes), size)), "\x00")
	state, text, _ := strings.Cut(rest, "\x00")
	return config.Source{File: file, State: state, Text: text}, true
}
