//! The keys of a file of expectations. `docs/expectations.md` is held against this list.

/// The keys of one kind of table.
#[derive(Debug)]
pub struct Keys {
    /// As the table is written.
    pub table: &'static str,
    /// What may stand in it.
    pub keys: &'static [&'static str],
}

pub(super) static TOP: &Keys = &Keys {
    table: "the file",
    keys: &["others", "call"],
};

pub(super) static CALL: &Keys = &Keys {
    table: "[[call]]",
    keys: &[
        "name",
        "method",
        "from",
        "to",
        "request-uri",
        "call-id",
        "headers",
        "count",
        "expect",
    ],
};

pub(super) static EXPECT: &Keys = &Keys {
    table: "[call.expect]",
    keys: &[
        "final",
        "outcome",
        "cause",
        "findings",
        "sequence",
        "codec",
        "rtp",
        "talk",
        "attestation",
        "times",
        "between",
        "hop",
        "message",
    ],
};

pub(super) static TIMES: &Keys = &Keys {
    table: "[call.expect.times]",
    keys: &["trying", "ringing", "final", "ack"],
};

pub(super) static BETWEEN: &Keys = &Keys {
    table: "[[call.expect.between]]",
    keys: &["from", "to", "within"],
};

pub(super) static HOP: &Keys = &Keys {
    table: "[[call.expect.hop]]",
    keys: &["between", "sequence"],
};

pub(super) static MESSAGE: &Keys = &Keys {
    table: "[[call.expect.message]]",
    keys: &["name", "which", "between", "start-line", "headers", "sdp"],
};

pub(super) static SDP: &Keys = &Keys {
    table: "[call.expect.message.sdp]",
    keys: &[
        "codecs",
        "direction",
        "profile",
        "address",
        "lines",
        "no-lines",
    ],
};

/// All of them.
pub static TABLES: [&Keys; 8] = [TOP, CALL, EXPECT, TIMES, BETWEEN, HOP, MESSAGE, SDP];
