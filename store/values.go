package store

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// stamp is how a moment is written: in UTC, to the microsecond, which is what
// PostgreSQL keeps.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// stampOrNull writes a moment that may be zero.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// textOrNull writes a reference that may be empty.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// moment reads a moment, in UTC; NULL is zero.
type moment struct{ to *time.Time }

// Scan makes moment a sql.Scanner.
func (m moment) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*m.to = time.Time{}
	case time.Time:
		*m.to = v.UTC()
	default:
		return fmt.Errorf("read moment: got %T", value)
	}
	return nil
}

// text reads a text; NULL is empty.
type text struct{ to *string }

// Scan makes text a sql.Scanner.
func (t text) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*t.to = ""
	case string:
		*t.to = v
	case []byte:
		*t.to = string(v)
	default:
		return fmt.Errorf("read text: got %T", value)
	}
	return nil
}

// fixed reads bytes of a fixed length.
type fixed struct{ to []byte }

// Scan makes fixed a sql.Scanner.
func (f fixed) Scan(value any) error {
	v, ok := value.([]byte)
	if !ok || len(v) != len(f.to) {
		return fmt.Errorf("read %d bytes: got %T of %d", len(f.to), value, len(v))
	}
	copy(f.to, v)
	return nil
}

// address reads an IP address; the empty text is the zero address.
type address struct{ to *netip.Addr }

// Scan makes address a sql.Scanner.
func (a address) Scan(value any) error {
	var s string
	if err := (text{&s}).Scan(value); err != nil {
		return err
	}
	*a.to = netip.Addr{}
	if s == "" {
		return nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return fmt.Errorf("read address: %w", err)
	}
	*a.to = ip
	return nil
}

// addressText is how an IP address is written.
func addressText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// storable reports whether both databases can hold the texts among args. What
// PostgreSQL refuses would otherwise end the whole transaction, and SQLite
// would keep it.
func storable(args []any) bool {
	for _, a := range args {
		if s, ok := a.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			return false
		}
	}
	return true
}

// seconds reads a length of time that is kept in whole seconds.
type seconds struct{ to *time.Duration }

// Scan makes seconds a sql.Scanner.
func (s seconds) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("read seconds: got %T", value)
	}
	*s.to = time.Duration(v) * time.Second
	return nil
}
