package sso_test

// An attack is a row of the catalogue in docs/security.md: what is tried, what
// becomes of it, and where that is tested.
type attack struct {
	row     string
	tried   string
	refused []string // cases of testdata/saml/bad
	taken   []string // cases of testdata/saml/good: what looks like it and is honest
	tests   []string // "folder TestName"; in store/storetest, "folder promise"
	outcome string
	later   string // why there is nothing to test yet; then nothing else is said
}

const ()

// attacks follow the order of the catalogue.
var attacks = [][]attack{wrappings, differentials, resources, cryptography, protocol, identities}

var wrappings = []attack{
	{row: "A1", tried: "XSW1: a forged response around the signed one, which stands in the signature", refused: []string{"xsw1"}, outcome: "refused"},
	{row: "A2", tried: "XSW2: a forged response; the signed one stands beside its signature", refused: []string{"xsw2"}, outcome: "refused"},
	{row: "A3", tried: "XSW3: a forged assertion before the signed one", refused: []string{"xsw3"}, outcome: "refused, though what is signed is honest"},
	{row: "A4", tried: "XSW4: a forged assertion around the signed one", refused: []string{"xsw4"}, outcome: "refused"},
	{row: "A5", tried: "XSW5: a forged assertion with the signature of the one behind it", refused: []string{"xsw5"}, outcome: "refused"},
	{row: "A6", tried: "XSW6: the same, the signed one inside the signature", refused: []string{"xsw6"}, outcome: "refused"},
	{row: "A7", tried: "XSW7: a forged assertion in Extensions", refused: []string{"xsw7"}, outcome: "refused, though what is signed is honest"},
	{row: "A8", tried: "XSW8: the signed assertion in an Object of the signature", refused: []string{"xsw8"}, tests: []string{"sso FuzzWrap"}, outcome: "refused"},
	{row: "A9", tried: "two SignedInfo in a signature (CVE-2019-3465, CVE-2025-29774)", refused: []string{"two-signed-infos"}, outcome: "refused"},
	{row: "A10", tried: "signatures taken out", refused: []string{"unsigned", "stripped", "response-signed-only"}, outcome: "refused"},
	{row: "A11", tried: "a signature made invisible by its namespace", refused: []string{"signature-prefix-emptied", "signature-renamed", "signature-of-another-namespace"}, outcome: "refused"},
	{row: "A12", tried: "an unsigned assertion beside a signed one (CVE-2022-41912)", refused: []string{"unsigned-assertion-before", "unsigned-assertion-behind", "two-assertions"}, outcome: "refused"},
	{row: "A13", tried: "an assertion in Extensions, Advice, SubjectConfirmationData, StatusDetail, Object or a value", refused: []string{"assertion-in-extensions", "assertion-in-advice", "assertion-in-confirmation-data", "assertion-in-status-detail", "assertion-in-attribute-value", "response-in-response", "xsw8"}, outcome: "refused"},
	{row: "A14", tried: "a signature of another element", refused: []string{"signed-subject-only", "signature-in-subject", "reference-to-parent"}, outcome: "refused"},
	{row: "A15", tried: "a signature in an attribute's value", refused: []string{"signature-in-attribute-value"}, outcome: "refused"},
	{row: "A16", tried: "two elements with one ID", refused: []string{"duplicate-id", "duplicate-id-elsewhere"}, outcome: "refused"},
	{row: "A17", tried: "a reference to nothing, to an address, by XPointer, to the document", refused: []string{"reference-to-nobody", "reference-to-an-address", "reference-by-xpointer", "no-reference-uri", "no-reference-uri-of-assertion", "no-reference-uri-of-response", "reference-to-document", "empty-reference-of-response", "empty-reference-of-assertion"}, taken: []string{"empty-reference-allowed", "no-reference-allowed"}, outcome: "refused; the whole response by `URI=\"\"` or none where the method admits it"},
	{row: "A18", tried: "an ancestor, an Object, or XPath as what is signed", refused: []string{"reference-to-an-ancestor", "object-in-signature", "xpath-transform", "base64-transform", "no-enveloped-transform"}, outcome: "refused"},
	{row: "A19", tried: "a document before or behind the signed one (CVE-2022-39299)", refused: []string{"second-root", "response-behind-the-first", "response-before-the-signed", "text-after-root"}, outcome: "refused"},
	{row: "A20", tried: "two signatures, one of them wrong or of nothing", refused: []string{"two-signatures", "empty-signature", "attacker-assertion-in-signed-response", "attacker-response-around-signed-assertion"}, outcome: "refused: every signature has to hold"},
	{row: "A21", tried: "a signature with two references (CVE-2026-33487)", refused: []string{"two-references"}, outcome: "refused"},
	{row: "A22", tried: "changing what the signature does not cover, or what it does", refused: []string{"changed-name-id", "changed-attribute-in-response", "stripped-request", "exchanged-request"}, tests: []string{"sso FuzzWrap", "sso FuzzCheck"}, outcome: "refused; nothing unsigned is read but to refuse"},
	{row: "A23", tried: "a forged assertion where a search by name finds it first (CVE-2025-47949, CVE-2025-46572)", refused: []string{"xsw3", "xsw4", "assertion-in-extensions", "assertion-in-status-detail"}, outcome: "refused"},
	{row: "A24", tried: "a digest where a search by name finds it first (CVE-2024-45409)", refused: []string{"digest-in-status-detail", "changed-signed-info"}, outcome: "refused"},
}

