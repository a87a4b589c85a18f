package sso

import (
	"fmt"
	"strings"
)

// mostChoices is how many identity providers are named to choose from.
const mostChoices = 100

// A SeveralIdPs is why metadata does not say which identity provider is meant.
type SeveralIdPs struct {
	EntityIDs []string // to choose from, in their order; at most a hundred
	More      int      // that are not named
}

func (s *SeveralIdPs) Error() string {
	return fmt.Sprintf("the metadata holds %d identity providers", len(s.EntityIDs)+s.More)
}

// words name the first few.
func (s *SeveralIdPs) words() string {
	const most = 10
	names, more := s.EntityIDs, ""
	if len(names) > most {
		names, more = names[:most], " and others"
	}
	return strings.Join(names, ", ") + more
}

// theOneIdP picks the entity that is the IdP which was chosen. Of several,
// nobody but the administrator knows which is meant.
func theOneIdP(entities []entityXML, chosen string) (entityXML, error) {
	var idps []entityXML
	all := &SeveralIdPs{}
	for _, e := range entities {
		if len(e.IdPs) == 0 {
			continue
		}
		idps = append(idps, e)
		if chosen != "" && strings.TrimSpace(e.EntityID) == chosen {
			return e, nil
		}
		if len(all.EntityIDs) < mostChoices {
			all.EntityIDs = append(all.EntityIDs, clip(strings.TrimSpace(e.EntityID)))
		} else {
			all.More++
		}
	}
	switch {
	case len(idps) == 1:
		return idps[0], nil
	case len(idps) > 1 && chosen != "":
		return entityXML{}, badMetadata("The metadata holds no identity provider with the entity ID %s. It holds: %s. Choose one by its entity ID.", clip(chosen), all.words()).Coded("entity_id_not_in_metadata").Because(all)
	case len(idps) > 1:
		return entityXML{}, badMetadata("The metadata holds several identity providers: %s. Choose one by its entity ID.", all.words()).Coded("entity_id_needed").Because(all)
	case len(entities) > 0:
		return entityXML{}, badMetadata("This is the metadata of a service provider, %s: of this server or of another application. Paste that of the identity provider; it has an IDPSSODescriptor.", clip(entities[0].EntityID))
	}
	return entityXML{}, badMetadata("This is SAML metadata, but of nobody: it holds no EntityDescriptor. %s", whatToPaste)
}
