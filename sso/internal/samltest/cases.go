package samltest

import "slices"

// A Case is a response and what is to become of it.
type Case struct {
	Name string   `json:"-"`
	Why  string   `json:"why"`
	Code string   `json:"code,omitempty"` // of the rejection; empty if it is good
	Pems []string `json:"-"`              // certificates of the identity provider

	Clock       string `json:"clock"`
	Unsolicited bool   `json:"unsolicited,omitempty"` // logins may start at the identity provider

	AllowSHA1      bool `json:"allow_sha1,omitempty"`
	AllowSmallKeys bool `json:"allow_small_keys,omitempty"`

	AllowEmptyReference bool `json:"allow_empty_reference,omitempty"`
	AllowNoRecipient    bool `json:"allow_no_recipient,omitempty"`

	// What requests ask for: a minute before Clock this one did.
	ForceAuthn  bool   `json:"force_authn,omitempty"`
	WantContext bool   `json:"want_authn_context,omitempty"`
	Variant     string `json:"variant,omitempty"`

	WantSigned   bool   `json:"want_assertion_signed,omitempty"`
	IdentityName string `json:"identity_attribute,omitempty"`
	NoKey        bool   `json:"no_key,omitempty"` // our own key cannot be opened

	// What a good response has to yield.
	Subject  string   `json:"subject,omitempty"` // kind, blank, value
	NameID   string   `json:"name_id,omitempty"`
	Email    string   `json:"email,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Warnings int      `json:"warnings,omitempty"`

	Response string `json:"-"`
	Base64   bool   `json:"-"` // Response is in base64, as it stands in a form
}

// A recipe says how a case is made: the template is changed, signed, and
// changed again.
type recipe struct {
	name  string
	code  string
	why   string
	sign  string
	seal  *Encrypter // encrypts the assertion, once it is signed
	by    Signer     // signs with the key current unless said
	edit  []string   // before signing: pairs for Replace
	after func(string) string
	set   func(*Case)
	trust []string // names of Keys; current unless said
}

func (r recipe) make() Case {
	c := Case{
		Name: r.name, Why: r.why, Code: r.code, Clock: Now.Format("2006-01-02T15:04:05Z"),
	}
	if r.code == "" {
		c.Subject = "nameid:urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress alice@example.com"
		c.NameID, c.Email = NameID, NameID
		c.Groups = []string{"engineers", "everybody"}
	}
	if r.by.Key == nil {
		r.by.Pair = Keys("current")
	}
	if r.trust == nil {
		r.trust = []string{"current"}
	}
	for _, name := range r.trust {
		c.Pems = append(c.Pems, Keys(name).PEM())
	}
	c.Response = r.finish(Replace(Template, r.edit...))
	if r.after != nil {
		changed := r.after(c.Response)
		if changed == c.Response {
			panic("samltest: " + r.name + " changes nothing")
		}
		c.Response = changed
	}
	if r.set != nil {
		r.set(&c)
	}
	return c
}

func (r recipe) finish(doc string) string {
	if r.seal != nil {
		return FinishSealed(doc, r.sign, r.by, *r.seal)
	}
	return Finish(doc, r.sign, r.by)
}

// Good gives the cases that have to be admitted.
func Good() []Case {
	return bake(slices.Concat(goodRecipes(), recordedRecipes(), encryptedRecipes()))
}

// Bad gives the cases that have to be refused.
func Bad() []Case {
	var all []recipe
	for _, some := range [][]recipe{xmlRecipes(), shapeRecipes(), wrapRecipes(), signatureRecipes(), profileRecipes(), subjectRecipes(), cipherRecipes(), plaintextRecipes(), encryptedNameRecipes()} {
		all = append(all, some...)
	}
	return bake(all)
}

func bake(recipes []recipe) []Case {
	var out []Case
	seen := map[string]bool{}
	for _, r := range recipes {
		if seen[r.name] {
			panic("samltest: two cases " + r.name)
		}
		seen[r.name] = true
		out = append(out, r.make())
	}
	return out
}

// replace gives a change for recipe.after.
func replace(pairs ...string) func(string) string {
	return func(doc string) string { return Replace(doc, pairs...) }
}
