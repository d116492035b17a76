// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Version is a CK_VERSION.
type Version struct{ Major, Minor byte }

// Identity of the library, in C_GetInfo and in the slots of the soft SCM.
const (
	Manufacturer = "zk_pkcs11"
	Description  = "PKCS#11 for Zymbit SCM"
)

// CryptokiVersion is the version of the newest interface, as C_GetInfo reports it.
var CryptokiVersion = Version{3, 2}

// Info is a CK_INFO but the version of the library, which the program that loads it has. The strings are not padded.
type Info struct {
	Cryptoki     Version
	Manufacturer string // at most 32 bytes
	Description  string // at most 32 bytes
}

// GetInfo describes the library (section 5.4.3).
func (p *Provider) GetInfo() (Info, error) {
	if err := p.enter(); err != nil {
		return Info{}, err
	}
	defer p.leave()
	return Info{CryptokiVersion, Manufacturer, Description}, nil
}
