package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"time"

	"gatehouse/internal/ident"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/web"
)

// mailFlags say how mail is sent.
type mailFlags struct {
	SMTPURL  string `name:"smtp-url" help:"Mail server: smtp://user:password@host:587 with STARTTLS, or smtps://…:465 with TLS. Better in the environment than on a command line. Without it, no mail is sent." placeholder:"URL" env:"GATEHOUSE_SMTP_URL"`
	MailFrom string `name:"mail-from" help:"Who mails are from; no-reply@ the host of --public-url unless said." placeholder:"ADDRESS" env:"GATEHOUSE_MAIL_FROM"`
}

// transport gives what mails are sent with: the mail server that the flags
// name, or, for a demonstration, nothing but a page; nil where no mail is sent.
func (f mailFlags) transport(public *url.URL, dev bool) (mail.Transport, error) {
	// A sender that is none is a mistake also where no mail is sent yet.
	if err := f.checkFrom(); err != nil {
		return nil, err
	}
	if f.SMTPURL == "" {
		if dev {
			return &mail.Kept{}, nil
		}
		return nil, nil
	}
	smtp, err := mail.ParseSMTP(f.SMTPURL)
	if err != nil {
		return nil, fmt.Errorf("--smtp-url cannot be used: %w", err)
	}
	from, err := parseFrom(cmp.Or(f.MailFrom, "Gatehouse <no-reply@"+public.Hostname()+">"))
	if err != nil {
		return nil, err
	}
	smtp.From, smtp.Hello = *from, public.Hostname()
	return smtp, nil
}

func (f mailFlags) checkFrom() error {
	if f.MailFrom == "" {
		return nil
	}
	_, err := parseFrom(f.MailFrom)
	return err
}

func parseFrom(text string) (*netmail.Address, error) {
	from, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("--mail-from %q is not an address such as \"Company <no-reply@company.com>\"", text)
	}
	return from, nil
}

// newSender makes what queues and sends mails, and says once how it will.
func newSender(transport mail.Transport, public *url.URL, db *store.Store, keys *seal.Keyring, log *slog.Logger) *mail.Sender {
	switch t := transport.(type) {
	case nil:
		log.Warn("no mail is sent: without --smtp-url nobody can confirm an email address, and nobody is told of changes to their account")
		return nil
	case *mail.SMTP:
		log.Info("mail is sent", "server", t.String(), "from", t.From.Address)
	case *mail.Kept:
		log.Info("no mail is sent: what would be is on the page /dev/mail")
	}
	return &mail.Sender{
		Store: db, Transport: transport, Keys: keys, Domain: public.Hostname(),
		NewID: ident.UUID, Now: time.Now, Log: log,
	}
}

// sendMail sends what is queued, until stop is called, which waits for the
// mails under way.
func (w *wired) sendMail(ctx context.Context) (stop func()) {
	if w.sender == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.sender.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// devMails gives what a demonstration kept, for its page; nil where mails are
// sent.
func devMails(transport mail.Transport) func() []web.DevMail {
	kept, ok := transport.(*mail.Kept)
	if !ok {
		return nil
	}
	return func() (out []web.DevMail) {
		for _, m := range kept.Mails() {
			out = append(out, web.DevMail{ID: m.ID, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML, At: m.At})
		}
		return out
	}
}
