// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"libzk_pkcs11/pkcs11"
)

// pinSource is where a command gets a PIN from: its options, a credential that systemd hands to a
// service, or the one who is asked. Options other than --pin keep it out of the arguments, which
// everybody on the machine can read.
type pinSource struct {
	name       string // as a prompt has it, such as "User PIN"
	option     string // without dashes, such as "pin"
	credential string // name of the file in $CREDENTIALS_DIRECTORY; "" = there is none

	value, file, variable string
	descriptor            int
	flags                 []*pflag.Flag
	found                 option
}

// userPINSource returns the source of the PIN that a user of the token has.
func userPINSource() pinSource {
	return pinSource{name: "User PIN", option: "pin", credential: "zk_pkcs11.pin"}
}

// soPINSource returns the source of the PIN that the security officer has.
func soPINSource() pinSource {
	return pinSource{name: "SO PIN", option: "so-pin", credential: "zk_pkcs11.so-pin"}
}

// newPINSource returns the source of a PIN that takes the place of another. No service changes PINs.
func newPINSource() pinSource { return pinSource{name: "New PIN", option: "new-pin"} }

// addTo adds the options of the source. Several commands may have them; one of these runs.
func (s *pinSource) addTo(p *pflag.FlagSet) {
	what := s.inText()
	p.StringVar(&s.value, s.option, "", what+" as env:NAME, file:PATH, or the `PIN` itself, which other users of the machine can see then")
	p.StringVar(&s.file, s.option+"-file", "", "read the "+what+" from `FILE`")
	p.IntVar(&s.descriptor, s.option+"-fd", 0, "read the "+what+" from file descriptor `N`, up to the end of the line")
	p.StringVar(&s.variable, s.option+"-env", "", "read the "+what+" from the environment variable `NAME`")
	for _, end := range []string{"", "-file", "-fd", "-env"} {
		s.flags = append(s.flags, p.Lookup(s.option+end))
	}
}

// inText returns the name as it stands in the middle of a line.
func (s *pinSource) inText() string {
	if strings.ToUpper(s.name[:2]) == s.name[:2] {
		return s.name
	}
	return lowerFirst(s.name)
}

// load reads the PIN from where the options say, before anything else is opened: a wrong source is
// told before a token is touched.
func (s *pinSource) load() error {
	var given []string
	for _, f := range s.flags {
		if f.Changed {
			given = append(given, f.Name)
		}
	}
	if len(given) > 1 {
		return usagef("--%s and --%s both say where the %s comes from; give one of them", given[0], given[1], s.inText())
	}
	if len(given) == 0 {
		return nil
	}
	text, err := s.read(given[0])
	s.found = option{text, true}
	return err
}

// read reads the PIN from the place that an option names.
func (s *pinSource) read(given string) (string, error) {
	place := pinPlace{s.inText(), "--" + given}
	switch strings.TrimPrefix(given, s.option) {
	case "-file":
		return place.fromFile(s.file)
	case "-fd":
		return place.fromDescriptor(s.descriptor)
	case "-env":
		return place.fromVariable(s.variable)
	}
	if name, is := strings.CutPrefix(s.value, "env:"); is {
		return place.fromVariable(name)
	}
	if path, is := strings.CutPrefix(s.value, "file:"); is {
		return place.fromFile(path)
	}
	return s.value, nil
}

// aboutEnd says how else a PIN can be given, where there was nobody to type it.
func (s *pinSource) aboutEnd(err error) error {
	if errors.Is(err, errEnded) {
		return fmt.Errorf("%w; --%s-file, --%[2]s-fd or --%[2]s-env says where it is", err, s.option)
	}
	return err
}

// checkLength refuses a PIN that no token has, before a token is asked: that would cost a try.
func (s *pinSource) checkLength(pin []byte) error {
	if len(pin) >= pkcs11.MinPIN && len(pin) <= pkcs11.MaxPIN {
		return nil
	}
	return fmt.Errorf("the %s that is given has %s, and a PIN has %d to %d; look at what is given: the token was not asked, and no try is lost",
		s.inText(), count(len(pin), "byte"), pkcs11.MinPIN, pkcs11.MaxPIN)
}

// fromCredential returns the PIN that systemd hands over, if it does.
func (s *pinSource) fromCredential() (option, error) {
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	if directory == "" || s.credential == "" {
		return option{}, nil
	}
	path := filepath.Join(directory, s.credential)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return option{}, nil
	}
	text, err := pinPlace{s.inText(), "$CREDENTIALS_DIRECTORY"}.fromFile(path)
	return option{text, err == nil}, err
}

// pinPlace is a place that a PIN is read from. What is wrong with it is told by its name, and never
// by what is in it.
type pinPlace struct{ pin, namedBy string }

// longestPINFile is more than any PIN has.
const longestPINFile = 4096

func (p pinPlace) fromFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", usagef("the %s cannot be read, which %s names: %w", p.pin, p.namedBy, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestPINFile))
	if err != nil {
		return "", usagef("the %s cannot be read, which %s names: %w", p.pin, p.namedBy, err)
	}
	return p.only(string(text), "the file "+path)
}

// only returns the only line of a text.
func (p pinPlace) only(text, place string) (string, error) {
	line := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if line == "" {
		return "", usagef("%s, which %s names for the %s, is empty", place, p.namedBy, p.pin)
	}
	if strings.ContainsAny(line, "\r\n") {
		return "", usagef("%s, which %s names for the %s, has more than one line; the PIN has to be its only one", place, p.namedBy, p.pin)
	}
	return line, nil
}

func (p pinPlace) fromVariable(name string) (string, error) {
	text := os.Getenv(name)
	if text == "" {
		return "", usagef("the environment variable %q, which %s names for the %s, is not set; export it, or name another", name, p.namedBy, p.pin)
	}
	return text, nil
}

// fromDescriptor reads no further than the line: the next PIN may be in the next one.
func (p pinPlace) fromDescriptor(descriptor int) (string, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < longestPINFile; line = append(line, one[0]) {
		n, err := syscall.Read(descriptor, one)
		if err == syscall.EINTR {
			n, err = syscall.Read(descriptor, one)
		}
		if err != nil {
			return "", usagef("the %s cannot be read from file descriptor %d, which %s names: %w", p.pin, descriptor, p.namedBy, err)
		}
		if n == 0 || one[0] == '\n' {
			break
		}
	}
	return p.only(string(line), "what comes from the file descriptor")
}
