package audit

import (
	"maps"
	"slices"
)

// The actions: what it was done to, and what was done. They are kept for good,
// so none changes its meaning.
const (
	UserSignUp         = "user.signup"
	UserUpdate         = "user.update"
	UserChangePassword = "user.change_password"
	UserMailCode       = "user.mail_code"
	UserProveAddress   = "user.prove_address"
	UserDisown         = "user.disown"
	UserCreateOperator = "user.create_operator"

	OrganizationCreate = "organization.create"
	OrganizationUpdate = "organization.update"
	UnitCreate         = "unit.create"
	UnitUpdate         = "unit.update"

	MemberRemove = "member.remove"
	MemberLeave  = "member.leave"

	GroupCreate        = "group.create"
	GroupUpdate        = "group.update"
	GroupDelete        = "group.delete"
	GroupAddMembers    = "group.add_members"
	GroupRemoveMembers = "group.remove_members"

	IdPCreate  = "idp.create"
	IdPUpdate  = "idp.update"
	IdPEnable  = "idp.enable"
	IdPDisable = "idp.disable"
	IdPDelete  = "idp.delete"
	IdPTest    = "idp.test"

	IdPPrepareKey        = "idp.prepare_key"
	IdPSwitchKey         = "idp.switch_key"
	IdPCancelKey         = "idp.cancel_key"
	IdPForgetKey         = "idp.forget_key"
	IdPMetadataFetch     = "idp.metadata_fetch"
	IdPMetadataHold      = "idp.metadata_hold"
	IdPMetadataApply     = "idp.metadata_apply"
	IdPMetadataDiscard   = "idp.metadata_discard"
	IdPCertificateEnding = "idp.certificate_ending"
	IdPCertificateUsed   = "idp.certificate_first_used"

	IdentityLink = "identity.link"
	LoginSuccess = "login.success"

	TraceReveal       = "trace.reveal"
	TraceShare        = "trace.share"
	TraceDropResponse = "trace.drop_response"
	SessionEnd        = "session.end"

	ProgramApprove = "program.approve"
	ProgramRefuse  = "program.refuse"

	RecoverLoginLink  = "recover.login_link"
	RecoverGrantAdmin = "recover.grant_admin"

	PolicyUpdate  = "policy.update"
	PolicyConfirm = "policy.confirm"
	PolicyDiscard = "policy.discard"
	PolicyExpire  = "policy.expire"

	RecoverResetPolicy = "recover.reset_policy"
	RecoverClearRanges = "recover.clear_ip_ranges"

	TokenCreate = "token.create"
	TokenUpdate = "token.update"
	TokenRevoke = "token.revoke"
	TokenExpire = "token.expire_all"

	IdentityUnlink = "identity.unlink"

	DomainAdd    = "domain.add"
	DomainUpdate = "domain.update"
	DomainVerify = "domain.verify"
	DomainMiss   = "domain.record_missing"
	DomainFound  = "domain.record_found"
	DomainLose   = "domain.lose"
	DomainRemove = "domain.remove"
	DomainLink   = "domain.link"
	DomainUnlink = "domain.unlink"

	UserProvision = "user.provision"
	UserClaim     = "user.claim"
	UserManage    = "user.manage"
	UserRelease   = "user.release"
	UserFollow    = "user.follow"

	BackupCreate = "backup.create"
	KeysRotate   = "keys.rotate"
	KeysPrune    = "keys.prune"
)

