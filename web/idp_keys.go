package web

import (
	"encoding/pem"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// A keysPage shows our keys towards one identity provider, and how to change
// them without anybody being kept out.
type keysPage struct {
	page
	IdP      idpView
	Keys     []keyView
	Next     bool   // a next key is prepared
	Previous bool   // a previous one is accepted still
	Switch   moment // when the next one is switched to by itself; zero: when somebody says so
	Until    moment // until when the previous one is accepted

	Type field // of the key to prepare
	On   field // the day of its switch
	Keep field // for how many days the present one is accepted after a switch
}

// A keyView is a key as its administrators see it.
type keyView struct {
	Name        string // such as Next key for encryption
	Kind        string
	Status      status
	Fingerprint string
	Ends        moment
	PEM         copyable
}

// keyStateWords name the states, with the look that goes with each.
var keyStateWords = map[sso.KeyState]status{
	sso.KeyPresent:  {"In use", "ok"},
	sso.KeyNext:     {"Next", "wait"},
	sso.KeyPrevious: {"Previous", "off"},
}

// keyTypeWords name the types of keys, for the choice of one too.
var keyTypeWords = map[sso.KeyType]string{
	sso.RSA2048:   "RSA, 2048 bits",
	sso.RSA3072:   "RSA, 3072 bits",
	sso.ECDSAP256: "ECDSA, P-256",
}

func (s *site) viewKey(c sso.SPCertificate) keyView {
	v := keyView{Kind: keyTypeWords[c.Type], Status: keyStateWords[c.State], Fingerprint: c.Fingerprint, Ends: s.moment(c.NotAfter)}
	switch {
	case !c.Encrypts:
		v.Name = "Signs requests"
	case !c.Signs:
		v.Name = "Decrypts"
	default:
		v.Name = "Signs requests and decrypts"
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER}))
	v.PEM = copyable{"copy-" + c.Fingerprint[:16], "Certificate", "", strings.TrimSpace(text)}
	return v
}

func (s *site) newKeysPage(r *http.Request, v gate.Visit, form url.Values) (*keysPage, error) {
	i, err := s.idp(r, v)
	if err != nil {
		return nil, err
	}
	frame, err := s.console(r, v, "Our keys for "+i.Name, "identity-providers")
	if err != nil {
		return nil, err
	}
	p := &keysPage{page: frame, IdP: s.viewIdP(i)}
	for _, c := range i.SPCertificates(s.Now()) {
		p.Keys = append(p.Keys, s.viewKey(c))
		switch c.State {
		case sso.KeyNext:
			p.Next = true
			if !c.SwitchAt.IsZero() {
				p.Switch = s.moment(c.SwitchAt)
			}
		case sso.KeyPrevious:
			p.Previous, p.Until = true, s.moment(c.Until)
		}
	}
	p.Type = field{Name: "key_type", Label: "Type of key", Value: form.Get("key_type"), Hint: "Take ECDSA only if the identity provider asks for it: few take it. An RSA key for encryption comes with it."}
	for _, t := range sso.KeyTypes {
		p.Type.Options = append(p.Type.Options, option{string(t), keyTypeWords[t]})
	}
	p.On = field{Name: "switch_at", Label: "Day of the switch", Type: "date", Optional: true, Value: form.Get("switch_at"), Hint: "It happens by itself as this day begins, in UTC. Leave it empty to switch yourself when the identity provider is ready."}
	p.Keep = field{Name: "keep_previous_days", Label: "Days for which the present key is accepted after that", Most: 2, Value: strconv.Itoa(int(sso.KeepPrevious / (24 * time.Hour))),
		Hint: "0 to 90. Take 0 only if the key is no secret any more: then what is still encrypted to it is refused."}
	if form.Has("keep_previous_days") {
		p.Keep.Value = form.Get("keep_previous_days")
	}
	p.csp.script = true
	return p, nil
}

func (s *site) showKeys(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newKeysPage(r, v, nil)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "idp-keys", p)
}

// keyStep takes a step of a change of keys, and shows the page again.
func (s *site) keyStep(w http.ResponseWriter, r *http.Request, v gate.Visit, message string, do func(methodID string, form url.Values) (*sso.IdP, error)) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	i, err := do(r.PathValue("method"), form)
	if err == nil {
		return see(w, r, done(idpURL(i)+"/keys", message))
	}
	p, broken := s.newKeysPage(r, v, form)
	if broken != nil {
		return broken
	}
	return s.again(w, r, "idp-keys", p, err, &p.Type, &p.On, &p.Keep)
}

func (s *site) prepareKey(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.keyStep(w, r, v, "key-prepared", func(id string, form url.Values) (*sso.IdP, error) {
		n := sso.NewKey{Type: sso.KeyType(form.Get("key_type"))}
		if day := strings.TrimSpace(form.Get("switch_at")); day != "" {
			at, err := time.Parse(time.DateOnly, day)
			if err != nil {
				return nil, fault.Invalid.Errorf("Write the day as 2030-01-31, or leave it empty.").At("switch_at")
			}
			n.SwitchAt = at
		}
		return s.IdPs.PrepareKey(r.Context(), v.Actor, v.Organization, id, n)
	})
}

func (s *site) switchKey(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.keyStep(w, r, v, "key-switched", func(id string, form url.Values) (*sso.IdP, error) {
		days, err := strconv.Atoi(strings.TrimSpace(form.Get("keep_previous_days")))
		if err != nil {
			days = -1 // is refused as any other nonsense
		}
		return s.IdPs.SwitchKey(r.Context(), v.Actor, v.Organization, id, sso.Days(days))
	})
}

func (s *site) cancelKey(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.keyStep(w, r, v, "key-cancelled", func(id string, _ url.Values) (*sso.IdP, error) {
		return s.IdPs.CancelKey(r.Context(), v.Actor, v.Organization, id)
	})
}

func (s *site) forgetKey(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.keyStep(w, r, v, "key-forgotten", func(id string, _ url.Values) (*sso.IdP, error) {
		return s.IdPs.ForgetKey(r.Context(), v.Actor, v.Organization, id)
	})
}
