//! What became of the TLS connections of an input.

/// Groups of connections that stayed closed, stated one by one.
const MOST_GROUPS: usize = 32;

/// Connections that stayed closed for the same reason after the same handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedTls {
    /// How many.
    pub connections: u64,
    /// Reason, as in the account of the frames; `no-data` where nothing was sent that a key would open.
    pub reason: &'static str,
    /// `complete`, `alert NAME`, `no-answer`, `incomplete` or `not-captured`.
    pub handshake: String,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// `TLS 1.2`, ...; `None` where no server answered.
    pub version: Option<&'static str>,
    /// The cipher suite; `None` where no server answered.
    pub suite: Option<String>,
}

/// What became of the TLS connections of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsReport {
    /// All of them.
    pub connections: u64,
    /// Those of which at least one record of data was opened.
    pub decrypted: u64,
    /// Those whose data stayed closed.
    pub undecrypted: u64,
    /// What is known of those not decrypted, by group.
    pub closed: Vec<ClosedTls>,
    /// Connections beyond the most groups.
    pub more: u64,
}

impl TlsReport {
    /// Counts a connection that was read.
    pub(super) fn add_decrypted(&mut self) {
        self.connections += 1;
        self.decrypted += 1;
    }

    /// Counts a connection that was not.
    pub(super) fn add_closed(&mut self, closed: ClosedTls) {
        self.connections += 1;
        self.undecrypted += u64::from(closed.reason != NO_DATA);
        let same = |known: &&mut ClosedTls| {
            let connections = known.connections;
            **known
                == ClosedTls {
                    connections,
                    ..closed.clone()
                }
        };
        if let Some(known) = self.closed.iter_mut().find(same) {
            known.connections += 1;
        } else if self.closed.len() < MOST_GROUPS {
            self.closed.push(closed);
        } else {
            self.more += 1;
        }
    }
}

/// No record of data was sent.
pub(super) const NO_DATA: &str = "no-data";