var differentials = []attack{
	{row: "B1", tried: "a comment in a name (CVE-2017-11427), signed too", refused: []string{"comment-in-name-id", "signed-comment-in-name-id"}, outcome: "refused"},
	{row: "B2", tried: "an instruction, CDATA or an element in a name, signed too", refused: []string{"instruction-in-name-id", "signed-instruction-in-value", "cdata-in-name-id", "element-in-name-id"}, outcome: "refused"},
	{row: "B3", tried: "a comment or an element in a digest (CVE-2025-29775)", refused: []string{"comment-in-digest", "element-in-digest"}, outcome: "refused"},
	{row: "B4", tried: "document types that two parsers read differently (CVE-2025-25291, CVE-2025-25292)", refused: []string{"doctype", "doctype-external", "doctype-with-attributes"}, outcome: "refused, whatever they say"},
	{row: "B5", tried: "references in an ID (CVE-2025-23369)", refused: []string{"id-with-reference", "unknown-entity"}, outcome: "refused"},
	{row: "B6", tried: "a canonical form that fails, and the digest of nothing (CVE-2025-66475)", refused: []string{"relative-namespace", "empty-digest", "inclusive-content", "inclusive-assertion", "inclusive-response-changed", "inclusive-response-more-prefixes", "inclusive-response-with-prefixes", "inclusive-response-with-comments"}, taken: []string{"inclusive-response", "inclusive11-response"}, outcome: "refused; the inclusive forms are taken of a whole response, around which is nothing"},
	{row: "B7", tried: "attributes twice, or under another namespace's prefix", refused: []string{"foreign-id", "foreign-id-only", "xml-id", "lower-case-id", "foreign-destination", "duplicate-attribute", "duplicate-attribute-by-namespace", "prefixed-algorithm"}, outcome: "refused"},
	{row: "B8", tried: "names that Go's parser rewrites (CVE-2020-29509, CVE-2020-29510, CVE-2020-29511)", refused: []string{"double-colon", "leading-colon", "emptied-prefix", "reference-in-namespace", "undeclared-attribute-prefix"}, tests: []string{"sso FuzzScan"}, outcome: "refused"},
	{row: "B9", tried: "elements of another namespace that look alike, signed", refused: []string{"foreign-name-id", "foreign-subject", "foreign-conditions", "foreign-condition", "foreign-element-in-signature"}, outcome: "refused"},
	{row: "B10", tried: "other encodings, declared or used; NUL; bytes that are no UTF-8", refused: []string{"utf16", "declared-utf16", "declared-latin1", "declared-utf7", "nul-byte", "invalid-utf8", "overlong-utf8", "noncharacter"}, taken: []string{"byte-order-mark"}, outcome: "refused; one byte order mark of UTF-8 is skipped"},
	{row: "B11", tried: "characters as references", refused: []string{"reference-to-nul", "reference-to-surrogate", "unfinished-reference"}, taken: []string{"references-in-name-id"}, outcome: "taken whole where XML has the character, else refused"},
}

