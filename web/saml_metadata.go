package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"gatehouse/gate"
)

// showMetadata gives an identity provider's administrator, or its server, our
// side of the connection. It is public and may be kept for an hour.
func (s *site) showMetadata(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	i, err := s.method(r)
	if err != nil {
		return err
	}
	document, err := s.Provider.Metadata(i)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(document)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "public, max-age=3600")
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	// SAML Metadata, appendix A, registers the type.
	h.Set("Content-Type", "application/samlmetadata+xml")
	h.Set("Content-Disposition", `inline; filename="gatehouse-`+i.ID+`.xml"`)
	// The browser went away if this fails.
	_, _ = w.Write(document)
	return nil
}
