package api

import (
	"context"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/sso"
)

// A settingsTest is a login that tries settings out.
type settingsTest struct {
	ID         string      `json:"test_id"`
	URL        string      `json:"test_url" doc:"Open it in a browser and log in. Whoever has it can run the test, and sees the outcome."`
	State      string      `json:"state" enum:"waiting,passed,failed" doc:"waiting: nobody has logged in yet."`
	ExpireTime time.Time   `json:"expire_time"`
	Trace      *wholeTrace `json:"login_trace" doc:"What came of it, with what the response says of the person; null while it waits."`
}

type testAnswer struct {
	Test settingsTest `json:"test"`
}

type testInput struct {
	MethodPath
	Body MethodFields `nameHint:"AuthenticationMethodTestRequest" doc:"What of the settings is to be another for this login; nothing: as they are now."`
}

func (testInput) mostBody() int { return mostMethodBody }

func (s *Server) testIdP(ctx context.Context, v gate.Visit, in *testInput) (*testAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	t, err := s.Login.NewTest(ctx, v.Actor, v.Organization, in.MethodID, in.Body.change(nil))
	if err != nil {
		return nil, err
	}
	return &testAnswer{s.newTest(t)}, nil
}

func (s *Server) newTest(t login.Test) settingsTest {
	return settingsTest{ID: t.ID, URL: s.Base + login.TestPath(t.ID), State: "waiting", ExpireTime: moment(t.ExpiresAt)}
}

type testPath struct {
	MethodPath
	TestID string `path:"test_id" maxLength:"64"`
}

func (s *Server) getTest(ctx context.Context, v gate.Visit, in *testPath) (*testAnswer, error) {
	idp, err := s.IdPs.Get(ctx, v.Organization, in.MethodID)
	if err != nil {
		return nil, err
	}
	t, _, told, err := s.Login.Tested(ctx, in.TestID, login.Client{IP: v.IP})
	if err != nil {
		return nil, err
	}
	if t.MethodID != idp.ID {
		return nil, fault.NotFound.Errorf("The authentication method has no such test, or its hour is over.").Coded("login_test_not_found")
	}
	out := s.newTest(t)
	if told != nil {
		w, err := s.wholeTrace(ctx, v.Organization, *told, true)
		if err != nil {
			return nil, err
		}
		out.Trace, out.State = &w, "passed"
		if told.Outcome == login.TraceRefused {
			out.State = "failed"
		}
	}
	return &testAnswer{out}, nil
}