var resources = []attack{
	{row: "C1", tried: "external entities, entities of entities, external document types", refused: []string{"doctype", "doctype-external", "doctype-with-entities-of-entities", "unknown-entity"}, tests: []string{"sso TestNothingThatAResponseNamesIsFetched"}, outcome: "refused at the first byte of it; nothing is fetched"},
	{row: "C2", tried: "XSLT, XPath, RetrievalMethod", refused: []string{"xslt-transform", "xpath-transform"}, tests: []string{"sso TestNothingThatAResponseNamesIsFetched"}, outcome: "transforms refused; KeyInfo ignored; nothing is fetched"},
	{row: "C3", tried: "deep nesting, hundreds of thousands of namespaces, attributes or elements", refused: []string{"too-deep", "too-many-attributes", "too-many-namespaces"}, tests: []string{"sso TestLimits", "sso TestTheScannersWorkIsBounded", "web TestHostileAnswersLeaveOthersServed"}, outcome: "refused; [what it costs](performance.md#hostile-answers)"},
	{row: "C4", tried: "a body of many megabytes", tests: []string{"web TestTheACSTakesOnlyAFormOfItsSize", "sso TestDecodeResponse"}, outcome: "refused (413) at 400 KiB"},
	{row: "C5", tried: "a deflated megabomb", tests: []string{"sso TestNothingThatStrangersSendIsInflated", "sso TestLogoutsThatCannotBeReadAreRefused", "internal/demoidp FuzzRequest"}, outcome: "nothing that is sent is inflated but a logout in a query, to 64 KiB; and requests by the identity provider of demonstrations, as far"},
	{row: "C6", tried: "thousands of encrypted assertions or keys", refused: []string{"encrypted-assertion", "assertion-and-encrypted-assertion", "encrypted-two-keys", "encrypted-key-inside-and-beside"}, tests: []string{"sso TestNothingIsDecryptedInVain"}, outcome: "refused before any RSA operation: one assertion, one key"},
	{row: "C7", tried: "what makes crewjam/saml panic: nothing where it expects something, a thousand elements", refused: []string{"no-conditions", "no-subject", "no-confirmation-data"}, tests: []string{"sso TestThousandsOfGroups", "sso FuzzCheck"}, outcome: "refused, or taken where it is honest; no panic"},
	{row: "C8", tried: "floods of answers, slow ones too; filling the memory of used ids", tests: []string{"cmd/gatehouse TestSlowConnectionsAreCutAndLeaveOthersServed", "cmd/gatehouse TestOnlySoManyConnectionsAreOpenAtOnce", "login TestResponsesAreJudgedOnlySoManyAtOnce", "login TestBadAnswersAtOnceAreCountedBeforeTheyAreJudged", "login TestEachMistakeOfAnIdPIsRefusedAndChangesNothing", "web TestHostileAnswersLeaveOthersServed"}, outcome: "cut after half a minute; connections bounded in all, answers counted by address and judged so many at once; only ids that were verified are kept"},
	{row: "C9", tried: "100,000 logins begun", tests: []string{"login TestAStartStoresNothing"}, outcome: "a begun login stores nothing here"},
}

