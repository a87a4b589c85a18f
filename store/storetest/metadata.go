package storetest

import (
	"context"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/sso"
	"gatehouse/store"
)

// fullRefresh is what may be known of metadata, with nothing left out.
func fullRefresh(i *sso.IdP) sso.Refresh {
	return sso.Refresh{
		MethodID: i.ID, URL: i.IdPMetadataURL, DueAt: Then.Add(time.Hour),
		CheckedAt: Then, SucceededAt: Then.Add(-time.Hour), FailingSince: Then.Add(-time.Minute), Failures: 3, Warned: true,
		Failure: "It failed.", FailureCode: "failed", Discarded: "other",
		Pending: &sso.Proposal{ID: "p1", FoundAt: Then, Basis: "basis", To: sso.Trust{SSOURL: "https://idp.example.com/new", Binding: sso.Post, CertificatePEM: "pem", SLOURL: "https://idp.example.com/slo", SLOResponseURL: "https://idp.example.com/sloed", SLOBinding: sso.SOAP}},
	}
}

// addFetched adds an identity provider whose metadata is fetched.
func addFetched(t *testing.T, s *store.Store, id, url string) *sso.IdP {
	t.Helper()
	i := IdP(id, addOrganization(t, s, id))
	i.IdPMetadataURL = url
	do(t, s.AddIdP(t.Context(), i))
	return i
}

var refreshes = []promise{
	{"what is known of metadata comes back as it was saved, and takes the place of what was", func(t *testing.T, s *store.Store) {
		i := addFetched(t, s, "am1", "https://idp.example.com/metadata")
		got, err := s.Refresh(t.Context(), i.ID)
		do(t, err)
		same(t, got, sso.Refresh{MethodID: i.ID})
		for _, want := range []sso.Refresh{fullRefresh(i), {MethodID: i.ID, URL: "https://other.example", DueAt: Then}, fullRefresh(i)} {
			do(t, s.SaveRefresh(t.Context(), want))
			got, err := s.Refresh(t.Context(), i.ID)
			do(t, err)
			same(t, got, want)
		}
	}},
	{"metadata is due when its time has come, and when its address is new, the longest first", func(t *testing.T, s *store.Store) {
		for id, due := range map[string]time.Duration{"am1": -time.Hour, "am2": time.Hour, "am3": 0, "am4": -2 * time.Hour} {
			i := addFetched(t, s, id, "https://idp.example.com/"+id)
			r := fullRefresh(i)
			r.DueAt = Then.Add(due)
			do(t, s.SaveRefresh(t.Context(), r))
		}
		moved := addFetched(t, s, "am5", "https://idp.example.com/new")
		r := fullRefresh(moved)
		r.URL, r.DueAt = "https://idp.example.com/old", Then.Add(time.Hour)
		do(t, s.SaveRefresh(t.Context(), r))
		addFetched(t, s, "am6", "https://idp.example.com/never")
		addFetched(t, s, "am7", "")
		gone := addFetched(t, s, "am8", "https://idp.example.com/gone")
		gone.DeletedAt, gone.State = &gone.UpdatedAt, sso.Deleted
		do(t, s.UpdateIdP(t.Context(), gone))
		due, err := s.DueRefreshes(t.Context(), Then, 10)
		do(t, err)
		same(t, due, []string{"am4", "am1", "am3", "am5", "am6"})
		due, err = s.DueRefreshes(t.Context(), Then, 2)
		do(t, err)
		same(t, due, []string{"am4", "am1"})
	}},
	{"what fails and what waits is counted, and goes with its identity provider", func(t *testing.T, s *store.Store) {
		one, two := addFetched(t, s, "am1", "https://idp.example.com/1"), addFetched(t, s, "am2", "https://idp.example.com/2")
		waiting := fullRefresh(two)
		waiting.FailingSince = time.Time{}
		do(t, s.SaveRefresh(t.Context(), fullRefresh(one)), s.SaveRefresh(t.Context(), waiting))
		failing, held, err := s.MetadataStates(t.Context())
		do(t, err)
		same(t, []int{failing, held}, []int{1, 2})
		one.DeletedAt, one.State = &one.UpdatedAt, sso.Deleted
		do(t, s.UpdateIdP(t.Context(), one))
		failing, held, err = s.MetadataStates(t.Context())
		do(t, err)
		same(t, []int{failing, held}, []int{0, 1})
	}},
	{"metadata of an identity provider that is not there is not saved", func(t *testing.T, s *store.Store) {
		if err := s.SaveRefresh(t.Context(), fullRefresh(IdP("am-none", Organization("none")))); err == nil {
			t.Error("got no error, want one")
		}
	}},
}

