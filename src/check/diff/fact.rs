//! What can differ between two messages with the same role.

use crate::lang::words::Words;

/// What a fact is about; the order in which differences of equal weight are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Profile of a media line.
    Profile,
    /// Codecs offered or taken.
    Codec,
    /// Challenges and credentials.
    Auth,
    /// Extensions that are demanded.
    Require,
    /// Record-Route, Route, and where a request goes.
    Route,
    /// Transport of a hop.
    Transport,
    /// Who is called, and how that is written.
    Uri,
    /// Addresses in Contact and Via.
    Address,
    /// Which way media flows.
    Direction,
    /// Addresses in session descriptions.
    Media,
    /// Which ways RTP went.
    Rtp,
    /// Size of a message against what fits into a packet.
    Size,
    /// Attestation and the rest of a PASSporT.
    Attestation,
    /// Session timers and lifetimes.
    Session,
    /// A header that is there or not.
    Header,
    /// A message that has no counterpart.
    Message,
    /// How long something took.
    Timing,
    /// How often something was sent.
    Repeats,
    /// The code of an answer.
    Code,
    /// Hops that are left.
    Forwards,
    /// Extensions that are understood.
    Supported,
    /// Further lines of a session description.
    Attribute,
    /// A header that informs and steers nothing.
    Information,
    /// Any other value.
    Value,
    /// What a program calls itself.
    Agent,
}

impl Topic {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Topic::Profile => "profile",
            Topic::Codec => "codec",
            Topic::Auth => "auth",
            Topic::Require => "require",
            Topic::Route => "route",
            Topic::Transport => "transport",
            Topic::Uri => "uri",
            Topic::Address => "address",
            Topic::Direction => "direction",
            Topic::Media => "media",
            Topic::Rtp => "rtp",
            Topic::Size => "size",
            Topic::Attestation => "attestation",
            Topic::Session => "session",
            Topic::Header => "header",
            Topic::Message => "message",
            Topic::Timing => "timing",
            Topic::Repeats => "repeats",
            Topic::Code => "code",
            Topic::Forwards => "forwards",
            Topic::Supported => "supported",
            Topic::Attribute => "attribute",
            Topic::Information => "information",
            Topic::Value => "value",
            Topic::Agent => "agent",
        }
    }

    /// How likely such a difference explains a failure of which nothing else is known, 0 to 100.
    pub fn weight(self) -> i32 {
        match self {
            Topic::Profile => 62,
            Topic::Codec => 60,
            Topic::Auth => 58,
            Topic::Require => 57,
            Topic::Route => 55,
            Topic::Transport => 54,
            Topic::Uri => 52,
            Topic::Rtp => 51,
            Topic::Address => 50,
            Topic::Direction | Topic::Media => 48,
            Topic::Size => 45,
            Topic::Attestation => 40,
            Topic::Session => 38,
            Topic::Header => 34,
            Topic::Message => 33,
            Topic::Timing => 30,
            Topic::Repeats => 28,
            Topic::Code => 36,
            Topic::Forwards => 14,
            Topic::Supported => 16,
            Topic::Attribute => 12,
            Topic::Information => 10,
            Topic::Value => 8,
            Topic::Agent => 3,
        }
    }
}

/// Something that can be said of a message and compared.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is about.
    pub topic: Topic,
    /// What it is, as part of a sentence: `audio codecs`; with the topic its key.
    pub what: Words,
    /// What is compared.
    pub value: Words,
    /// What is shown instead of the value.
    pub shown: Option<Words>,
    /// The line that proves it, cleaned; may be empty.
    pub line: String,
    /// Name of the header, or the begin of the line of the body, that it stands in.
    pub field: String,
    /// Added to the weight of the topic.
    pub more: i32,
}

impl Fact {
    /// A fact that stands in a header or in a line that begins like this.
    pub fn new(topic: Topic, what: impl Into<Words>, value: impl Into<Words>) -> Fact {
        Fact {
            topic,
            what: what.into().map(&short),
            value: value.into().map(&short),
            shown: None,
            line: String::new(),
            field: String::new(),
            more: 0,
        }
    }

    /// Shown otherwise than compared.
    pub fn shown(mut self, shown: impl Into<Words>) -> Fact {
        self.shown = Some(shown.into().map(&short));
        self
    }

    /// Where it stands: name of the header or begin of the line of the body, and the line.
    pub fn stands(mut self, field: &str, line: &[u8]) -> Fact {
        self.field = field.to_owned();
        self.line = excerpt(line);
        self
    }

    /// More or less important than others of its topic.
    pub fn weighs(mut self, more: i32) -> Fact {
        self.more = more;
        self
    }

    /// What a person is shown.
    pub fn text(&self) -> &Words {
        self.shown.as_ref().unwrap_or(&self.value)
    }
}

/// Characters of a value that are kept.
const LONGEST_VALUE: usize = 200;
/// Characters of a line that are kept.
const LONGEST_LINE: usize = 160;

fn short(text: &str) -> String {
    let text = crate::message::lossy(&crate::report::mask::mask(text.as_bytes()));
    cut(
        &crate::report::terminal::escape::clean(&text),
        LONGEST_VALUE,
    )
}

/// A line as proof: without secrets, without anything that steers a terminal, cut off.
pub fn excerpt(line: &[u8]) -> String {
    let some = line
        .get(..line.len().min(4 * LONGEST_LINE))
        .unwrap_or_default();
    let text = crate::message::lossy(&crate::report::mask::mask(some));
    cut(&crate::report::terminal::escape::clean(&text), LONGEST_LINE)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
