package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"

	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// The most that forms may hold, in bytes as they are sent.
const (
	mostForm     = 128 << 10            // certificates are the longest
	mostMetadata = 4 * sso.MostMetadata // of which each sign may take three, and the rest of the form
	mostResponse = 400 << 10            // 256 KiB of response in base64
)

// readForm reads the fields of a form that was posted, and none of the query.
// It returns fault.TooLarge, and fault.Invalid for anything that is no form.
func readForm(w http.ResponseWriter, r *http.Request, most int64) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fault.Invalid.Errorf("The request carries no form: its content type has to be application/x-www-form-urlencoded.").Coded("not_a_form")
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	err = r.ParseForm()
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, fault.TooLarge.Errorf("The form has more than %d KiB, which is the most that is taken here.", most>>10).Coded("form_too_large")
	}
	if err != nil {
		return nil, fault.Invalid.Errorf("The form cannot be read: it is cut off, or not encoded as forms are.").Coded("not_a_form").Because(err)
	}
	return r.PostForm, nil
}

// A field is one input of a form, as the part "field" draws it.
type field struct {
	Name         string // of the form, and as errors name it
	Label        string
	Hint         string // may be empty
	Value        string
	Error        string   // what is wrong with the value; may be empty
	Type         string   // of the input; text if empty
	Autocomplete string   // what browsers may fill in; "off" if empty
	Options      []option // a choice, if there are any
	Choices      []choice // a choice that shows all there is to choose from, if there are any
	Rows         int      // a text of several lines, if not 0
	Most         int      // characters, if not 0
	Optional     bool
	Machine      bool // a value of machines: monospace, no spelling help
	Focus        bool // the page's first input
}

// An option is one choice.
type option struct {
	Value string
	Label string
}

// A choice is one of several that say what they mean.
type choice struct {
	Value string
	Label string
	Hint  string // may be empty
}

// An input is what an error can stand at.
type input interface {
	is(name string) bool
	wrong(message string) problem // puts it there, and gives the entry of the summary
}

func (f *field) is(name string) bool { return f.Name == name && name != "" }

func (f *field) wrong(message string) problem {
	f.Error = message
	return problem{f.ID(), f.Label, message}
}

// inputs makes of fields what errors can stand at.
func inputs(fields []*field) []input {
	all := make([]input, len(fields))
	for n, f := range fields {
		all[n] = f
	}
	return all
}

// ID is the input's id.
func (f field) ID() string { return "in-" + f.Name }

// DescribedBy names what a screen reader reads with the input.
func (f field) DescribedBy() string {
	switch {
	case f.Error != "" && f.Hint != "":
		return f.ID() + "-error " + f.ID() + "-hint"
	case f.Error != "":
		return f.ID() + "-error"
	case f.Hint != "":
		return f.ID() + "-hint"
	}
	return ""
}

// Kind is the input's type.
func (f field) Kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// Fill is the autocomplete attribute.
func (f field) Fill() string {
	if f.Autocomplete == "" {
		return "off"
	}
	return f.Autocomplete
}

// A check is a box to tick.
type check struct {
	Name    string
	Label   string
	Hint    string
	Error   string // what is wrong with it; may be empty
	Checked bool
	Risk    bool // ticking it weakens something
	Off     bool // it cannot be ticked
}

func (c *check) is(name string) bool { return c.Name == name && name != "" }

func (c *check) wrong(message string) problem {
	c.Error = message
	return problem{c.ID(), c.Label, message}
}

// ID is the box's id.
func (c check) ID() string { return "in-" + c.Name }

// DescribedBy names what a screen reader reads with the box.
func (c check) DescribedBy() string {
	return field{Name: c.Name, Hint: c.Hint, Error: c.Error}.DescribedBy()
}
