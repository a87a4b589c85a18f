<?php
// SimpleSAMLphp as scripts/parts.sh runs it: under PHP's own server, with all
// that it writes in one folder, and service providers that tests register.
$dir = getenv('GATEHOUSE_SSP_DIR');
$config = [
    'baseurlpath' => getenv('GATEHOUSE_SSP_URL') . '/simplesamlphp/',
    'certdir' => "$dir/cert/",
    'loggingdir' => "$dir/log/",
    'datadir' => "$dir/data/",
    'tempdir' => "$dir/tmp",
    'metadatadir' => __DIR__ . '/metadata/',
    'metadata.sources' => [['type' => 'flatfile']],
    'technicalcontact_name' => 'Nobody',
    'technicalcontact_email' => 'nobody@company.test',
    'secretsalt' => 'for-tests-only-0123456789',
    'auth.adminpassword' => 'for-tests-only',
    'admin.checkforupdates' => false,
    'timezone' => 'UTC',
    'debug' => ['saml' => false, 'backtraces' => true, 'validatexml' => false],
    'showerrors' => true,
    'errorreporting' => false,
    'logging.level' => SimpleSAML\Logger::INFO,
    'logging.handler' => 'file',
    'logging.logfile' => 'ssp.log',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    // Plain http, so no cookie can be Secure, and SameSite=None needs that.
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,
    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$dir/tmp",
    'trusted.url.domains' => [],
    'authproc.idp' => [],
];
