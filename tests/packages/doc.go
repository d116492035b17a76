// SPDX-License-Identifier: Apache-2.0

// Package packages looks at the Debian packages as those who install them do, and at what a
// release is made of.
package packages
