package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/parts"
)

// A keycloak is a realm of a running Keycloak: gatehouse of testdata/keycloak,
// where alice and bob are, unless a test makes its own.
type keycloak struct {
	base  string // http://localhost:port
	realm string
	token string // of its administrator
	since time.Time
}

// A kcClient is the broker as Keycloak is told of it, besides what Keycloak
// reads in our metadata: attributes of a client, by the names that Keycloak's
// console keeps them under. The value OURS is the broker's certificate; a nil
// client is what Keycloak makes of our metadata, with its predefined mappers.
type kcClient map[string]string

// kcSigned has both documents and assertions signed.
func kcSigned(more ...string) kcClient {
	c := kcClient{"saml.server.signature": "true", "saml.assertion.signature": "true"}
	for i := 0; i < len(more); i += 2 {
		c[more[i]] = more[i+1]
	}
	return c
}

// needKeycloak gives the running Keycloak, or skips the test.
func needKeycloak(t testing.TB) *keycloak {
	t.Helper()
	return &keycloak{base: parts.Need(t, parts.Keycloak), realm: "gatehouse"}
}

func (k *keycloak) origin() string   { return k.base }
func (k *keycloak) realmURL() string { return k.base + "/realms/" + k.realm }

func (k *keycloak) startURL(_ testing.TB, p provider, relayState string) string {
	to := k.realmURL() + "/protocol/saml/clients/" + p.ID
	if relayState != "" {
		to += "?" + url.Values{"RelayState": {relayState}}.Encode()
	}
	return to
}

// another makes a realm of its own until the test ends, with nobody in it.
func (k *keycloak) another(t testing.TB) *keycloak {
	t.Helper()
	own := &keycloak{base: k.base, realm: newUsername()}
	where := own.make(t, "/realms", map[string]any{"realm": own.realm, "enabled": true, "sslRequired": "none", "passwordPolicy": "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)"})
	t.Cleanup(func() { own.call(t, "DELETE", where, "", nil, http.StatusNoContent, nil) })
	return own
}

// person makes a user.
func (k *keycloak) person(t testing.TB) string {
	t.Helper()
	who := newUsername()
	k.make(t, "/realms/"+k.realm+"/users", map[string]any{
		"username": who, "email": who + "@company.test", "emailVerified": true, "enabled": true, "firstName": "Some", "lastName": "Body",
		"credentials": []any{map[string]any{"type": "password", "value": who + "pass"}},
	})
	return who
}

func (k *keycloak) connect(t testing.TB, b *broker, fields map[string]any) provider {
	t.Helper()
	return k.connectAs(t, b, kcSigned(), fields)
}

// connectAs is connect with settings of one's own. As docs/tasks says, Keycloak
// reads our metadata and we read its.
func (k *keycloak) connectAs(t testing.TB, b *broker, c kcClient, fields map[string]any) provider {
	t.Helper()
	p := b.connect(b.account, "Keycloak", nil)
	p = b.complete(p, k.describe(t), fields)
	k.register(t, p, c)
	return p
}

// describe fetches what it says of itself.
func (k *keycloak) describe(t testing.TB) []byte {
	t.Helper()
	return fetch(t, k.realmURL()+"/protocol/saml/descriptor")
}

// register tells it of the broker until the test ends.
func (k *keycloak) register(t testing.TB, p provider, c kcClient) {
	t.Helper()
	var client map[string]any
	k.call(t, "POST", "/realms/"+k.realm+"/client-description-converter", "application/xml", fetch(t, p.Metadata), http.StatusOK, &client)
	if client["clientId"] != p.Metadata {
		t.Fatalf("Keycloak reads in our metadata the client %v, want %s", client["clientId"], p.Metadata)
	}
	attributes, ok := client["attributes"].(map[string]any)
	if !ok || !strings.Contains(fmt.Sprint(client["redirectUris"]), p.ACS) {
		t.Fatalf("Keycloak reads in our metadata: %v; want %s among the redirect URIs", client, p.ACS)
	}
	if attributes["saml.encrypt"] != "true" {
		t.Errorf("Keycloak reads in our metadata: %v; want that it encrypts", attributes)
	}
	attributes["saml_idp_initiated_sso_url_name"] = p.ID
	for name, v := range c {
		attributes[name] = v
		if v == "OURS" {
			attributes[name] = base64.StdEncoding.EncodeToString(spCertificate(t, p))
		}
	}
	client["protocolMappers"] = k.mappers(t, c == nil)
	where := k.make(t, "/realms/"+k.realm+"/clients", client)
	t.Cleanup(func() { k.call(t, "DELETE", where, "", nil, http.StatusNoContent, nil) })
}

// mappers say what Keycloak sends of a person: what it offers under "Add
// predefined mappers", or the same by plain names, and groups.
func (k *keycloak) mappers(t testing.TB, predefined bool) []any {
	t.Helper()
	if !predefined {
		return []any{kcProperty("email"), kcProperty("firstName"), kcProperty("lastName"), map[string]any{
			"name": "groups", "protocol": "saml", "protocolMapper": "saml-group-membership-mapper",
			"config": map[string]string{"attribute.name": "groups", "attribute.nameformat": "Basic", "single": "true", "full.path": "false"},
		}}
	}
	var server struct {
		Mappers struct {
			SAML []map[string]any `json:"saml"`
		} `json:"builtinProtocolMappers"`
	}
	k.call(t, "GET", "/serverinfo", "", nil, http.StatusOK, &server)
	var out []any
	for _, m := range server.Mappers.SAML {
		switch m["name"] {
		case "X500 email", "X500 givenName", "X500 surname":
			out = append(out, m)
		}
	}
	if len(out) != 3 {
		t.Fatalf("Keycloak offers the mappers %v, want the three of X500 among them", server.Mappers.SAML)
	}
	return out
}

// kcProperty is a mapper that sends one of a user's own fields.
func kcProperty(name string) map[string]any {
	return map[string]any{
		"name": name, "protocol": "saml", "protocolMapper": "saml-user-property-mapper",
		"config": map[string]string{"user.attribute": name, "attribute.name": name, "attribute.nameformat": "Basic"},
	}
}

// make adds something, and gives its path.
func (k *keycloak) make(t testing.TB, path string, in any) string {
	t.Helper()
	js, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	where := k.call(t, "POST", path, "application/json", js, http.StatusCreated, nil)
	return path + where[strings.LastIndex(where, "/"):]
}

// call calls the administration, and gives the answer's Location.
func (k *keycloak) call(t testing.TB, method, path, kind string, body []byte, status int, out any) string {
	t.Helper()
	r, err := http.NewRequest(method, k.base+"/admin"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("Authorization", "Bearer "+k.admin(t))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status {
		t.Fatalf("Keycloak: %s %s: got %s, want %d: %s", method, path, answer.Status, status, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("Keycloak: %s %s: %v in %s", method, path, err, text)
		}
	}
	return answer.Header.Get("Location")
}

// admin logs the administrator in. A token lasts a minute, which is less than
// some tests.
func (k *keycloak) admin(t testing.TB) string {
	t.Helper()
	if time.Since(k.since) < 30*time.Second {
		return k.token
	}
	answer, err := http.PostForm(k.base+"/realms/master/protocol/openid-connect/token", url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {parts.Need(t, parts.KeycloakPassword)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("Keycloak does not let its administrator in: %s, %v", answer.Status, err)
	}
	k.token, k.since = got.Token, time.Now()
	return k.token
}
