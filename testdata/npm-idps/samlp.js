// An identity provider made with Auth0's samlp, as scripts/idps.sh runs it. It
// reads one JSON file for each service provider, which a test writes:
//
//   entity_id, acs   required
//   options          options of samlp's, which win over the honest ones below
//   claims           attributes, which win over the person's
//   key              "idp" unless said, "small" (1024 bits) or "stranger": signs
//   encrypt          PEM of a certificate: whom assertions are encrypted to
//   clock            seconds by which the assertion's clock is fast
//   fail             a status code to answer with instead of an assertion
//   check_requests   PEM of a certificate: only requests that it signed are answered
//
// Whoever gives a username X and the password Xpass is X@company.test.
const crypto = require('crypto'), fs = require('fs'), path = require('path');
const express = require('express'), moment = require('moment'), samlp = require('samlp');
const [dir, port] = process.argv.slice(2);
const base = `http://localhost:${port}`;
const pem = (name) => fs.readFileSync(path.join(dir, 'cert', name), 'utf8');

const provider = (entityID) => {
  const name = crypto.createHash('sha256').update(entityID).digest('hex').slice(0, 16);
  return JSON.parse(fs.readFileSync(path.join(dir, 'sps', name + '.json'), 'utf8'));
};

const person = (username, sp) => ({
  getClaims: () => ({
    email: `${username}@company.test`, firstName: username[0].toUpperCase() + username.slice(1),
    lastName: 'Ärlig & Söner <AB>', groups: ['engineering', 'R&D <core>'], ...sp.claims,
  }),
  getNameIdentifier: () => ({ nameIdentifier: sp.options.nameIdentifier || `${username}@company.test`, nameIdentifierFormat: sp.options.nameIdentifierFormat }),
});

const escape = (s) => String(s).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const ask = (fields, res) => res.send('<!doctype html><form method=post action=/login>' +
  Object.entries(fields).map(([k, v]) => `<input type=hidden name="${escape(k)}" value="${escape(v)}">`).join('') +
  '<input name=username><input type=password name=password><button>Log in</button></form>');

// answer logs a person in; request is what samlp read of the AuthnRequest, or
// nothing where the login starts here.
function answer(req, res, next, request) {
  const { username, password, RelayState, sp: entityID } = req.body;
  if (!username || password !== username + 'pass') {
    return res.status(403).send('wrong password');
  }
  const sp = { options: {}, ...provider(request ? request.issuer : entityID) };
  const key = sp.key || 'idp';
  const options = {
    issuer: base + '/idp', key: pem(key + '.pem'), cert: pem(key + '.crt'),
    audience: sp.entity_id, recipient: sp.acs, destination: sp.acs, sessionIndex: '_' + crypto.randomUUID(),
    authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    RelayState, getUserFromRequest: () => username, profileMapper: () => person(username, sp),
    getPostURL: (...args) => {
      moment.now = () => Date.now() + (sp.clock || 0) * 1000;
      args.at(-1)(null, sp.acs);
      moment.now = () => Date.now();
    },
    ...sp.options,
  };
  if (sp.encrypt) {
    options.encryptionCert = sp.encrypt;
    options.encryptionPublicKey = new crypto.X509Certificate(sp.encrypt).publicKey.export({ type: 'spki', format: 'pem' });
  }
  if (sp.fail) {
    return samlp.sendError({ ...options, signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256', inResponseTo: request && request.id, error: { code: sp.fail, description: 'No.' } })(req, res, next);
  }
  samlp.auth(options)(req, res, next);
}

// checked asks for the password, unless a request should be signed and is not.
// What is unknown is refused where the person is logged in.
function checked(fields, req, res) {
  const refuse = (err) => res.status(403).send(escape(err.message || err));
  samlp.parseRequest(req, (err, request) => {
    if (err || !request) {
      return refuse(err || 'there is no request');
    }
    let sp = {};
    try {
      sp = provider(request.issuer);
    } catch { /* not registered */ }
    if (!sp.check_requests) {
      return ask(fields, res);
    }
    samlp.parseRequest(req, { signingCert: sp.check_requests }, (err) => (err ? refuse(err) : ask(fields, res)));
  });
}

const app = express();
app.use(express.urlencoded({ extended: false, limit: '1mb' }));
app.get('/metadata', samlp.metadata({ issuer: base + '/idp', cert: pem('idp.crt'), profileMapper: { prototype: { metadata: [] } }, redirectEndpointPath: '/sso', postEndpointPath: '/sso', logoutEndpointPaths: {} }));
app.get('/sso', (req, res) => checked(req.query, req, res));
app.post('/sso', (req, res) => checked(req.body, req, res));
app.get('/start', (req, res) => ask(req.query, res));
app.post('/login', (req, res, next) => samlp.parseRequest(req, (err, request) => (err ? next(err) : answer(req, res, next, request))));
app.listen(Number(port), '127.0.0.1', () => console.log('up'));
