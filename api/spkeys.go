package api

import (
	"context"
	"encoding/pem"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

func (b *builder) addSPKeys() {
	const list = "/v1/account/{account_id}/authentication/{method_id}/sp-keys"
	s := b.server
	add(b, operation{"AccountAuthenticationMethodKeysList", http.MethodGet, list, "List our keys towards an identity provider", account.ReadIdPs}, s.listSPKeys)
	add(b, operation{"AccountAuthenticationMethodKeyPrepare", http.MethodPost, list, "Make our next key, and publish it in our metadata", account.WriteIdPs}, s.prepareSPKey)
	add(b, operation{"AccountAuthenticationMethodKeySwitch", http.MethodPost, list + "/switch", "Take our next key into use", account.WriteIdPs}, s.switchSPKey)
	add(b, operation{"AccountAuthenticationMethodKeyCancel", http.MethodDelete, list + "/next", "Drop our next key", account.WriteIdPs}, s.cancelSPKey)
	add(b, operation{"AccountAuthenticationMethodKeyForget", http.MethodDelete, list + "/previous", "Accept our previous key no longer", account.WriteIdPs}, s.forgetSPKey)
}

// An spKey is a key of ours towards one identity provider.
type spKey struct {
	State       string     `json:"state" enum:"present,next,previous" doc:"present: in use. next: in our metadata already, and decrypts. previous: decrypts for a while."`
	Type        string     `json:"key_type" enum:"rsa-2048,rsa-3072,ecdsa-p256"`
	Uses        []string   `json:"uses" enum:"signing,encryption" doc:"Nothing can be encrypted to an ECDSA key: an RSA key for that comes with it."`
	Certificate string     `json:"certificate" doc:"In PEM."`
	Fingerprint string     `json:"fingerprint_sha256" doc:"Of the certificate, in hexadecimal."`
	NotBefore   time.Time  `json:"not_valid_before"`
	NotAfter    time.Time  `json:"not_valid_after"`
	SwitchAt    *time.Time `json:"switch_at" doc:"Of the next key: when it is taken into use by itself; null: when somebody says so."`
	Until       *time.Time `json:"accepted_until" doc:"Of the previous key: until when what is encrypted to it is accepted."`
}

type spKeysAnswer struct {
	Keys []spKey `json:"sp_keys" doc:"The present one first, then the next, then the previous."`
}

// spKeysAnswer is what ends an operation on keys.
func (s *Server) spKeysAnswer(i *sso.IdP, err error) (*spKeysAnswer, error) {
	if err != nil {
		return nil, err
	}
	out := &spKeysAnswer{Keys: []spKey{}}
	for _, c := range i.SPCertificates(s.Now()) {
		k := spKey{
			State: string(c.State), Type: string(c.Type), Uses: []string{}, Fingerprint: c.Fingerprint,
			Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER})),
			NotBefore:   c.NotBefore, NotAfter: c.NotAfter, SwitchAt: timeOrNull(c.SwitchAt), Until: timeOrNull(c.Until),
		}
		if c.Signs {
			k.Uses = append(k.Uses, "signing")
		}
		if c.Encrypts {
			k.Uses = append(k.Uses, "encryption")
		}
		out.Keys = append(out.Keys, k)
	}
	return out, nil
}

func (s *Server) listSPKeys(ctx context.Context, v gate.Visit, in *struct{ MethodPath }) (*spKeysAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	return s.spKeysAnswer(s.IdPs.Get(ctx, v.Organization, in.MethodID))
}

type prepareSPKeyInput struct {
	MethodPath
	Body struct {
		Type     *string `json:"key_type,omitempty" nullable:"true" doc:"rsa-2048, which is the default, rsa-3072 or ecdsa-p256."`
		SwitchAt *string `json:"switch_at,omitempty" nullable:"true" maxLength:"64" doc:"When it is taken into use by itself, within a year, as RFC 3339 writes moments. Left out: when somebody says so."`
	} `nameHint:"AuthenticationMethodKeyPrepareRequest"`
}

func (s *Server) prepareSPKey(ctx context.Context, v gate.Visit, in *prepareSPKeyInput) (*spKeysAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	n := sso.NewKey{Type: sso.KeyType(text(in.Body.Type))}
	if at := text(in.Body.SwitchAt); at != "" {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return nil, fault.Invalid.Errorf("Say a moment such as 2030-01-31T12:00:00Z, or leave it out.").At("switch_at")
		}
		n.SwitchAt = moment(when)
	}
	return s.spKeysAnswer(s.IdPs.PrepareKey(ctx, v.Actor, v.Organization, in.MethodID, n))
}

type switchSPKeyInput struct {
	MethodPath
	Body struct {
		Keep *looseInt `json:"keep_previous_days,omitempty" doc:"For how many days what is encrypted to the present key is accepted still: 0 to 90; 7 unless said."`
	} `nameHint:"AuthenticationMethodKeySwitchRequest"`
}

func (s *Server) switchSPKey(ctx context.Context, v gate.Visit, in *switchSPKeyInput) (*spKeysAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	keep := sso.KeepPrevious
	if days := in.Body.Keep.value(); days != nil {
		keep = sso.Days(*days)
	}
	return s.spKeysAnswer(s.IdPs.SwitchKey(ctx, v.Actor, v.Organization, in.MethodID, keep))
}

func (s *Server) cancelSPKey(ctx context.Context, v gate.Visit, in *struct{ MethodPath }) (*spKeysAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	return s.spKeysAnswer(s.IdPs.CancelKey(ctx, v.Actor, v.Organization, in.MethodID))
}

func (s *Server) forgetSPKey(ctx context.Context, v gate.Visit, in *struct{ MethodPath }) (*spKeysAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	return s.spKeysAnswer(s.IdPs.ForgetKey(ctx, v.Actor, v.Organization, in.MethodID))
}
