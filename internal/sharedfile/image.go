// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"errors"
)

// errSeen ends a transaction that has only looked.
var errSeen = errors.New("nothing is to be changed")

// Image calls fn with the file as it is at this moment, what is in its log included, as one that
// needs no log. Nobody changes the file until fn returns; others read it meanwhile. It returns fn's
// error, and those of Update.
func (f *File) Image(fn func(image []byte) error) error {
	p := f.arrive()
	o, err := f.borrow(p, 0)
	if err != nil {
		return err
	}
	defer o.giveBack()
	var failed error
	_, err = o.change(p, func(*sql.Tx) ([]int, error) {
		image, err := o.writer.conn.Serialize("main")
		if err != nil {
			return nil, err
		}
		defer clear(image)
		failed = fn(image)
		return nil, errSeen
	})
	if errors.Is(err, errSeen) {
		return failed
	}
	return o.explain(err)
}
