// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// Encode returns s as bytes for a forked child. They are its fields and then its
// variables, with a NUL between them; neither paths nor TOML nor variables hold one.
func (s Source) Encode() string {
	fields := []string{s.File, s.State, s.Directory, s.Machine, s.Text, s.Drawn}
	for name, text := range s.Variables {
		fields = append(fields, name+"="+text)
	}
	return strings.Join(fields, "\x00")
}

// decodeSource is the inverse of Encode.
func decodeSource(encoded string) Source {
	fields := strings.Split(encoded, "\x00")
	for len(fields) < 6 {
		fields = append(fields, "")
	}
	s := Source{
		File: fields[0], State: fields[1], Directory: fields[2], Machine: fields[3], Text: fields[4], Drawn: fields[5],
		Variables: map[string]string{},
	}
	for _, variable := range fields[6:] {
		name, text, _ := strings.Cut(variable, "=")
		s.Variables[name] = text
	}
	return s
}

// LoadInherited reads the settings with what an image of this process that is dead,
// or one before it, found when it had its root directory, its user and its
// environment still: its encoded Source. It is Load where that is "".
func LoadInherited(encoded string, getenv func(string) string) (Config, error) {
	if encoded == "" {
		return Load(getenv)
	}
	return decodeSource(encoded).Load(getenv)
}
