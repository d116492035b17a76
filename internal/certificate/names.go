// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Names are the alternative names of a subject.
type Names struct {
	DNS, Email []string
	IP         []net.IP
	URI        []*url.URL
}

// ParseNames reads names as openssl takes them: "DNS:www.example.org,IP:192.0.2.1,email:a@example.org,URI:urn:x".
func ParseNames(list []string) (Names, error) {
	var n Names
	for _, name := range list {
		kind, value, _ := strings.Cut(strings.TrimSpace(name), ":")
		if value == "" {
			return n, fmt.Errorf("--san: %q is not of the form DNS:NAME, IP:ADDRESS, email:ADDRESS or URI:URI", name)
		}
		if err := n.add(strings.ToUpper(kind), value); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (n *Names) add(kind, value string) error {
	switch kind {
	case "DNS":
		n.DNS = append(n.DNS, value)
		return checkDNS(value)
	case "IP":
		ip := net.ParseIP(value)
		if ip == nil {
			return fmt.Errorf("--san: %q is no IP address", value)
		}
		n.IP = append(n.IP, ip)
	case "EMAIL":
		n.Email = append(n.Email, value)
	case "URI":
		u, err := url.Parse(value)
		if err != nil || u.Scheme == "" {
			return fmt.Errorf("--san: %q is no URI with a scheme", value)
		}
		n.URI = append(n.URI, u)
	default:
		return fmt.Errorf("--san: there is no kind %q of names; there are DNS, IP, email and URI", kind)
	}
	return nil
}

func checkDNS(name string) error {
	if !isHost(strings.TrimPrefix(name, "*.")) {
		return fmt.Errorf("--san: %q is no name of DNS (an address is IP:ADDRESS)", name)
	}
	return nil
}

// isHost reports whether a text is the name of a host.
func isHost(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return net.ParseIP(name) == nil
}

func (n Names) isEmpty() bool { return len(n.DNS)+len(n.Email)+len(n.IP)+len(n.URI) == 0 }

// fromCommonName is the name that clients look for, where a server is given none but that of its subject.
func fromCommonName(common string) Names {
	switch ip := net.ParseIP(common); {
	case ip != nil:
		return Names{IP: []net.IP{ip}}
	case isHost(strings.TrimPrefix(common, "*.")):
		return Names{DNS: []string{common}}
	}
	return Names{}
}
