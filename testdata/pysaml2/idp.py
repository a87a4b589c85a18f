#!/usr/bin/python3
"""An identity provider made with pysaml2, as scripts/idps.sh runs it.

It reads one JSON file for each service provider, which a test writes:

  entity_id, acs   required
  metadata         the service provider's, as it describes itself
  options          of create_authn_response, which win over pysaml2's defaults
  name_id          "email" unless said, "persistent", "transient" or "unspecified"
  names            "uri" unless said (OIDs), or "basic": of the attributes
  check_requests   true: only requests that are signed are answered

Whoever gives a username X and the password Xpass is X@company.test.
"""
import base64
import functools
import hashlib
import html
import json
import os
import re
import sys
import threading
import traceback
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlparse

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, config, saml, server
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.metadata import create_metadata_string
from saml2.sigver import verify_redirect_signature

DIR, PORT = sys.argv[1], int(sys.argv[2])
BASE = f"http://localhost:{PORT}"
BINDINGS = {"/sso/redirect": BINDING_HTTP_REDIRECT, "/sso/post": BINDING_HTTP_POST, "/start": ""}
NAME_IDS = {
    "email": saml.NAMEID_FORMAT_EMAILADDRESS,
    "persistent": saml.NAMEID_FORMAT_PERSISTENT,
    "transient": saml.NAMEID_FORMAT_TRANSIENT,
    "unspecified": saml.NAMEID_FORMAT_UNSPECIFIED,
}
ONE_AT_A_TIME = threading.Lock()  # pysaml2 keeps its documents in globals


@functools.lru_cache(maxsize=4)
def identity_provider(metadata=None, names="uri", signed_inside=False):
    """The identity provider as one service provider, or none, sees it."""
    key = {"key_file": f"{DIR}/cert/idp.pem", "cert_file": f"{DIR}/cert/idp.crt"}
    return server.Server(config=config.IdPConfig().load({
        "entityid": BASE + "/idp",
        "xmlsec_binary": "/usr/bin/xmlsec1",
        **key,
        "encryption_keypairs": [key],
        "metadata": {"inline": [metadata] if metadata else []},
        "service": {"idp": {
            "endpoints": {"single_sign_on_service": [(BASE + p, b) for p, b in BINDINGS.items() if b]},
            "policy": {"default": {
                "lifetime": {"minutes": 15},
                "name_form": f"urn:oasis:names:tc:SAML:2.0:attrname-format:{names}",
            }},
            "name_id_format": list(NAME_IDS.values()),
            "want_authn_requests_signed": signed_inside,
        }},
    }))


def provider(entity_id):
    name = hashlib.sha256(entity_id.encode()).hexdigest()[:16]
    with open(f"{DIR}/sps/{name}.json", encoding="utf-8") as f:
        return json.load(f)


def issuer(message, binding):
    """Whose request it is; which keys sign it is known only after that."""
    raw = base64.b64decode(message)
    text = zlib.decompress(raw, -15) if binding == BINDING_HTTP_REDIRECT else raw
    return re.search(rb"Issuer[^>]*>([^<]+)<", text).group(1).decode()


def verify_query(idp, form, entity_id):
    """Sees that a request by Redirect is signed, which pysaml2 leaves to us."""
    query = {k: v for k, v in form.items() if k in ("SAMLRequest", "RelayState", "SigAlg", "Signature")}
    certificates = idp.metadata.certs(entity_id, "spsso", "signing")
    if not any(verify_redirect_signature(dict(query), idp.sec.sec_backend, c) for c in certificates):
        raise ValueError("the request is not signed by " + entity_id)


def answer(form):
    """The page that posts a response to whoever asked."""
    binding, username = form["_binding"], form["username"]
    if binding:
        sp = provider(issuer(form["SAMLRequest"], binding))
    else:
        sp = provider(form["sp"])
    check = sp.get("check_requests", False)
    idp = identity_provider(sp["metadata"], sp.get("names", "uri"), check and binding == BINDING_HTTP_POST)
    if check and binding == BINDING_HTTP_REDIRECT:
        verify_query(idp, form, sp["entity_id"])
    request = idp.parse_authn_request(form["SAMLRequest"], binding).message if binding else None
    kind = sp.get("name_id", "email")
    values = {"email": f"{username}@company.test", "persistent": hashlib.sha256((username + sp["entity_id"]).encode()).hexdigest(),
              "transient": os.urandom(16).hex(), "unspecified": username}
    name_id = saml.NameID(format=NAME_IDS[kind], text=values[kind])
    if kind == "persistent":
        name_id.name_qualifier, name_id.sp_name_qualifier = BASE + "/idp", sp["entity_id"]
    response = idp.create_authn_response(
        {"uid": [username], "mail": [f"{username}@company.test"], "givenName": [username.capitalize()], "sn": ["Ärlig"], "eduPersonAffiliation": ["engineering", "R&D <core>"]},
        in_response_to=request.id if request else None, destination=sp["acs"], sp_entity_id=sp["entity_id"], userid=username, name_id=name_id,
        authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": BASE}, **sp.get("options", {}))
    page = idp.apply_binding(BINDING_HTTP_POST, str(response), sp["acs"], form.get("RelayState", ""), response=True)["data"]
    return page if isinstance(page, str) else "".join(page)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def send(self, body, status=200, kind="text/html; charset=utf-8"):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def ask(self, path, fields):
        hidden = {"_binding": BINDINGS[path], **fields}
        self.send("<!doctype html><form method=post action=/login>" + "".join(
            f'<input type=hidden name="{html.escape(k)}" value="{html.escape(v)}">' for k, v in hidden.items()) +
            "<input name=username><input type=password name=password><button>Log in</button></form>")

    def do_GET(self):
        url = urlparse(self.path)
        if url.path == "/metadata":
            with ONE_AT_A_TIME:
                self.send(create_metadata_string(None, config=identity_provider().config), kind="application/samlmetadata+xml")
        elif url.path in BINDINGS:
            self.ask(url.path, dict(parse_qsl(url.query)))
        else:
            self.send("nothing here", 404)

    def do_POST(self):
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        path = urlparse(self.path).path
        if path in BINDINGS:
            self.ask(path, form)
        elif form.get("password") != form.get("username", "") + "pass":
            self.send("wrong password", 403)
        else:
            try:
                with ONE_AT_A_TIME:
                    self.send(answer(form))
            except Exception:
                self.send("<pre>" + html.escape(traceback.format_exc()) + "</pre>", 500)


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
