package sso

import "github.com/beevik/etree"

// Scan gives the tree that the scanner builds; nil if it refuses.
func Scan(raw []byte) *etree.Element {
	s, r := scan(raw)
	if r != nil {
		return nil
	}
	return s.root
}

// ScanWork says how often the scanner compared names, and why it refused.
func ScanWork(raw []byte) (compared int, refused string) {
	s, r := newScanner(raw)
	if r == nil {
		r = s.document()
	}
	if s != nil {
		compared = s.compared
	}
	if r != nil {
		refused = r.Code
	}
	return compared, refused
}

// Codes gives every rejection code with its message and remedy.
func Codes() map[string][2]string {
	out := map[string][2]string{}
	for code, f := range findings {
		out[code] = [2]string{f.message, f.remedy}
	}
	return out
}
