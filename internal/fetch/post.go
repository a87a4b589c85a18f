package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// Post posts a body to an address and gives what is answered, whatever its
// status: what a server means by one is for whoever asked to know. It goes where
// Get would, and follows no redirect. What fails it says as an *Error.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) ([]byte, error) {
	u, err := c.check(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	client, idle := c.client()
	defer idle()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Reason: BadAddress, Says: "this is no address such as https://company.com/page", Err: err}
	}
	if r.Header = header.Clone(); header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("User-Agent", c.UserAgent) // empty: none is sent
	answer, err := client.Do(r)
	if err != nil {
		return nil, c.why(ctx, err)
	}
	defer answer.Body.Close()
	out, err := io.ReadAll(io.LimitReader(answer.Body, c.Most+1))
	if err != nil {
		return nil, c.why(ctx, err)
	}
	if int64(len(out)) > c.Most {
		return nil, &Error{Reason: TooLarge, Says: fmt.Sprintf("it is larger than %d bytes", c.Most)}
	}
	return out, nil
}
