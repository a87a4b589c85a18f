package store

// SealedColumns are the columns whose values rotation seals anew.
func (s *Store) SealedColumns() []string {
	var names []string
	for _, c := range sealedColumns {
		names = append(names, c.table+"."+c.column)
	}
	return names
}
