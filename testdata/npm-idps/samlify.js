// An identity provider made with samlify, as scripts/idps.sh runs it. It reads
// one JSON file for each service provider, which a test writes:
//
//   entity_id, metadata   required; the second as it describes itself
//   sign                  "both" unless said, "response" or "assertion"
//   encrypt               an algorithm of XML encryption: assertions are encrypted
//   order                 "encrypt" unless said: is done before the response is
//                         signed; "sign": after that
//   no_statement          true: it does not say when somebody logged in, as with
//                         samlify's own template
//   check_requests        true: only requests that are signed are answered
//
// Whoever gives a username X and the password Xpass is X@company.test.
const crypto = require('crypto'), fs = require('fs'), path = require('path');
const express = require('express'), saml = require('samlify');
const [dir, port] = process.argv.slice(2);
const base = `http://localhost:${port}`;
const pem = (name) => fs.readFileSync(path.join(dir, 'cert', name), 'utf8');
saml.setSchemaValidator({ validate: async () => 'not validated' }); // it insists on one

const { binding } = saml.Constants.namespace;
const emailAddress = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const attribute = (name) => ({ name, valueTag: name, nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic', valueXsiType: 'xs:string' });
const statement = '<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="{SessionIndex}"><saml:AuthnContext><saml:AuthnContextClassRef>' +
  'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>';
const template = (sp) => saml.SamlLib.defaultLoginResponseTemplate.context.replace('{AuthnStatement}', sp.no_statement ? '' : statement);

const provider = (entityID) => {
  const name = crypto.createHash('sha256').update(entityID).digest('hex').slice(0, 16);
  return JSON.parse(fs.readFileSync(path.join(dir, 'sps', name + '.json'), 'utf8'));
};

// self is the identity provider as one service provider, or none, sees it.
const self = (sp = {}) => saml.IdentityProvider({
  entityID: base + '/idp', privateKey: pem('idp.pem'), signingCert: pem('idp.crt'), wantAuthnRequestsSigned: !!sp.check_requests,
  requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', nameIDFormat: [emailAddress],
  singleSignOnService: [binding.redirect, binding.post].map((b) => ({ Binding: b, Location: base + '/sso' })),
  isAssertionEncrypted: !!sp.encrypt, dataEncryptionAlgorithm: sp.encrypt, keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  loginResponseTemplate: { context: template(sp), attributes: ['email', 'firstName', 'lastName'].map(attribute) },
});

// partner is a service provider; what samlify signs depends on what that wants.
function partner(sp) {
  const out = saml.ServiceProvider({ metadata: sp.metadata, wantMessageSigned: sp.sign !== 'assertion' });
  out.entityMeta.isWantAssertionsSigned = () => sp.sign !== 'response';
  return out;
}

const escape = (s) => String(s).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const form = (action, fields, rest) => `<!doctype html><form method=post action="${escape(action)}">` +
  Object.entries(fields).map(([k, v]) => `<input type=hidden name="${escape(k)}" value="${escape(v)}">`).join('') + rest + '</form>';
const ask = (fields, res) => res.send(form('/login', fields, '<input name=username><input type=password name=password><button>Log in</button>'));

// values are what the tags of the template stand for.
function values(username, idp, sp, request) {
  const acs = sp.entityMeta.getAssertionConsumerService('post'), now = new Date(), end = new Date(now.getTime() + 300000).toISOString();
  return {
    ID: '_' + crypto.randomUUID(), AssertionID: '_' + crypto.randomUUID(), SessionIndex: '_' + crypto.randomUUID(),
    Issuer: idp.entityMeta.getEntityID(), Destination: acs, SubjectRecipient: acs, Audience: sp.entityMeta.getEntityID(),
    IssueInstant: now.toISOString(), ConditionsNotBefore: now.toISOString(), ConditionsNotOnOrAfter: end, SubjectConfirmationDataNotOnOrAfter: end,
    StatusCode: saml.Constants.StatusCode.Success, NameIDFormat: emailAddress, NameID: `${username}@company.test`,
    InResponseTo: request ? request.extract.request.id : undefined,
    attrEmail: `${username}@company.test`, attrFirstName: username[0].toUpperCase() + username.slice(1), attrLastName: 'Ärlig & Söner <AB>',
  };
}

// signedPart is of a request by Redirect what its signature is over.
const signedPart = (b) => ['SAMLRequest', 'RelayState', 'SigAlg'].filter((k) => k in b).map((k) => `${k}=${encodeURIComponent(b[k])}`).join('&');

async function answer(b, res) {
  const by = b._binding, xml = by && (by === 'redirect' ? saml.Utility.inflateString(b.SAMLRequest) : saml.Utility.base64Decode(b.SAMLRequest));
  const known = provider(by ? /Issuer[^>]*>([^<]+)</.exec(xml)[1] : b.sp);
  const idp = self(known), sp = partner(known);
  const request = by && await idp.parseLoginRequest(sp, by, { query: b, body: b, octetString: signedPart(b) });
  const replace = (t) => {
    const v = values(b.username, idp, sp, request);
    return { id: v.ID, context: saml.SamlLib.replaceTagsByValue(t, v) };
  };
  const encryptThenSign = !!known.encrypt && known.order !== 'sign';
  const made = await idp.createLoginResponse(sp, request || { extract: {} }, 'post', { email: b.username }, { customTagReplacement: replace, encryptThenSign });
  const fields = { SAMLResponse: made.context, ...(b.RelayState && { RelayState: b.RelayState }) };
  res.send(form(sp.entityMeta.getAssertionConsumerService('post'), fields, '<button>Go on</button>'));
}

const app = express();
app.use(express.urlencoded({ extended: false, limit: '1mb' }));
app.get('/metadata', (req, res) => res.type('application/samlmetadata+xml').send(self().getMetadata()));
app.get('/sso', (req, res) => ask({ ...req.query, _binding: 'redirect' }, res));
app.post('/sso', (req, res) => ask({ ...req.body, _binding: 'post' }, res));
app.get('/start', (req, res) => ask({ ...req.query, _binding: '' }, res));
app.post('/login', (req, res, next) => {
  const { username, password } = req.body;
  if (!/^[a-z0-9]+$/.test(username) || password !== username + 'pass') {
    return res.status(403).send('wrong password');
  }
  answer(req.body, res).catch((e) => next(e instanceof Error ? e : new Error(e)));
});
app.listen(Number(port), '127.0.0.1', () => console.log('up'));
