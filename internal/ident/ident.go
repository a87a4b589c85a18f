// Package ident makes ids and secrets.
//
// Ids of things are a prefix and 11 lowercase hexadecimal digits, as the
// clients of the API expect; they are unique by constraint, not by luck, and
// say nothing. Ids of moments (attempts, requests) are UUIDv7, which sort by
// time. Secrets come from crypto/rand and are never ids.
package ident

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

const digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// New gives a prefix followed by 11 random lowercase hexadecimal digits.
func New(prefix string) string {
	var b [6]byte
	rand.Read(b[:])
	return prefix + hex.EncodeToString(b[:])[:11]
}

// Source gives a function that makes ids with one prefix, for the NewID field
// of a service.
func Source(prefix string) func() string {
	return func() string { return New(prefix) }
}

// UUID gives a UUIDv7 (RFC 9562, section 5.7) for the moment now. The 12 bits
// after the milliseconds are a fraction of them (6.2, method 3), so that what
// one process makes in turn sorts so; 62 bits are random.
func UUID(now time.Time) string {
	var b [16]byte
	rand.Read(b[8:])
	fraction := uint64(now.Nanosecond()%1_000_000) << 12 / 1_000_000
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16|fraction)
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Secret gives n random characters of base 62: 5.95 bits each.
func Secret(n int) string {
	out := make([]byte, 0, n)
	buf := make([]byte, n+n/4+8)
	for len(out) < n {
		rand.Read(buf)
		for _, b := range buf {
			// 248 is the largest multiple of 62 in a byte: beyond it, the first
			// digits would be likelier than the others.
			if b < 248 && len(out) < n {
				out = append(out, digits62[b%62])
			}
		}
	}
	return string(out)
}

// Retry runs add, which makes an id and uses it, again while taken says that
// the id was not new: three times at most, as more is no accident.
func Retry(taken func(error) bool, add func() error) error {
	var err error
	for range 3 {
		if err = add(); err == nil || !taken(err) {
			return err
		}
	}
	// That the id exists is no fault of whoever asked.
	return fmt.Errorf("make an id: three were taken: %v", err)
}
