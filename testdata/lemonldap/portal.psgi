# LemonLDAP::NG's portal as an identity provider, as scripts/idps.sh runs it,
# with the URL and the folder that the environment names. It reads one JSON file
# for each service provider, which a test writes:
#
#   entity_id, metadata   required; the second as it describes itself
#   sign                  1 unless said: responses are signed; 0: they are not;
#                         -1: as Lasso likes; assertions are signed always
#   encrypt               "none" unless said, or "assertion"
#   algorithm             "RSA_SHA256" unless said, "RSA_SHA1" to "RSA_SHA512"
#   name_id               "email" unless said, "persistent" or "transient"
#   check_requests        true: only requests that are signed are answered
#
# Messages of single logout are signed, and have to be. Whoever gives a username
# X and the password Xpass is X@company.test.
use strict;
use warnings;
use Encode qw(encode_utf8);
use JSON;
use Plack::Builder;

my ( $dir, $url ) = @ENV{qw(GATEHOUSE_LEMONLDAP_DIR GATEHOUSE_LEMONLDAP_URL)};
my $share = '/usr/share/lemonldap-ng/portal';

sub slurp { my $f = shift; local $/; open my $h, '<', $f or die "$f: $!"; return scalar <$h> }
sub spew { my ( $f, $text ) = @_; open my $h, '>', "$f.new" or die "$f: $!"; print $h $text; close $h; rename "$f.new", $f or die "$f: $!"; return }
sub folders { my $name = shift; return { Directory => "$dir/$name", LockDirectory => "$dir/$name/lock" } }

BEGIN { $ENV{LLNG_DEFAULTCONFFILE} = "$ENV{GATEHOUSE_LEMONLDAP_DIR}/lemonldap-ng.ini" }
spew( $ENV{LLNG_DEFAULTCONFFILE}, <<"INI");
[all]
logLevel = notice
checkTime = 3600
[configuration]
type = File
dirName = $dir/conf
localStorage = Cache::NullCache
localStorageOptions = {}
[portal]
staticPrefix = /static
templateDir = $share/templates
languages = en
[handler]
status = 0
INI

# What its own defaults lack, and what makes it an identity provider.
my %conf = (
    cfgAuthor => 'tests', cookieName => 'lemonldap', whatToTrace => 'uid', macros => {}, applicationList => {},
    locationRules => { localhost => { default => 'accept' } }, exportedHeaders => {}, loginHistoryEnabled => 0,
    portal => "$url/", domain => 'localhost', securedCookie => 0, key => join( '', map { chr( 97 + rand 26 ) } 1 .. 32 ),
    authentication => 'Demo', userDB => 'Demo', passwordDB => 'Null', registerDB => 'Null',
    demoExportedVars => { map { $_ => $_ } qw(uid cn mail givenName sn) },
    globalStorage => 'Apache::Session::File', globalStorageOptions => folders('sessions'),
    persistentStorage => 'Apache::Session::File', persistentStorageOptions => folders('persistent'),
    localSessionStorage => '', localSessionStorageOptions => {},
    requireToken => 0, cspFormAction => '*', portalDisplayResetPassword => 0, portalDisplayRegister => 0, portalDisplayCertificateResetByMail => 0,
    issuerDBSAMLActivation => 1, issuerDBSAMLPath => '^/saml/', issuerDBSAMLRule => 1,
    samlEntityID => "$url/saml/metadata", samlServiceUseCertificateInResponse => 1, samlServiceSignatureMethod => 'RSA_SHA256',
    samlServicePrivateKeySig => slurp("$dir/cert/idp.pem"), samlServicePublicKeySig => slurp("$dir/cert/idp.crt"),
    samlServicePrivateKeyEnc => '', samlServicePublicKeyEnc => '', samlIDPSSODescriptorWantAuthnRequestsSigned => 0,
);

# providers is the configuration that the files in sps ask for.
sub providers {
    my %saml = map { $_ => {} } qw(samlSPMetaDataXML samlSPMetaDataOptions samlSPMetaDataExportedAttributes samlSPMetaDataMacros);
    for my $file ( glob "$dir/sps/*.json" ) {
        my $sp = eval { decode_json( slurp($file) ) } or next;    # gone since it was listed
        my ($name) = $file =~ m{([^/]+)\.json$};
        $saml{samlSPMetaDataXML}{$name} = { samlSPMetaDataXML => $sp->{metadata} };
        $saml{samlSPMetaDataExportedAttributes}{$name} = { mail => '1;email;;', givenName => '0;firstName;;', sn => '0;lastName;;' };
        my $sign = $sp->{sign} // 1;
        $saml{samlSPMetaDataOptions}{$name} = { map { ( "samlSPMetaDataOptions$_->[0]" => $_->[1] ) }
            [ SignSSOMessage => $sign ], [ SignSLOMessage => 1 ], [ CheckSLOMessageSignature => 1 ],
            [ CheckSSOMessageSignature => $sp->{check_requests} ? 1 : 0 ],
            [ EncryptionMode => $sp->{encrypt} || 'none' ], [ SignatureMethod => $sp->{algorithm} || 'RSA_SHA256' ],
            [ NameIDFormat => $sp->{name_id} || 'email' ], [ EnableIDPInitiatedURL => 1 ], [ OneTimeUse => 0 ] };
    }
    return %saml;
}

my ( $number, $known ) = ( 0, '' );

# reconfigure gives the portal its next configuration, if the files are others.
sub reconfigure {
    my $now = join ' ', map { my @s = stat; "$_ " . join ',', @s[ 1, 7, 9 ] } glob "$dir/sps/*.json";
    return 0 if $number && $now eq $known;
    $known = $now;
    spew( "$dir/conf/lmConf-" . ++$number . '.json', JSON->new->canonical->encode( { %conf, providers(), cfgNum => $number, cfgDate => time } ) );
    unlink "$dir/conf/lmConf-" . ( $number - 1 ) . '.json';
    return 1;
}

reconfigure();
require Lemonldap::NG::Portal::Main;
require Lemonldap::NG::Portal::Auth::Demo;
require Lemonldap::NG::Portal::UserDB::Demo;

# Everybody, instead of the three that the demonstration knows.
{
    no warnings 'redefine';
    *Lemonldap::NG::Portal::UserDB::Demo::getUser = sub {
        my ( $self, $req ) = @_;
        my $who = $req->user // '';
        return Lemonldap::NG::Portal::Main::Constants::PE_BADCREDENTIALS() unless $who =~ /\A[a-z0-9]{1,40}\z/;
        $Lemonldap::NG::Portal::UserDB::Demo::demoAccounts{$who} ||=
          { uid => $who, cn => ucfirst $who, givenName => ucfirst $who, sn => encode_utf8("\x{c4}rlig & S\x{f6}ner <AB>"), mail => "$who\@company.test" };
        return Lemonldap::NG::Portal::Main::Constants::PE_OK();
    };
    *Lemonldap::NG::Portal::Auth::Demo::authenticate = sub {
        my ( $self, $req ) = @_;
        return Lemonldap::NG::Portal::Main::Constants::PE_BADCREDENTIALS() unless $req->data->{password} eq $req->user . 'pass';
        return Lemonldap::NG::Portal::Main::Constants::PE_OK();
    };
}

my $portal = Lemonldap::NG::Portal::Main->run( {} );
builder {
    enable 'Static', path => qr{^/static/}, root => "$share/htdocs";
    sub {
        Lemonldap::NG::Handler::Main->checkConf(1) if reconfigure();
        return $portal->(@_);
    };
};
