//! Handshakes that did not come to their end.

/// Why a TLS handshake failed, as far as that can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFailure {
    /// Who ended it: the client?
    pub by_client: bool,
    /// Name of the alert that ended it (RFC 8446 §6); `None` where none was seen.
    pub alert: Option<&'static str>,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
}
