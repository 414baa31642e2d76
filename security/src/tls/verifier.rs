//! Whether the other side's certificate is one that is trusted.
//!
//! webpki verifies chains. Java trusts in two ways that webpki does not know, and that clusters are
//! set up with: a certificate that stands in the trust store itself, whoever issued it; and one of
//! X.509's first version, as `openssl x509 -req` made them for long, which a trusted certificate
//! signed. Both are decided here, and hosts' names (`host_name`).
//!
//! Answers to Java's `X509TrustManagerImpl` and `PKIXValidator`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::TlsError;
use super::certificate::Certificate;
use super::host_name;

/// Judges servers and clients by one trust store.
#[derive(Debug)]
pub(super) struct Verifier {
    trusted: Vec<CertificateDer<'static>>,
    anchors: Arc<RootCertStore>,
    clients: Arc<dyn ClientCertVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Whether a server has to be the host that was connected to.
    verifies_host: bool,
    /// Whether a client may show no certificate.
    is_optional: bool,
}

/// A certificate that was accepted, or why it was not.
type Verdict = Result<(), Error>;

impl Verifier {
    pub(super) fn new(
        trusted: &[CertificateDer<'static>],
        place: &str,
        provider: &Arc<CryptoProvider>,
        verifies_host: bool,
        is_optional: bool,
    ) -> Result<Self, TlsError> {
        let mut anchors = RootCertStore::empty();
        anchors.add_parsable_certificates(trusted.iter().cloned());
        if anchors.is_empty() {
            return Err(TlsError::NoTrust { place: place.to_owned() });
        }
        let anchors = Arc::new(anchors);
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&anchors), Arc::clone(provider));
        Ok(Self {
            trusted: trusted.to_vec(),
            clients: clients.build().map_err(|error| TlsError::Library(error.to_string()))?,
            anchors,
            algorithms: provider.signature_verification_algorithms,
            verifies_host,
            is_optional,
        })
    }

    /// What Java decides by itself; nothing where it is webpki's to decide.
    fn decide(&self, encoded: &CertificateDer<'_>, now: UnixTime) -> Option<Verdict> {
        if self.trusted.iter().any(|trusted| trusted.as_ref() == encoded.as_ref()) {
            return Some(Ok(()));
        }
        let Ok(certificate) = Certificate::parse(encoded) else {
            return Some(Err(CertificateError::BadEncoding.into()));
        };
        (certificate.version == 0).then(|| self.decide_first_version(&certificate, now))
    }

    /// A certificate of the first version has no extensions: it is whom a trusted one says it is.
    fn decide_first_version(&self, certificate: &Certificate<'_>, now: UnixTime) -> Verdict {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < certificate.not_before {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > certificate.not_after {
            return Err(CertificateError::Expired.into());
        }
        let issuers = self.trusted.iter().filter_map(|trusted| Certificate::parse(trusted).ok());
        let mut issuers = issuers.filter(|issuer| issuer.subject == certificate.issuer).peekable();
        if issuers.peek().is_none() {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let is_signed = |issuer: Certificate<'_>| {
            self.algorithms.all.iter().any(|algorithm| {
                algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm
                    && algorithm.public_key_alg_id().as_ref() == issuer.key_algorithm
                    && algorithm
                        .verify_signature(issuer.key, certificate.signed, certificate.signature)
                        .is_ok()
            })
        };
        match issuers.any(is_signed) {
            true => Ok(()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }

    fn check_host(&self, encoded: &CertificateDer<'_>, host: &ServerName<'_>) -> Verdict {
        if !self.verifies_host {
            return Ok(());
        }
        let certificate =
            Certificate::parse(encoded).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        match host_name::fits(&certificate, &host.to_str()) {
            true => Ok(()),
            false => Err(CertificateError::NotValidForName.into()),
        }
    }

    /// The signature of a handshake by a key whose certificate webpki would not read.
    fn verify_first_version(
        &self,
        message: &[u8],
        certificate: &Certificate<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let mapping = self.algorithms.mapping.iter();
        let candidates = mapping.filter(|(scheme, _)| *scheme == signed.scheme);
        let mut candidates = candidates.flat_map(|(_, algorithms)| algorithms.iter());
        let is_valid = candidates.any(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == certificate.key_algorithm
                && algorithm.verify_signature(certificate.key, message, signed.signature()).is_ok()
        });
        match is_valid {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls12(
        &self,
        message: &[u8],
        encoded: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match Certificate::parse(encoded) {
            Ok(certificate) if certificate.version == 0 => {
                self.verify_first_version(message, &certificate, signed)
            }
            _ => verify_tls12_signature(message, encoded, signed, &self.algorithms),
        }
    }

    fn verify_tls13(
        &self,
        message: &[u8],
        encoded: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // TLS 1.3 has no signatures by RSA with PKCS#1's padding.
        const PKCS1: [SignatureScheme; 4] = [
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
        ];
        match Certificate::parse(encoded) {
            Ok(certificate) if certificate.version == 0 && !PKCS1.contains(&signed.scheme) => {
                self.verify_first_version(message, &certificate, signed)
            }
            _ => verify_tls13_signature(message, encoded, signed, &self.algorithms),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.decide(end_entity, now) {
            Some(verdict) => verdict?,
            None => verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(end_entity)?,
                &self.anchors,
                intermediates,
                now,
                self.algorithms.all,
            )?,
        }
        self.check_host(end_entity, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.clients.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        !self.is_optional
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.decide(end_entity, now) {
            Some(verdict) => verdict.map(|()| ClientCertVerified::assertion()),
            None => self.clients.verify_client_cert(end_entity, intermediates, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
