//! What is wrong with a server's TLS, in words.

use rustls::{AlertDescription, CertificateError, Error};

/// What the server has learnt of the client's certificate.
#[derive(Clone, Copy)]
pub(super) enum ClientCertificate {
    /// It did not ask.
    NotWanted,
    /// It asked, and there is none.
    Missing,
    Shown,
}

pub(super) fn say(error: &Error, certificate: ClientCertificate, is_handshaking: bool) -> String {
    use ClientCertificate::{Missing, Shown};
    let text = match (error, certificate) {
        (Error::InvalidCertificate(error), _) => return say_of_its_certificate(error),
        (Error::AlertReceived(alert), Missing) if is_about_ours(*alert) => {
            "it wants a client certificate, which cert_file and key_file name"
        }
        (Error::AlertReceived(alert), Shown) if is_about_ours(*alert) => match alert {
            AlertDescription::UnknownCA => {
                "it refused the client certificate, whose authority it does not know"
            }
            AlertDescription::CertificateExpired => {
                "it refused the client certificate, which has expired"
            }
            _ => "it refused the client certificate",
        },
        (
            Error::AlertReceived(
                AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
            )
            | Error::PeerIncompatible(_),
            _,
        ) => "it has no version or cipher of TLS in common",
        (Error::AlertReceived(AlertDescription::UnrecognisedName), _) => {
            "it has no certificate for this name"
        }
        (Error::InvalidMessage(_), _) if is_handshaking => "it does not speak TLS",
        _ => "its TLS is broken",
    };
    text.to_owned()
}

/// Whether an alert may mean the client's certificate, or that there is none. OpenSSL has said so in
/// several ways.
fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::HandshakeFailure
            | AlertDescription::NoCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

fn say_of_its_certificate(error: &CertificateError) -> String {
    let text = match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is of an authority that ca_file does not name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet"
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            return say_names(presented);
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not one of a server"
        }
        // The verifier's own error has no other way out.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's own (CA:TRUE), which a server must not use"
        }
        _ => "its certificate cannot be used",
    };
    text.to_owned()
}

/// The names are not secret, and an authority that is trusted vouches for them.
fn say_names(presented: &[String]) -> String {
    const MOST: usize = 8;
    let names = presented.iter().filter_map(|name| {
        let name = name
            .strip_prefix("DnsName(\"")
            .and_then(|name| name.strip_suffix("\")"))
            .or_else(|| {
                name.strip_prefix("IpAddress(")
                    .and_then(|name| name.strip_suffix(')'))
            })?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:*-_".contains(&byte);
        (name.len() <= 253 && name.bytes().all(is_plain)).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    match names.get(..MOST) {
        _ if names.is_empty() => {
            "its certificate has no subjectAltName, and no other name counts".to_owned()
        }
        Some(first) if names.len() > MOST => {
            format!(
                "its certificate is for other names: {} and more",
                first.join(", ")
            )
        }
        _ => format!("its certificate is for other names: {}", names.join(", ")),
    }
}
