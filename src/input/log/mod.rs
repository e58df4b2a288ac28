//! SIP messages in text: logs of servers and phones, and messages pasted into tickets and mails.
//!
//! Each format is one static record in its own file ([`format`]), listed below. The text is taken
//! apart into lines ([`reader`]), and those are put together into messages ([`cutter`], [`collect`]).
//! A text may mix formats, so every line may open a message of each of them ([`dispatch`]); what a
//! line opens decides how the lines after it are read.

mod address;
mod anchor;
mod choice;
mod clock;
mod collect;
mod colours;
mod cutter;
mod dated;
mod dispatch;
mod dots;
mod draft;
mod dump;
mod escapes;
mod flat;
mod format;
mod further;
mod journal;
mod lossy;
mod mobile;
mod names;
mod pattern;
mod plain;
mod prefix;
mod reader;
mod scan;
mod skim;
mod stamps;
mod start_line;

mod acme;
mod acme_sipd;
mod asterisk_pjsip;
mod audiocodes;
mod avaya_attendant;
mod avaya_csdk;
mod avaya_ip_office;
mod avaya_iview;
mod avaya_mpp;
mod avaya_one_x;
mod avaya_phone;
mod avaya_session_manager;
mod baresip;
mod belle_sip;
mod blink;
mod broadworks;
mod browser;
mod chan_sip;
mod cisco_cue;
mod cisco_ios;
mod cucm;
mod drachtio_agent;
mod follow;
mod genesys;
mod homer;
mod ingate;
mod kamailio;
mod lync;
mod ngrep;
mod pjsip;
mod raw;
mod sipdump;
mod sipp;
mod sipsak;
mod sngrep;
mod snom;
mod sofia;
mod sonus;
mod stacks;
mod tcpdump;
mod tshark;
mod tshark_summary;
mod twinkle;
mod yealink;

#[cfg(test)]
mod tests;

pub use choice::LogChoice;
use cutter::Cutter;
use format::{Cut, Format, Line, Opening, Signs, margin, one_line};
use further::Further;
pub(crate) use reader::Log;

/// Every format: those that a line shows at a glance first, pasted messages last. A line belongs to the
/// first that recognises it.
static LOGS: &[&Format] = &[
    &asterisk_pjsip::FORMAT,
    &chan_sip::FORMAT,
    &sipp::FORMAT,
    &sipdump::FORMAT,
    &twinkle::FORMAT,
    &homer::FORMAT,
    &tshark::FORMAT,
    &follow::FORMAT,
    &snom::FORMAT,
    &blink::FORMAT,
    &ngrep::FORMAT,
    &sngrep::FORMAT,
    &ingate::FORMAT,
    &acme::FORMAT,
    &avaya_csdk::FORMAT,
    &avaya_ip_office::FORMAT,
    &avaya_mpp::FORMAT,
    &avaya_session_manager::FORMAT,
    &broadworks::FORMAT,
    &cisco_cue::FORMAT,
    &cisco_ios::FORMAT,
    &cucm::FORMAT,
    &genesys::FORMAT,
    &sonus::FORMAT,
    &tcpdump::FORMAT,
    &tshark_summary::FORMAT,
    &sipsak::FORMAT,
    &sofia::FORMAT,
    &pjsip::FORMAT,
    &belle_sip::FORMAT,
    &browser::SIP_JS,
    &browser::JSSIP,
    &avaya_attendant::FORMAT,
    &avaya_iview::FORMAT,
    &avaya_phone::FORMAT,
    &drachtio_agent::FORMAT,
    &avaya_one_x::FORMAT,
    &yealink::FORMAT,
    &stacks::RESIPROCATE,
    &stacks::SIPSORCERY,
    &stacks::YATE,
    &acme_sipd::FORMAT,
    &audiocodes::FORMAT,
    &lync::FORMAT,
    &baresip::FORMAT,
    &browser::SIPML5,
    &sipp::ERRORS,
    &kamailio::FORMAT,
    &raw::FORMAT,
];

/// The names of the formats.
pub fn formats() -> impl Iterator<Item = &'static str> {
    let named = LOGS.iter().map(|format| format.name);
    // A list of packets holds no message, and dumps are no lines of a message.
    let named = named.filter(|name| *name != tshark_summary::FORMAT.name);
    named.chain([dump::NAME])
}

const LONGEST_LINE: usize = 1 << 20;
const LARGEST_MESSAGE: usize = 1 << 20;