var cryptography = []attack{
	{row: "D1", tried: "signed with another key, whose certificate stands in KeyInfo", refused: []string{"attacker-key", "attacker-key-trusted-claim", "no-certificate"}, outcome: "refused"},
	{row: "D2", tried: "the right key under another certificate", taken: []string{"foreign-key-info", "reissued-certificate", "no-key-info", "rollover-without-key-info"}, outcome: "taken: KeyInfo is ignored"},
	{row: "D3", tried: "HMAC with the public key as its secret", refused: []string{"hmac"}, outcome: "refused"},
	{row: "D4", tried: "SHA-1, MD5, short keys; expired certificates", refused: []string{"sha1", "sha1-digest", "rsa-md5", "small-key"}, taken: []string{"sha1-allowed", "small-key-allowed", "expired-certificate"}, tests: []string{"sso TestForbiddingSmallKeysNeedsABetterCertificate"}, outcome: "refused unless the method admits it; an expired certificate warns"},
	{row: "D5", tried: "other algorithms and forms of signatures", refused: []string{"rsa-pss", "ed25519", "other-key-type"}, taken: []string{"ecdsa-p256", "ecdsa-p521", "ecdsa-asn1"}, outcome: "ECDSA taken in both forms; RSA-PSS and Ed25519 refused"},
	{row: "D6", tried: "asking by errors what an encrypted text holds", refused: []string{"encrypted-cbc-bit-flipped", "encrypted-aes128-cbc-unsigned", "encrypted-cbc-bad-padding", "encrypted-gcm-changed", "encrypted-key-changed", "encrypted-rsa-1-5"}, tests: []string{"sso TestFailuresToDecryptAreAlike", "sso FuzzDecrypt"}, outcome: "refused by one code and the same steps; AES-CBC under a verified signature only"},
	{row: "D7", tried: "an encrypted assertion that nobody signed", refused: []string{"encrypted-unsigned", "encrypted-attacker-key", "encrypted-response-signed-only"}, tests: []string{"sso FuzzDecrypt"}, outcome: "refused"},
	{row: "D8", tried: "wrapping in encrypted parts", refused: []string{"assertion-and-encrypted-assertion", "encrypted-two-roots", "encrypted-nested", "encrypted-nested-in-assertion", "encrypted-assertion-in-assertion", "encrypted-response", "encrypted-id-of-response", "encrypted-id-confirmation", "encrypted-id-and-name-id", "encrypted-uncovered-prefix"}, outcome: "refused"},
	{row: "D9", tried: "a stolen key of the identity provider", refused: []string{"removed-certificate"}, outcome: "not to be told from its owner; refused from the moment its certificate is taken out, answers under way too"},
	{row: "D10", tried: "a certificate that comes with refreshed metadata", tests: []string{"sso TestAChangeIsHeldUntilSomebodyApproves", "sso TestMetadataHasToBeSignedWhereACertificateIsSet", "sso TestWhatWasChangedMeanwhileIsNotOverwritten"}, outcome: "held for an administrator, unless the method says that it is applied"},
	{row: "D11", tried: "metadata whose keys say no use, to have signatures not looked at (CVE-2026-16443)", refused: []string{"unsigned"}, tests: []string{"sso TestParseIdPMetadataAsProductsWriteIt", "sso TestParseIdPMetadataRefuses"}, outcome: "such a key signs; without any certificate nothing is admitted"},
}

