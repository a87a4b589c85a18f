<?php
// The service providers: one JSON file each, which a test writes. Their ids are
// made at run time, so they cannot stand here.
//
//   entity_id, acs      required
//   sign_response       true unless said
//   sign_assertion      true unless said
//   algorithm           "sha1", "sha256", "sha384" or "sha512": of the signatures
//   name_id             "email", "persistent" or "transient"
//   certificate         base64 of DER: of the provider's key
//   check_requests      true: only requests that are signed are answered
//   encrypt             "assertion" or "name": is encrypted to the certificate
//   slo                 where it is told of logouts; they are signed, and have
//                       to be, by the certificate
//   slo_binding         how: "redirect" unless said, or "post"
$nameIDs = [
    'email' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    'persistent' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'transient' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
];
$algorithms = [
    'sha1' => 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    'sha256' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'sha384' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384',
    'sha512' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
];
foreach (glob(getenv('GATEHOUSE_SSP_DIR') . '/sps/*.json') as $file) {
    $sp = json_decode(file_get_contents($file), true);
    if (!isset($sp['entity_id'], $sp['acs'])) {
        continue;
    }
    $entry = [
        'AssertionConsumerService' => [[
            'index' => 1,
            'isDefault' => true,
            'Binding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
            'Location' => $sp['acs'],
        ]],
        'saml20.sign.response' => $sp['sign_response'] ?? true,
        'saml20.sign.assertion' => $sp['sign_assertion'] ?? true,
        'signature.algorithm' => $algorithms[$sp['algorithm'] ?? 'sha256'],
        'NameIDFormat' => $nameIDs[$sp['name_id'] ?? 'email'],
        'simplesaml.nameidattribute' => 'email',
        'validate.authnrequest' => $sp['check_requests'] ?? false,
        'assertion.encryption' => ($sp['encrypt'] ?? '') === 'assertion',
        'nameid.encryption' => ($sp['encrypt'] ?? '') === 'name',
    ];
    if (!empty($sp['slo'])) {
        $entry['SingleLogoutService'] = [[
            'Binding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-' . (($sp['slo_binding'] ?? '') === 'post' ? 'POST' : 'Redirect'),
            'Location' => $sp['slo'],
        ]];
        $entry['sign.logout'] = true;
        $entry['validate.logout'] = true;
    }
    if (!empty($sp['certificate'])) {
        $entry['certData'] = $sp['certificate'];
    }
    $metadata[$sp['entity_id']] = $entry;
}
