package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/login"
)

const (
	traceColumns = `t.id, t.organization_id, t.method_kind, t.method_id, t.at, t.words, t.outcome, t.code, t.user_id`
	noTrace      = "There is no such trace."
)

// traceFields are where the columns of a trace go.
func traceFields(t *login.Trace) []any {
	return []any{&t.ID, &t.OrganizationID, &t.Method.Kind, text{&t.Method.ID}, moment{&t.At}, &t.Words, &t.Outcome, &t.Code, text{&t.UserID}}
}

// AddTrace implements login.TraceStore.
func (s *Store) AddTrace(ctx context.Context, t login.Trace) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		err := s.change(ctx, fault.Exists.Errorf("There is a trace with this id already."), `
			INSERT INTO login_trace (id, organization_id, method_kind, method_id, at, words, outcome, code, user_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO NOTHING`,
			t.ID, t.OrganizationID, string(t.Method.Kind), textOrNull(t.Method.ID), stamp(t.At), t.Words,
			string(t.Outcome), t.Code, textOrNull(t.UserID))
		if err != nil {
			return err
		}
		var response any
		if t.Response != nil {
			response = t.Response
		}
		_, err = s.exec(ctx, `INSERT INTO login_trace_body (id, story, response) VALUES ($1, $2, $3)`, t.ID, t.Story, response)
		return err
	})
}

// EndTrace implements login.TraceStore.
func (s *Store) EndTrace(ctx context.Context, t login.Trace) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		_, err := s.exec(ctx, `UPDATE login_trace SET outcome = $2, code = $3, user_id = $4 WHERE id = $1`,
			t.ID, string(t.Outcome), t.Code, textOrNull(t.UserID))
		if err != nil || t.Story == nil {
			return err
		}
		_, err = s.exec(ctx, `UPDATE login_trace_body SET story = $2 WHERE id = $1`, t.ID, t.Story)
		return err
	})
}

// Traces implements login.TraceStore. The organization's are read in the order
// of their index; the rest of the filter is asked of each row on the way. Words
// have an index of their own.
func (s *Store) Traces(ctx context.Context, f login.TraceFilter, before string, most int) ([]login.Trace, error) {
	if before == "" {
		before = "~" // after every id
	}
	query := `SELECT ` + traceColumns + `, b.response IS NOT NULL FROM login_trace t JOIN login_trace_body b ON b.id = t.id WHERE t.organization_id = $1 AND t.id < $2`
	args := []any{f.OrganizationID, before}
	for _, c := range []struct{ column, value string }{
		{"t.words =", f.Words}, {"t.method_id =", f.MethodID}, {"t.outcome =", string(f.Outcome)}, {"t.code =", f.Code}, {"t.user_id =", f.UserID},
	} {
		if c.value != "" {
			args = append(args, c.value)
			query += ` AND ` + c.column + ` $` + strconv.Itoa(len(args))
		}
	}
	for _, c := range []struct {
		column string
		at     time.Time
	}{{"t.at >=", f.Since}, {"t.at <", f.Until}} {
		if !c.at.IsZero() {
			args = append(args, stamp(c.at))
			query += ` AND ` + c.column + ` $` + strconv.Itoa(len(args))
		}
	}
	args = append(args, most)
	return all(ctx, s, func(r row) (t login.Trace, err error) {
		return t, r.Scan(append(traceFields(&t), maybe[bool]{&t.HasWhole})...)
	}, query+` ORDER BY t.id DESC LIMIT $`+strconv.Itoa(len(args)), args...)
}

// Trace implements login.TraceStore.
func (s *Store) Trace(ctx context.Context, organizationID, id string) (login.Trace, error) {
	t, err := one(ctx, s, scanTrace, `
		SELECT `+traceColumns+`, b.story, b.response FROM login_trace t JOIN login_trace_body b ON b.id = t.id
		WHERE t.id = $1 AND ($2 = '' OR t.organization_id = $2)`, id, organizationID)
	return t, missing(err, noTrace)
}

func scanTrace(r row) (t login.Trace, err error) {
	err = r.Scan(append(traceFields(&t), &t.Story, &t.Response)...)
	t.HasWhole = t.Response != nil
	return t, err
}

// DropTraceResponse implements login.TraceStore.
func (s *Store) DropTraceResponse(ctx context.Context, organizationID, id string) error {
	return s.change(ctx, fault.NotFound.Errorf(noTrace), `
		UPDATE login_trace_body SET response = NULL
		WHERE id = $1 AND response IS NOT NULL AND EXISTS (SELECT 1 FROM login_trace t WHERE t.id = $1 AND t.organization_id = $2)`, id, organizationID)
}

// CountRefused implements login.TraceStore.
func (s *Store) CountRefused(ctx context.Context, organizationID, methodID string, hour time.Time, n int) error {
	_, err := s.exec(ctx, `
		INSERT INTO login_trace_count (organization_id, method_id, hour, refused) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organization_id, method_id, hour) DO UPDATE SET refused = login_trace_count.refused + $4`,
		organizationID, methodID, stamp(hour), n)
	return err
}