var protocol = []attack{
	{row: "E1", tried: "replay: again, at once, to another request, at another node", tests: []string{"login TestAnAnswerCountsOnce", "login TestOfManyPostsAtOnceOneWins", "login TestAnAssertionCountsOnceWhicheverRequestItAnswers", "internal/e2e TestTwoNodesServeOneLogin"}, outcome: "one of them counts"},
	{row: "E2", tried: "replay of a login that began at the identity provider (CVE-2026-18967)", taken: []string{"one-time-use"}, tests: []string{"login TestAnUnsolicitedResponseIsUsedUpInEitherMode"}, outcome: "the first counts"},
	{row: "E3", tried: "an answer for somebody else: audience, recipient, destination", refused: []string{"audience", "empty-audience-restriction", "no-audience-restriction", "recipient", "recipient-prefix", "no-recipient", "no-recipient-in-unsigned-response", "no-recipient-and-no-destination", "destination", "empty-destination", "destination-case"}, outcome: "refused"},
	{row: "E4", tried: "two audiences; two restrictions", refused: []string{"second-audience-restriction"}, taken: []string{"two-audiences", "two-audience-restrictions"}, outcome: "one of the audiences of each restriction has to be ours"},
	{row: "E5", tried: "too early, too late, without bounds", refused: []string{"expired-61s", "expired-60s", "expired-confirmation", "not-yet-valid-61s", "old-response", "old-assertion", "confirmation-without-end"}, taken: []string{"skew-59s-ahead", "skew-59s-behind", "conditions-without-bounds"}, tests: []string{"sso TestNothingOutlivesItsMemory"}, outcome: "60 seconds either way, to the second"},
	{row: "E6", tried: "the answer to another's request, to none, to an old one", refused: []string{"unknown-request", "two-requests", "confirmation-without-request", "response-without-request"}, tests: []string{"login TestAnAnswerCarriedIntoAnotherBrowserStops", "login TestAFlowEndsAfterTenMinutes", "sso TestRequestIDsThatDoNotCount"}, outcome: "refused; in another browser stopped"},
	{row: "E7", tried: "logging somebody in as the attacker (login CSRF)", refused: []string{"unsolicited"}, taken: []string{"unsolicited"}, tests: []string{"login TestALoginThatStartsAtTheIdP", "login TestALoginThatIsAcceptedHasToBeConfirmedInOneBrowser", "web TestNobodyBecomesSomebodyElseUnasked"}, outcome: "refused; asked first where the method admits it"},
	{row: "E8", tried: "an answer stripped of its request", refused: []string{"stripped-request", "stripped-request-where-unsolicited-may-be"}, outcome: "refused"},
	{row: "E9", tried: "no confirmation, another kind, without data, from the future", refused: []string{"no-confirmation", "holder-of-key", "sender-vouches", "no-confirmation-data", "confirmation-not-before"}, taken: []string{"holder-of-key-beside-bearer", "confirmation-not-before"}, outcome: "one bearer confirmation has to hold"},
	{row: "E10", tried: "a status that is no success, or none", refused: []string{"status-failure", "status-nested-success", "status-failure-unsigned", "no-status", "two-statuses"}, tests: []string{"web TestRefusalsLeadToALineInTheLog"}, outcome: "refused; what it says goes to the administrator's log"},
	{row: "E11", tried: "no issuer, another one, two that differ", refused: []string{"no-assertion-issuer", "assertion-issuer", "response-issuer"}, taken: []string{"no-response-issuer"}, outcome: "refused; only the assertion's is demanded"},
	{row: "E12", tried: "a weaker login than was asked for; a session that is over there", refused: []string{"context-weaker-than-asked", "context-not-exact", "context-not-said", "authn-before-request", "session-ended", "no-authn-statement"}, taken: []string{"context-as-asked", "context-better-than-asked", "forced-authn"}, tests: []string{"login TestASessionEndsWhenTheIdPSaysSo"}, outcome: "refused where the method asks for it; the session ends with theirs"},
	{row: "E13", tried: "addresses and line ends in RelayState and return paths", tests: []string{"login TestALoginThatStartsAtTheIdP", "login TestALoginLeadsOnlyToPagesOfOurs", "login FuzzALoginLeadsOnlyToPagesOfOurs", "login FuzzRelayState", "sso TestSSOURLsHaveNoOddAddresses"}, outcome: "refused, or home"},
	{row: "E14", tried: "an artifact instead of a response (CVE-2026-49283)", tests: []string{"web TestAnAnswerIsGoodOnceAndForItsOwnLogin", "web TestTheACSTakesOnlyAFormOfItsSize"}, outcome: "ignored: nothing is fetched"},
	{row: "E15", tried: "forged, unsigned, wrapped and stale logouts; answers to a logout that nobody asked for", tests: []string{"sso TestBadLogoutsAreRefused", "sso TestLogoutsThatCannotBeReadAreRefused", "sso TestOnlyAnAnswerToALogoutConfirmsIt", "sso FuzzLogout"}, outcome: "refused; no session ends"},
	{row: "E16", tried: "changing our request on its way", tests: []string{"sso TestRedirectIsSignedOverItsQuery", "sso TestRequestByPostIsSignedInside", "sso TestEveryBitOfARequestIDCounts"}, outcome: "requests are signed where the method says so; an id that we did not make is refused"},
	{row: "E17", tried: "times that are years away", refused: []string{"response-from-the-future", "assertion-from-the-future", "local-time", "not-a-time"}, taken: []string{"validity-for-ever", "authn-instant-tomorrow"}, tests: []string{"sso TestNothingOutlivesItsMemory"}, outcome: "refused, or bounded by our own limits"},
	{row: "E18", tried: "ending the sessions of others: by a replay, for another method, organization or way to log in, while a login ends; open redirects and false news by a logout", tests: []string{"login TestALogoutThatIsNotTheirsEndsNothing", "login TestALogoutRequestCountsOnce", "login TestALogoutEndsOtherLoginsOfThePersonNot", "login TestALogoutAndALoginAtOnceLeaveNoSession", "web TestALogoutRequestThatIsNotTheirsLogsNobodyOut", "web TestAnAnswerThatNobodyAskedForDoesNotClaimALogout"}, outcome: "refused, or of no consequence to them; answers go to the address that is set"},
}

