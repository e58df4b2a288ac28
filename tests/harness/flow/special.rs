//! What a line says is special about a message.

use super::line::{Line, Mod};
use super::script::{Script, Sent};
use super::sip::Sip;
use std::collections::BTreeMap;

impl Script {
    pub(super) fn modify(&mut self, sip: &mut Sip, line: &Line) {
        for m in &line.mods {
            match m {
                Mod::Sdp(set, lines) => {
                    sip.body = self.describe(line, set, lines);
                    sip.set("Content-Type", "application/sdp");
                }
                Mod::Header(name, value) => sip.set(name, value),
                Mod::Add(name, value) => sip.add(name, value.clone()),
                Mod::Remove(name) => sip.remove(name),
                Mod::Set(name, value) => self.set(sip, line, name, value),
                Mod::Flag(_) | Mod::Replace(..) | Mod::Damage(..) => {}
            }
        }
    }

    pub(super) fn set(&mut self, sip: &mut Sip, line: &Line, name: &str, value: &str) {
        let swap = |text: &str, param: &str| {
            let (before, rest) = text.split_once(param).unwrap_or((text, ""));
            let after = rest.find(';').map_or("", |at| &rest[at..]);
            if value.is_empty() {
                format!("{before}{after}")
            } else {
                format!("{before}{param}{value}{after}")
            }
        };
        match name {
            "uri" => sip.start = format!("{} {value} SIP/2.0", sip.method()),
            "cseq" => {
                let method = sip.method().to_owned();
                sip.set("CSeq", &format!("{value} {method}"));
            }
            "branch" => {
                let via = swap(sip.get("Via"), ";branch=");
                let top = sip
                    .headers
                    .iter_mut()
                    .find(|(name, _)| name == "Via")
                    .unwrap();
                top.1 = via;
            }
            "fromtag" => {
                let from = swap(sip.get("From"), ";tag=");
                sip.set("From", &from);
            }
            "totag" => {
                let to = swap(sip.get("To"), ";tag=");
                sip.set("To", &to);
            }
            "pad" => sip.add("X-Pad", "x".repeat(value.parse().unwrap())),
            "body" => sip.body = value.replace("\\r\\n", "\r\n"),
            // Credentials for the last challenge on this hop, as this user.
            "auth" => {
                let challenged = |sent: &&Sent| {
                    sent.to == line.from
                        && matches!(sent.sip.code(), 401 | 407)
                        && sent.call == line.call
                };
                let challenge = &self
                    .sent
                    .iter()
                    .rev()
                    .find(challenged)
                    .unwrap_or_else(|| panic!("no challenge: {line:?}"))
                    .sip;
                let proxy = challenge.code() == 407;
                let asked = challenge.get(if proxy {
                    "Proxy-Authenticate"
                } else {
                    "WWW-Authenticate"
                });
                let part = |name: &str| {
                    asked
                        .split(&format!("{name}=\""))
                        .nth(1)
                        .and_then(|rest| rest.split('"').next())
                        .unwrap_or_default()
                        .to_owned()
                };
                let uri = sip.uri().to_owned();
                let credentials = format!(
                    "Digest username=\"{value}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{}\", algorithm=MD5",
                    part("realm"),
                    part("nonce"),
                    "0123456789abcdef".repeat(2)
                );
                sip.add(
                    if proxy {
                        "Proxy-Authorization"
                    } else {
                        "Authorization"
                    },
                    credentials,
                );
            }
            "sport" | "dport" | "sip" | "dip" | "cut" | "phrase" => {}
            other => panic!("what is {other}=? in {line:?}"),
        }
    }

    // `sdp codecs=0,8 port=40000 ip=10.0.0.1 profile=RTP/SAVP dir=sendonly v=2 a=...`
    pub(super) fn describe(
        &self,
        line: &Line,
        set: &BTreeMap<String, String>,
        lines: &[String],
    ) -> String {
        let get = |name: &str, or: &str| set.get(name).cloned().unwrap_or_else(|| or.to_owned());
        let ip = get("ip", &self.party(&line.from).media());
        let family = if ip.contains(':') { "IP6" } else { "IP4" };
        let (codecs, port) = (get("codecs", "0,8,101"), get("port", "40000"));
        let mut text = format!(
            "v=0\r\no=- 1 {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n",
            get("v", "1")
        );
        text += &format!(
            "m={} {port} {} {}\r\n",
            get("kind", "audio"),
            get("profile", "RTP/AVP"),
            codecs.replace(',', " ")
        );
        for codec in codecs.split(',') {
            let name = match codec {
                "0" => "PCMU/8000",
                "8" => "PCMA/8000",
                "9" => "G722/8000",
                "18" => "G729/8000",
                "96" => "opus/48000/2",
                "101" => "telephone-event/8000",
                _ => continue,
            };
            text += &format!("a=rtpmap:{codec} {name}\r\n");
        }
        text += &format!("a={}\r\n", get("dir", "sendrecv"));
        for line in lines {
            let bare = ["m ", "c ", "b ", "i "]
                .iter()
                .any(|kind| line.starts_with(kind));
            text += &if bare {
                format!("{}={}\r\n", &line[..1], &line[2..])
            } else {
                format!("a={line}\r\n")
            };
        }
        text
    }
}
