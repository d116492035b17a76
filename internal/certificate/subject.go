// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// subjectTypes are the parts that a subject may have.
func subjectTypes() map[string]asn1.ObjectIdentifier {
	return map[string]asn1.ObjectIdentifier{
		"CN": {2, 5, 4, 3}, "SERIALNUMBER": {2, 5, 4, 5}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "ST": {2, 5, 4, 8}, "STREET": {2, 5, 4, 9},
		"O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "UID": {0, 9, 2342, 19200300, 100, 1, 1},
		"DC": {0, 9, 2342, 19200300, 100, 1, 25}, "EMAILADDRESS": {1, 2, 840, 113549, 1, 9, 1},
	}
}

// ParseSubject reads a subject as "CN=www.example.org,O=Example" or, as openssl takes it, "/CN=www.example.org/O=Example".
// The parts stay in their order; a backslash keeps a comma or a slash.
func ParseSubject(text string) (pkix.Name, error) {
	separator := byte(',')
	if rest, is := strings.CutPrefix(text, "/"); is {
		separator, text = '/', rest
	}
	var name pkix.Name
	for _, part := range splitEscaped(text, separator) {
		a, err := parsePart(part)
		if err != nil {
			return pkix.Name{}, err
		}
		name.ExtraNames = append(name.ExtraNames, a)
		if a.Type.Equal(subjectTypes()["CN"]) {
			name.CommonName = fmt.Sprint(a.Value)
		}
	}
	return name, nil
}

// splitEscaped cuts a text at a separator that no backslash is before, and takes the backslashes out.
func splitEscaped(text string, separator byte) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			part.WriteByte(text[i])
		case text[i] == separator:
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	return append(parts, part.String())
}

func parsePart(part string) (pkix.AttributeTypeAndValue, error) {
	key, value, found := strings.Cut(part, "=")
	key, value = strings.ToUpper(strings.TrimSpace(key)), strings.TrimSpace(value)
	kind, known := subjectTypes()[key]
	switch {
	case !found || value == "":
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("--subject: %q is not of the form CN=NAME; parts are separated by commas, and a comma in a name is written \\,", part)
	case !known:
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("--subject: there is no %q; the parts are CN, O, OU, C, ST, L, STREET, SERIALNUMBER, UID, DC and emailAddress", key)
	}
	encoded, err := partValue(key, value)
	return pkix.AttributeTypeAndValue{Type: kind, Value: encoded}, err
}

// partValue is the value of a part as encoding/asn1 takes it.
func partValue(key, value string) (any, error) {
	inASCII := key == "DC" || key == "EMAILADDRESS" // in every certificate
	switch {
	case key == "C" && len(value) != 2:
		return nil, fmt.Errorf("--subject: the country C=%s has not two letters", value)
	case !utf8.ValidString(value):
		return nil, fmt.Errorf("--subject: %q is no text in UTF-8", value)
	case inASCII && strings.IndexFunc(value, isOutside) >= 0:
		return nil, fmt.Errorf("--subject: %s=%s has characters that are not of ASCII", key, value)
	case inASCII:
		return asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(value)}, nil
	}
	return value, nil
}

func isOutside(r rune) bool { return r > unicode.MaxASCII }

// CommonName is a subject that has nothing but a name.
func CommonName(name string) pkix.Name { return pkix.Name{CommonName: name} }