var identities = []attack{
	{row: "F1", tried: "the answer of one identity provider at the address of another (mix-up)", tests: []string{"login TestAnswersThatDoNotBelongAreRefused"}, refused: []string{"response-issuer"}, outcome: "refused"},
	{row: "F2", tried: "two organizations with one identity provider, of one entity ID", tests: []string{"login TestOneIdentityProviderOfTwoOrganizations"}, outcome: "the address that was posted to decides; neither's answer counts at the other"},
	{row: "F3", tried: "an address in a domain that the organization has not proved", tests: []string{"login TestAnUnknownSubjectIsNotLetIn", "login TestSignupNeverTakesAnAccountByItsAddress", "store/storetest a method speaks for a domain that is verified and linked to it"}, outcome: "linked to nobody by its address"},
	{row: "F4", tried: "addresses and domains that look alike", tests: []string{"account TestNormalizeEmail", "account TestNormalizeDomain", "account FuzzNormalizeEmail", "sso TestMapping"}, outcome: "compared in one form; letters beyond ASCII before the @ are refused"},
	{row: "F5", tried: "a NameID of another format or qualifier", refused: []string{"transient", "name-qualifier"}, taken: []string{"persistent-with-qualifiers"}, tests: []string{"sso TestSubjects"}, outcome: "another person: method, format, qualifiers and value count together"},
	{row: "F6", tried: "two values where one names the person", refused: []string{"two-emails", "two-email-attributes", "mapped-identity-twice"}, tests: []string{"sso TestMapping"}, outcome: "refused"},
	{row: "F7", tried: "an account made beforehand with somebody's address", tests: []string{"account TestALinkForAnotherAddressDoesNothing", "web TestReaderOfTheMailRefusesTheAccount", "store/storetest an unproved account loses every way in but one identity, and every place but one organization"}, outcome: "an address counts once it is proved; ways in from before are lost"},
	{row: "F8", tried: "linking the victim's account to the attacker's login", tests: []string{"login TestALinkIsForItsOwnSessionAlone", "login TestALinkIsJudgedAgainAtItsEnd", "login TestALinkIsMadeByAYesToThatLink"}, outcome: "refused"},
	{row: "F9", tried: "a method that is disabled between request and answer (CVE-2026-16442)", tests: []string{"login TestADisabledMethodStopsEverythingAtOnce"}, outcome: "refused at every step"},
	{row: "F10", tried: "a domain whose proof is gone", tests: []string{"domains TestARecordThatStaysAwayForAWeekEndsItsClaim", "domains TestSilenceBeginsNoCountAndEndsNoClaim", "cmd/gatehouse TestADomainWhoseRecordStaysAwayGoesToWhoHasIt"}, outcome: "looked at daily; lost after a week of sure absence"},
	{row: "F11", tried: "a domain that another has, or that belongs to everybody", tests: []string{"api TestOfTwoOrganizationsOneProvesADomain", "store/storetest of many claims to one name, one is verified"}, outcome: "refused"},
	{row: "F12", tried: "a role by the name of a group", tests: []string{"login TestSignupMakesAnAccountOnce", "web TestAnIdentityProviderFillsGroups", "account TestGroupsThatIdPsFillAreNotFilledByHand"}, outcome: "groups give no role; only groups that are marked for it are filled"},
	{row: "F13", tried: "a person who was taken out of the directory", later: "There is no SCIM yet: whom the identity provider goes on to admit comes in."},
	{row: "F14", tried: "a session cookie that was there before the login", tests: []string{"web TestEveryLoginHasANewTokenAndEndsTheOldOne"}, outcome: "every login makes a new one"},
	{row: "F15", tried: "guessing tokens, codes and passwords; asking who has an account", tests: []string{"login TestGuessingIsLimitedAndDoesNotLockTheOwnerOut", "login TestWrongCodesAreCounted", "login TestNoAnswerTellsWhoHasAnAccount", "gate TestTokensOfNobodyAreLimitedByAddress"}, outcome: "limited; the answer is the same"},
	{row: "F16", tried: "an address in X-Forwarded-For", tests: []string{"cmd/gatehouse TestMetricsAreForThoseWhoMayReadThem", "internal/e2e TestTwoNodesServeOneLogin"}, outcome: "ignored, but from proxies that are named"},
	{row: "F17", tried: "metadata at an address inside", tests: []string{"sso TestNoAddressOfMetadataLeadsToThisMachineOrItsNetwork", "internal/fetch TestNoNameLeadsToThisMachineOrItsNetwork", "internal/fetch TestANameIsLookedUpOnceAndJudgedByWhatIsConnectedTo", "internal/fetch TestRedirectsAreFollowedToTheSameHostAlone", "internal/fetch TestABodyIsBounded", "internal/fetch TestTimeIsBounded"}, outcome: "refused before connecting; https, 1 MiB, 10 seconds, the same host alone"},
	{row: "F18", tried: "metadata with several providers, past its end, or with addresses that are scripts", tests: []string{"sso TestParseIdPMetadataRefuses", "sso FuzzParseIdPMetadata", "sso TestParseSSOURL", "sso TestAnEntityIDNeverChangesByItself", "sso TestOfSeveralProvidersTheChosenOneIsTakenAndStays"}, outcome: "refused; of several one is chosen, and its entity id stays"},
	{row: "F19", tried: "scripts in names, metadata and statuses", tests: []string{"sso TestMetadataEscapesWhatItWrites", "web TestNamesAreOnlyText"}, outcome: "text"},
	{row: "F20", tried: "line ends and people's data in logs", tests: []string{"sso TestRejectionsSayNothingOfPeople", "cmd/gatehouse TestLogsAndLabelsHoldNothingOfARequestsOwnWords", "audit TestWhatIsTooLongIsCutAndNothingUnstorableIsLeft"}, outcome: "no response is logged; fields are structured"},
	{row: "F21", tried: "cookies of other hosts and sites", tests: []string{"session TestCookiesAreForThisHostAlone", "web TestCookiesAreHostOnlyOverTLS", "web TestNoOtherSiteMayPost"}, outcome: "`__Host-`, Lax; other sites post to the ACS alone"},
	{row: "F22", tried: "codes and redirects of programs that log in", tests: []string{"login TestOnlyALoopbackAddressGetsACode", "login TestACodeIsUsedUpByWhoeverDoesNotFitIt", "login TestARequestThatIsNotWholeIsRefusedAtItsField"}, outcome: "refused. OpenID Connect there is none yet"},
}