// words say what was done, to people: an action without words is not recorded.
var words = map[string]string{
	UserSignUp:         "Made an account for themselves",
	UserUpdate:         "Changed their profile",
	UserChangePassword: "Changed their password",
	UserMailCode:       "Had a link mailed to prove their address",
	UserProveAddress:   "Proved their address",
	UserDisown:         "Disowned an account with their address",
	UserCreateOperator: "Made the first operator",

	OrganizationCreate: "Made the organization",
	OrganizationUpdate: "Changed the organization",
	UnitCreate:         "Made a unit",
	UnitUpdate:         "Renamed a unit",

	MemberRemove: "Removed somebody from the organization",
	MemberLeave:  "Left the organization",

	GroupCreate:        "Made a group",
	GroupUpdate:        "Changed a group",
	GroupDelete:        "Deleted a group",
	GroupAddMembers:    "Added people to a group",
	GroupRemoveMembers: "Removed people from a group",

	IdPCreate:  "Added an identity provider",
	IdPUpdate:  "Changed an identity provider",
	IdPEnable:  "Enabled an identity provider",
	IdPDisable: "Disabled an identity provider",
	IdPTest:    "Prepared a test of settings of an identity provider",
	IdPDelete:  "Deleted an identity provider",

	IdPPrepareKey:        "Prepared our next key for an identity provider",
	IdPSwitchKey:         "Switched to our next key for an identity provider",
	IdPCancelKey:         "Cancelled our next key for an identity provider",
	IdPForgetKey:         "Forgot our previous key for an identity provider",
	IdPMetadataFetch:     "Fetched the metadata of an identity provider",
	IdPMetadataHold:      "Found a change in the metadata of an identity provider",
	IdPMetadataApply:     "Took over a change from the metadata of an identity provider",
	IdPMetadataDiscard:   "Discarded a change from the metadata of an identity provider",
	IdPCertificateEnding: "Warned that a certificate of an identity provider ends",
	IdPCertificateUsed:   "Saw a certificate of an identity provider used for the first time",

	IdentityLink: "Linked their account to an identity provider",
	LoginSuccess: "Logged in",

	TraceReveal:       "Looked at what a trace of a login says of a person",
	TraceShare:        "Made a link that shows a trace of a login",
	TraceDropResponse: "Deleted the response of a trace of a login",
	SessionEnd:        "Ended a session",

	ProgramApprove: "Let a program log in as them",
	ProgramRefuse:  "Refused to let a program log in as them",

	RecoverLoginLink:  "Made a recovery link",
	RecoverGrantAdmin: "Made somebody a super admin",

	PolicyUpdate:  "Changed the authentication policy",
	PolicyConfirm: "Confirmed the authentication policy on trial",
	PolicyDiscard: "Discarded the authentication policy on trial",
	PolicyExpire:  "Ended the trial of an authentication policy",

	RecoverResetPolicy: "Made the authentication policy the usual one",
	RecoverClearRanges: "Opened the organization to every address",

	TokenCreate: "Made a personal token",
	TokenUpdate: "Renamed a personal token",
	TokenRevoke: "Revoked a token",
	TokenExpire: "Ended all their tokens",

	IdentityUnlink: "Cut a way to log in",

	DomainAdd:    "Claimed a domain",
	DomainUpdate: "Changed how a domain is to be proved",
	DomainVerify: "Proved a domain",
	DomainMiss:   "Found no proof of a domain any more",
	DomainFound:  "Found the proof of a domain again",
	DomainLose:   "Lost a domain",
	DomainRemove: "Removed a domain",
	DomainLink:   "Let an identity provider speak for a domain",
	DomainUnlink: "Let an identity provider speak for a domain no longer",

	UserProvision: "Had an account made by logging in",
	UserClaim:     "Had an unconfirmed account with their address taken from its maker",
	UserManage:    "Became managed by the organization",
	UserRelease:   "Released somebody from being managed",
	UserFollow:    "Was changed as the identity provider says",

	BackupCreate: "Copied the database",
	KeysRotate:   "Made new keys",
	KeysPrune:    "Dropped older keys",
}

// Words say what an action was, to people; of an action that is not known any
// more, the action itself.
func Words(action string) string {
	if w, known := words[action]; known {
		return w
	}
	return action
}

// Actions lists all that there are, sorted.
func Actions() []string { return slices.Sorted(maps.Keys(words)) }