// Refused implements login.TraceStore.
func (s *Store) Refused(ctx context.Context, f login.TraceFilter) (n int, err error) {
	until := f.Until
	if until.IsZero() {
		until = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return one(ctx, s, func(r row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT CAST(coalesce(sum(refused), 0) AS INTEGER) FROM login_trace_count
		WHERE organization_id = $1 AND ($2 = '' OR method_id = $2) AND hour >= $3 AND hour < $4`,
		f.OrganizationID, f.MethodID, stamp(f.Since.Truncate(time.Hour)), stamp(until))
}

// AddShare implements login.TraceStore.
func (s *Store) AddShare(ctx context.Context, share login.Share) error {
	_, err := s.exec(ctx, `INSERT INTO login_trace_share (hash, trace_id, attributes, expires_at) VALUES ($1, $2, $3, $4)`,
		share.Hash[:], share.TraceID, share.Attributes, stamp(share.ExpiresAt))
	return err
}

// Share implements login.TraceStore.
func (s *Store) Share(ctx context.Context, hash [32]byte, now time.Time) (login.Share, login.Trace, error) {
	share := login.Share{Hash: hash}
	t, err := one(ctx, s, func(r row) (t login.Trace, err error) {
		err = r.Scan(append(traceFields(&t), &t.Story, &t.Response, &share.TraceID, maybe[bool]{&share.Attributes}, moment{&share.ExpiresAt})...)
		t.HasWhole = t.Response != nil
		return t, err
	}, `
		SELECT `+traceColumns+`, b.story, b.response, s.trace_id, s.attributes, s.expires_at
		FROM login_trace_share s JOIN login_trace t ON t.id = s.trace_id JOIN login_trace_body b ON b.id = t.id
		WHERE s.hash = $1 AND s.expires_at > $2`, hash[:], stamp(now))
	return share, t, missing(err, "There is no such link.")
}

// SweepTraces implements login.TraceStore. The ids begin with the time.
func (s *Store) SweepTraces(ctx context.Context, before time.Time) (total int64, err error) {
	n, err := s.sweep(ctx, `DELETE FROM login_trace WHERE id IN (SELECT id FROM login_trace WHERE id < $1 LIMIT $2)`, firstID(before))
	if err != nil {
		return n, err
	}
	more, err := s.sweep(ctx, `
		DELETE FROM login_trace_count WHERE (organization_id, method_id, hour) IN (
			SELECT organization_id, method_id, hour FROM login_trace_count WHERE hour < $1 LIMIT $2)`, stamp(before))
	return n + more, err
}

// firstID is what no UUIDv7 of a moment or later is below (RFC 9562, 5.7).
func firstID(at time.Time) string {
	ms := uint64(at.UnixMilli())
	return fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff)
}

const testColumns = `id, method_id, made_by, draft, expires_at, flow_id, trace_id`

func scanTest(r row) (t login.Test, err error) {
	return t, r.Scan(&t.ID, &t.MethodID, &t.MadeBy, &t.Draft, moment{&t.ExpiresAt}, text{&t.FlowID}, text{&t.TraceID})
}

const noTest = "There is no such test."

// AddTest implements login.TraceStore.
func (s *Store) AddTest(ctx context.Context, t login.Test) error {
	_, err := s.exec(ctx, `INSERT INTO login_test (`+testColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		t.ID, t.MethodID, t.MadeBy, t.Draft, stamp(t.ExpiresAt), textOrNull(t.FlowID), textOrNull(t.TraceID))
	return err
}

// Test implements login.TraceStore.
func (s *Store) Test(ctx context.Context, id string, now time.Time) (login.Test, error) {
	t, err := one(ctx, s, scanTest, `SELECT `+testColumns+` FROM login_test WHERE id = $1 AND expires_at > $2`, id, stamp(now))
	return t, missing(err, noTest)
}

// TestByFlow implements login.TraceStore.
func (s *Store) TestByFlow(ctx context.Context, flowID string, now time.Time) (login.Test, error) {
	t, err := one(ctx, s, scanTest, `SELECT `+testColumns+` FROM login_test WHERE flow_id = $1 AND expires_at > $2`, flowID, stamp(now))
	return t, missing(err, noTest)
}

// StartTest implements login.TraceStore.
func (s *Store) StartTest(ctx context.Context, id, flowID string) error {
	return s.change(ctx, fault.NotFound.Errorf(noTest), `UPDATE login_test SET flow_id = $2 WHERE id = $1 AND trace_id IS NULL`, id, flowID)
}

// EndTest implements login.TraceStore.
func (s *Store) EndTest(ctx context.Context, id, traceID string) error {
	return s.change(ctx, fault.NotFound.Errorf(noTest), `UPDATE login_test SET trace_id = $2 WHERE id = $1 AND trace_id IS NULL`, id, traceID)
}
