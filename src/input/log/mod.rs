//! SIP messages in text: logs of servers and phones, and messages pasted into tickets and mails.
//!
//! Each format is one static record in its own file ([`format`]), listed below. The text is taken
//! apart into lines ([`reader`]), and those are put together into messages ([`cutter`], [`collect`]).
//! A text may mix formats, so every line may open a message of each of them ([`dispatch`]); what a
//! line opens decides how the lines after it are read.

mod address;
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
mod pattern;
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

use cutter::Cutter;
use format::{Cut, Format, Line, Opening, margin, one_line};
use further::Further;
pub(crate) use reader::Log;

/// Every format, the ones that say most first: a line belongs to the first that recognises it.
static LOGS: &[&Format] = &[
    &acme::FORMAT,
    &acme_sipd::FORMAT,
    &audiocodes::FORMAT,
    &avaya_attendant::FORMAT,
    &avaya_csdk::FORMAT,
    &avaya_ip_office::FORMAT,
    &avaya_iview::FORMAT,
    &avaya_mpp::FORMAT,
    &avaya_one_x::FORMAT,
    &avaya_phone::FORMAT,
    &avaya_session_manager::FORMAT,
    &broadworks::FORMAT,
    &chan_sip::FORMAT,
    &cisco_cue::FORMAT,
    &cisco_ios::FORMAT,
    &cucm::FORMAT,
    &drachtio_agent::FORMAT,
    &genesys::FORMAT,
    &ingate::FORMAT,
    &lync::FORMAT,
    &sipdump::FORMAT,
    &snom::FORMAT,
    &sofia::FORMAT,
    &sonus::FORMAT,
    &yealink::FORMAT,
    &asterisk_pjsip::FORMAT,
    &pjsip::FORMAT,
    &belle_sip::FORMAT,
    &browser::SIP_JS,
    &browser::JSSIP,
    &browser::SIPML5,
    &sipp::FORMAT,
    &sipp::ERRORS,
    &sipsak::FORMAT,
    &baresip::FORMAT,
    &twinkle::FORMAT,
    &blink::FORMAT,
    &stacks::RESIPROCATE,
    &stacks::SIPSORCERY,
    &stacks::YATE,
    &ngrep::FORMAT,
    &sngrep::FORMAT,
    &homer::FORMAT,
    &tcpdump::FORMAT,
    &tshark::FORMAT,
    &follow::FORMAT,
    &tshark_summary::FORMAT,
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