// known are three certificates, in the order in which they are listed.
func known() []sso.KnownCertificate {
	return []sso.KnownCertificate{
		{Side: sso.TheirSide, Fingerprint: "a", EndsAt: Then.Add(24 * time.Hour), FirstUsedAt: Then, Told: sso.Within1},
		{Side: sso.TheirSide, Fingerprint: "b", EndsAt: Then.Add(-time.Hour)},
		{Side: sso.OurSide, Fingerprint: "a", EndsAt: Then.Add(100 * 24 * time.Hour), Told: sso.Within30},
	}
}

var certificates = []promise{
	{"certificates come back as they were saved, and others are forgotten", func(t *testing.T, s *store.Store) {
		i, other := addFetched(t, s, "am1", ""), addFetched(t, s, "am2", "")
		do(t, s.SaveCertificates(t.Context(), i.ID, known()), s.SaveCertificates(t.Context(), other.ID, known()[:1]))
		got, err := s.KnownCertificates(t.Context(), i.ID)
		do(t, err)
		same(t, got, known())
		do(t, s.SaveCertificates(t.Context(), i.ID, known()[1:]))
		got, err = s.KnownCertificates(t.Context(), i.ID)
		do(t, err)
		same(t, got, known()[1:])
		got, err = s.KnownCertificates(t.Context(), other.ID)
		do(t, err)
		same(t, got, known()[:1])
	}},
	{"saving a certificate leaves when it was used first", func(t *testing.T, s *store.Store) {
		i := addFetched(t, s, "am1", "")
		do(t, s.SaveCertificates(t.Context(), i.ID, known()))
		later := known()
		later[0].FirstUsedAt, later[0].Told = time.Time{}, sso.Over
		do(t, s.SaveCertificates(t.Context(), i.ID, later))
		got, err := s.KnownCertificates(t.Context(), i.ID)
		do(t, err)
		want := known()
		want[0].Told = sso.Over
		same(t, got, want)
	}},
	{"a certificate is used for the first time once, whoever comes at once", func(t *testing.T, s *store.Store) {
		i := addFetched(t, s, "am1", "")
		do(t, s.SaveCertificates(t.Context(), i.ID, known()[1:2]))
		for _, k := range known()[:2] {
			k.FirstUsedAt = Then
			won := race(t, 5, fault.Conflict, func(ctx context.Context, _ int) error {
				first, err := s.UseCertificate(ctx, i.ID, k)
				if err == nil && !first {
					return fault.Conflict
				}
				return err
			})
			same(t, won, 1)
		}
		got, err := s.KnownCertificates(t.Context(), i.ID)
		do(t, err)
		same(t, []time.Time{got[0].FirstUsedAt, got[1].FirstUsedAt}, []time.Time{Then, Then})
	}},
	{"identity providers that people come in through are listed page by page", func(t *testing.T, s *store.Store) {
		for _, id := range []string{"am1", "am2", "am3", "am4"} {
			addFetched(t, s, id, "")
		}
		off := addFetched(t, s, "am5", "")
		off.Enabled = false
		do(t, s.UpdateIdP(t.Context(), off))
		page, err := s.AdmittingIdPs(t.Context(), "", 3)
		do(t, err)
		same(t, idpIDs(page), []string{"am1", "am2", "am3"})
		page, err = s.AdmittingIdPs(t.Context(), "am3", 3)
		do(t, err)
		same(t, idpIDs(page), []string{"am4"})
	}},
	{"certificates are counted by their end", func(t *testing.T, s *store.Store) {
		i := addFetched(t, s, "am1", "")
		do(t, s.SaveCertificates(t.Context(), i.ID, known()))
		for _, c := range []struct {
			after, until time.Duration
			want         int
		}{{-2 * time.Hour, 0, 1}, {0, 24 * time.Hour, 1}, {0, 24*time.Hour - time.Second, 0}, {24 * time.Hour, 1000 * time.Hour, 0}, {0, 3000 * time.Hour, 2}} {
			n, err := s.EndingCertificates(t.Context(), Then.Add(c.after), Then.Add(c.until))
			do(t, err)
			same(t, n, c.want)
		}
	}},
}
