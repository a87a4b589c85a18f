package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// A Nullable is a field of a request in which null says something else than
// nothing: it takes away what was set. It is exported for huma's sake.
type Nullable[T any] struct {
	Sent  bool // the request names the field
	Null  bool // with null
	Value T
}

// UnmarshalJSON makes Nullable a json.Unmarshaler, which is called for null as
// well.
func (n *Nullable[T]) UnmarshalJSON(b []byte) error {
	n.Sent = true
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		n.Null = true
		return nil
	}
	return json.Unmarshal(b, &n.Value)
}

// Schema makes Nullable a huma.SchemaProvider: as what it holds, or null.
func (n Nullable[T]) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Nullable = true
	return &s
}
