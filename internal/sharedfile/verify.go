// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"libzk_pkcs11/internal/descriptor"
)

// SQLite reads the log by its index, and does not look at checksums unless it makes the
// index anew. Of a log that was cut or overwritten it would copy whatever stands there into
// the database. So the log is compared with its checksums before it is copied, and before
// and after each change it is seen whether its beginning and its end are there.

// errLogDamaged is of a log that the index is not about.
var errLogDamaged = fmt.Errorf(
	"its log (%s) was cut or overwritten, and nothing is added to it: put back both files from one backup, or end all programs that use them, which keeps what is whole: %w",
	logSuffix, ErrCorrupt)

// logUsable looks at the header of the log and at its last frame.
func (o *opened) logUsable() error {
	pages, header, err := o.uncopied()
	if err != nil || pages == 0 {
		return err
	}
	frame := make([]byte, frameHeader)
	if err := readWhole(o.log, frame, o.logSize(pages-1)); err != nil {
		return err
	}
	if !header.hasWritten(frame) {
		return errLogDamaged
	}
	return nil
}

// logWhole compares all that is in the log and not yet in the database with its checksums.
func (o *opened) logWhole() error {
	pages, header, err := o.uncopied()
	if err != nil || pages == 0 {
		return err
	}
	sum := header.sum
	frame := make([]byte, frameHeader+o.pageSize)
	for i := range pages {
		if err := readWhole(o.log, frame, o.logSize(i)); err != nil {
			return err
		}
		sum = header.addToSum(header.addToSum(sum, frame[:8]), frame[frameHeader:])
		if !header.hasWritten(frame) || sum != decodeSum(frame[16:]) {
			return errLogDamaged
		}
	}
	return nil
}

// uncopied returns how many pages are in a log that the database does not have all of, and
// the log's header; no pages where the database is whole without the log.
func (o *opened) uncopied() (pages int, header logHead, err error) {
	if o.log == nil {
		return 0, header, nil
	}
	log, err := o.indexed()
	if err != nil || log.all <= log.copied {
		return 0, header, err
	}
	header, err = readHeader(o.log)
	return log.all, header, err
}

// indexed returns what the index says of the log (walformat.html, "The WAL-Index Header").
func (o *opened) indexed() (log indexHead, err error) {
	const (
		page, mostFrame, sum, salt, backfill = 14, 16, 24, 32, 96
		size                                 = backfill + 4
	)
	b := make([]byte, size)
	n, err := o.index.ReadAt(b, 0)
	if errors.Is(err, ErrLost) {
		return log, ErrLost
	}
	if err != nil || n < size {
		return log, errCutIndex
	}
	log.all, log.copied = int(binary.NativeEndian.Uint32(b[mostFrame:])), int(binary.NativeEndian.Uint32(b[backfill:]))
	copy(log.salt[:], b[salt:])
	log.sum = checksum{binary.NativeEndian.Uint32(b[sum:]), binary.NativeEndian.Uint32(b[sum+4:])}
	log.page = int(binary.NativeEndian.Uint16(b[page:]))
	if log.page == 1 { // as in the header of a database
		log.page = 1 << 16
	}
	return log, nil
}

// indexHead is the log as the index knows it.
type indexHead struct {
	frames
	salt [8]byte
	sum  checksum // of the last frame
	page int      // bytes of a page
}

// isStale reports whether opening the files anew can help when SQLite finds the database
// malformed: the log was put back and the index is about another one, or what SQLite has in
// memory is not what lies in the files any more. A log that is damaged stays as it is.
func (o *opened) isStale() bool {
	if o.log == nil || o.logWhole() == nil {
		return true
	}
	header, err := readHeader(o.log)
	index, err2 := o.indexed()
	return err == nil && err2 == nil && header.salt != index.salt
}

// evidence is what database and log were when SQLite found the database malformed.
type evidence struct {
	database, log [2]uint64 // device and inode
	size          int64
	salt          [8]byte
}

func (o *opened) evidence() (e evidence) {
	for _, one := range []struct {
		file *descriptor.File
		is   *[2]uint64
	}{{o.database, &e.database}, {o.log, &e.log}} {
		if one.file != nil {
			one.is[0], one.is[1] = one.file.Identity()
		}
	}
	e.size = sizeOf(o.database)
	if o.log != nil {
		if header, err := readHeader(o.log); err == nil {
			e.salt = header.salt
		}
	}
	return e
}

// suspect has the files opened anew because SQLite finds the database malformed, unless that was
// tried with the same files: then it is the database that is damaged.
func (o *opened) suspect(err error) {
	now := o.evidence()
	if o.tried != nil && *o.tried == now {
		return
	}
	stale := fmt.Errorf("%w: %w", err, ErrReplaced)
	if o.companions.broken.CompareAndSwap(nil, &stale) {
		o.malformed.Store(&now)
	}
}

// logHead is the header of a log (fileformat.html, "WAL File Format").
type logHead struct {
	order binary.ByteOrder // of the numbers that are summed
	salt  [8]byte
	sum   checksum
}

type checksum [2]uint32

func readHeader(log *descriptor.File) (h logHead, err error) {
	const magic = 0x377f0682 // one more when sums are of big-endian numbers
	if log == nil {
		return h, errLogDamaged // the process that was to make it has died
	}
	b := make([]byte, logHeader)
	if err := readWhole(log, b, 0); err != nil {
		return h, err
	}
	h.order = binary.LittleEndian
	first := binary.BigEndian.Uint32(b)
	if first == magic+1 {
		h.order = binary.BigEndian
	}
	copy(h.salt[:], b[16:])
	h.sum = h.addToSum(checksum{}, b[:24])
	if first&^1 != magic || h.sum != decodeSum(b[24:]) {
		return h, errLogDamaged
	}
	return h, nil
}

// restarts reports whether a log that begins anew after this one has such salt ("Checkpoint
// Algorithm").
func (h *logHead) restarts(salt [8]byte) bool {
	return binary.BigEndian.Uint32(salt[:]) == binary.BigEndian.Uint32(h.salt[:])+1
}

// hasWritten reports whether a frame belongs to the log since it began anew.
func (h *logHead) hasWritten(frame []byte) bool { return h.salt == [8]byte(frame[8:16]) }

// addToSum adds bytes to a sum ("Checksum Algorithm").
func (h *logHead) addToSum(s checksum, b []byte) checksum {
	if h.order == binary.LittleEndian {
		for ; len(b) >= 8; b = b[8:] {
			s[0] += binary.LittleEndian.Uint32(b) + s[1]
			s[1] += binary.LittleEndian.Uint32(b[4:]) + s[0]
		}
		return s
	}
	for ; len(b) >= 8; b = b[8:] {
		s[0] += h.order.Uint32(b) + s[1]
		s[1] += h.order.Uint32(b[4:]) + s[0]
	}
	return s
}

func decodeSum(b []byte) checksum {
	return checksum{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// readWhole fails with errLogDamaged where the log is too short.
func readWhole(log *descriptor.File, b []byte, offset int64) error {
	n, err := log.ReadAt(b, offset)
	if n < len(b) && (err == nil || errors.Is(err, io.EOF)) {
		return errLogDamaged
	}
	return withoutName(err)
}
