// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"encoding/binary"
	"math/bits"
)

// words is a number of 256 bits, the lowest word first.
type words [4]uint64

func (x *words) setBytes(b []byte) {
	for i := range x {
		x[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
}

func (x *words) putBytes(b []byte) {
	for i := range x {
		binary.BigEndian.PutUint64(b[24-8*i:], x[i])
	}
}

func (x *words) isEven() bool { return x[0]&1 == 0 }

// add adds y, and returns the carry.
func (x *words) add(y *words) (carry uint64) {
	for i := range x {
		x[i], carry = bits.Add64(x[i], y[i], carry)
	}
	return carry
}

// subtract subtracts y, and returns the borrow.
func (x *words) subtract(y *words) (borrow uint64) {
	for i := range x {
		x[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow
}

// shiftRight shifts x to the right by one bit, and a carry into it.
func (x *words) shiftRight(carry uint64) {
	for i := 3; i >= 0; i-- {
		x[i], carry = x[i]>>1|carry<<63, x[i]&1
	}
}

// halveModulo divides x by 2 modulo n, which is odd.
func (x *words) halveModulo(n *words) {
	if x.isEven() {
		x.shiftRight(0)
		return
	}
	x.shiftRight(x.add(n))
}

// subtractModulo subtracts y modulo n.
func (x *words) subtractModulo(y, n *words) {
	if x.subtract(y) != 0 {
		x.add(n)
	}
}

func (x *words) isLess(y *words) bool {
	difference := *x
	return difference.subtract(y) != 0
}

// inverse returns 1/x modulo n, which is an odd prime, for an x from 1 to n-1, and 0 for 0. It takes a
// time that depends on x, which must be no secret, and makes no object of the heap, where
// math/big makes eleven: within secret.Do these cost as much as all the rest of a signature.
func inverse(x, n *words) words {
	one := words{1}
	if *x == (words{}) {
		return *x
	}
	u, v, a, b := *x, *n, one, words{} // u = a·x and v = b·x modulo n, all the time
	for u != one && v != one {
		for u.isEven() {
			u.shiftRight(0)
			a.halveModulo(n)
		}
		for v.isEven() {
			v.shiftRight(0)
			b.halveModulo(n)
		}
		if u.isLess(&v) {
			v.subtract(&u)
			b.subtractModulo(&a, n)
		} else {
			u.subtract(&v)
			a.subtractModulo(&b, n)
		}
	}
	if u == one {
		return a
	}
	return b
}
