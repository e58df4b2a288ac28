//! Request methods.

use std::fmt;

/// A request method; one that is not registered is `Other` and keeps its text in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// RFC 3261 §13
    Invite,
    /// RFC 3261 §13.2.2.4, §17.1.1.3
    Ack,
    /// RFC 3261 §15
    Bye,
    /// RFC 3261 §9
    Cancel,
    /// RFC 3261 §10
    Register,
    /// RFC 3261 §11
    Options,
    /// RFC 3262
    Prack,
    /// RFC 6665
    Subscribe,
    /// RFC 6665
    Notify,
    /// RFC 3903
    Publish,
    /// RFC 6086
    Info,
    /// RFC 3515
    Refer,
    /// RFC 3428
    Message,
    /// RFC 3311
    Update,
    /// Any other token.
    Other,
}

const NAMES: [(Method, &str); 14] = [
    (Method::Invite, "INVITE"),
    (Method::Ack, "ACK"),
    (Method::Bye, "BYE"),
    (Method::Cancel, "CANCEL"),
    (Method::Register, "REGISTER"),
    (Method::Options, "OPTIONS"),
    (Method::Prack, "PRACK"),
    (Method::Subscribe, "SUBSCRIBE"),
    (Method::Notify, "NOTIFY"),
    (Method::Publish, "PUBLISH"),
    (Method::Info, "INFO"),
    (Method::Refer, "REFER"),
    (Method::Message, "MESSAGE"),
    (Method::Update, "UPDATE"),
];

impl Method {
    /// The method with this name; methods are case-sensitive (RFC 3261 §7.1).
    pub fn of(name: &[u8]) -> Method {
        NAMES
            .iter()
            .find(|(_, n)| n.as_bytes() == name)
            .map_or(Method::Other, |(m, _)| *m)
    }

    /// The name, or `None` for [`Method::Other`].
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(m, _)| *m == self).map(|(_, n)| *n)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, name)| *name)
    }

    /// May a request with this method begin a call, registration, ... of its own?
    pub fn begins(self) -> bool {
        !matches!(
            self,
            Method::Ack | Method::Cancel | Method::Bye | Method::Prack
        )
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name().unwrap_or("unknown method"))
    }
}
