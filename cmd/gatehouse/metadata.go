package main

import (
	"context"
	"math"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/audit"
	"gatehouse/internal/limit"
	"gatehouse/sso"
	"gatehouse/store"
)

// metadataFlags say where identity providers' metadata may stand.
type metadataFlags struct {
	MetadataNetworks []string `name:"metadata-network" help:"Networks that are not public and that identity providers' metadata may be fetched from all the same, and that are told of logouts over SOAP: of an intranet." placeholder:"CIDR" env:"GATEHOUSE_METADATA_NETWORK"`
}

func (f metadataFlags) checkMetadataNetworks() error {
	_, err := prefixes("--metadata-network", f.MetadataNetworks)
	return err
}

// followMetadata makes what fetches metadata, and what looks at the ends of
// certificates. Metadata comes from strangers' addresses: of those that are not
// public only the ones that the operator names are reached.
func (w *wired) followMetadata(c *serveCommand, db *store.Store, limits limit.Limiter, events *audit.Log) error {
	client := sso.NewMetadataClient("gatehouse/" + version())
	var err error
	networks := c.MetadataNetworks
	if c.Dev {
		networks = append(slices.Clone(networks), thisMachine...) // where it listens, too
	}
	if client.Networks, err = prefixes("--metadata-network", networks); err != nil {
		return err
	}
	if c.DNSResolver != "" {
		client.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.DNSResolver)
		}}
	}
	w.back = sso.NewBackchannel(client)
	w.idps.Refreshes = &sso.Refreshes{Store: db, Pages: client, Limits: limits, Base: w.base, Now: time.Now, Audit: events}
	w.endings = &sso.Endings{Store: db, Base: w.base, Now: time.Now, Audit: events}
	if w.sender != nil {
		w.idps.Refreshes.Mail, w.endings.Mail = w.sender, w.sender
	}
	return nil
}

// countCertificates shows how many certificates end soon, and how the fetches
// of metadata stand. The counts are of the whole cluster, from the last daily
// looks.
func (f *front) countCertificates(db *store.Store) {
	const day = 24 * time.Hour
	gauge := func(name, help string, labels prometheus.Labels, read func(ctx context.Context) (int, error)) {
		f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			n, err := read(ctx)
			if err != nil {
				return math.NaN()
			}
			return float64(n)
		}))
	}
	for _, s := range []struct {
		stage        sso.Stage
		after, until time.Duration
	}{{sso.Over, -100 * 365 * day, 0}, {sso.Within1, 0, day}, {sso.Within7, day, 7 * day}, {sso.Within30, 7 * day, 30 * day}} {
		gauge("gatehouse_certificates_ending", "Certificates of enabled identity providers, and ours for them, by how near their end is, on all nodes; NaN where the database is away.",
			prometheus.Labels{"within": string(s.stage)}, func(ctx context.Context) (int, error) {
				now := time.Now()
				return db.EndingCertificates(ctx, now.Add(s.after), now.Add(s.until))
			})
	}
	gauge("gatehouse_metadata_failing", "Identity providers whose metadata could not be fetched at the last try, on all nodes; NaN where the database is away.", nil, func(ctx context.Context) (int, error) {
		failing, _, err := db.MetadataStates(ctx)
		return failing, err
	})
	gauge("gatehouse_metadata_held", "Identity providers of whose metadata a change waits for approval, on all nodes; NaN where the database is away.", nil, func(ctx context.Context) (int, error) {
		_, held, err := db.MetadataStates(ctx)
		return held, err
	})
}
