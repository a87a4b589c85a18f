package store

import "database/sql/driver"

// Wrapped lets a test stand between PostgreSQL and the store.
func (c Config) Wrapped(wrap func(driver.Connector) driver.Connector) Config {
	c.wrap = wrap
	return c
}

// SealedColumns are the columns whose values rotation seals anew.
func (s *Store) SealedColumns() []string {
	var names []string
	for _, c := range sealedColumns {
		names = append(names, c.table+"."+c.column)
	}
	return names
}
