// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Version is a CK_VERSION.
type Version struct{ Major, Minor byte }

// Identity of the library, in C_GetInfo and in the slots of the soft SCM.
const (
	Manufacturer = "zk_pkcs11"
	Description  = "PKCS#11 for Zymbit SCM"
)

// The versions that C_GetInfo reports: of the newest interface, and of this
// library.
var (
	CryptokiVersion = Version{3, 2}
	LibraryVersion  = Version{0, 1}
)

// Info is a CK_INFO. The strings are not padded.
type Info struct {
	Cryptoki     Version
	Manufacturer string // at most 32 bytes
	Description  string // at most 32 bytes
	Library      Version
}

// GetInfo describes the library (section 5.4.2).
func (p *Provider) GetInfo() (Info, error) {
	if err := p.enter(); err != nil {
		return Info{}, err
	}
	defer p.leave()
	return Info{CryptokiVersion, Manufacturer, Description, LibraryVersion}, nil
}
