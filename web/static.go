package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/fault"
)

//go:embed static
var staticFiles embed.FS

// An asset is a file that pages load. Its URL has a hash of its content, so
// that browsers may keep it forever.
type asset struct {
	url     string
	kind    string
	content []byte
}

// assets are the files by name, as in "style.css".
type assets map[string]asset

func loadAssets() assets {
	all := assets{}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		panic(err) // they are embedded: the build is broken
	}
	for _, e := range entries {
		content, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		extension := path.Ext(e.Name())
		sum := sha256.Sum256(content)
		all[e.Name()] = asset{
			url:     "/static/" + strings.TrimSuffix(e.Name(), extension) + "-" + hex.EncodeToString(sum[:6]) + extension,
			kind:    kindOf(extension),
			content: content,
		}
	}
	return all
}

// kindOf is not left to the machine's own table of types.
func kindOf(extension string) string {
	switch extension {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(extension)
}

// address gives the URL of a file, for templates.
func (a assets) address(name string) string { return a[name].url }

func (s *site) showAsset(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	for _, a := range s.assets {
		if a.url == r.URL.Path {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			return s.writeAsset(w, a)
		}
	}
	return fault.NotFound.Errorf("There is no file at this address. Load the page that needs it again.").Coded("page_not_found")
}

// showFavicon is for browsers that ask before they have read a page.
func (s *site) showFavicon(w http.ResponseWriter, _ *http.Request, _ gate.Visit) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	return s.writeAsset(w, s.assets["mark.svg"])
}

func (s *site) writeAsset(w http.ResponseWriter, a asset) error {
	w.Header().Set("Content-Type", a.kind)
	if a.kind == "image/svg+xml" {
		// Opened by itself it is a document: its own style is all it may have.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	}
	// The browser went away if this fails.
	_, _ = w.Write(a.content)
	return nil
}
