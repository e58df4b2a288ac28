//! Messages that follow from others: repeats, what is handed on, answers.

use super::line::Line;
use super::script::{Script, Sent, flag, setting};
use super::sip::{Sip, phrase};

impl Script {
    pub(super) fn find(&self, line: &Line, of: impl Fn(&Sip) -> bool) -> Option<&Sent> {
        let on_hop =
            |sent: &&Sent| sent.call == line.call && sent.from == line.from && sent.to == line.to;
        self.sent
            .iter()
            .rev()
            .filter(on_hop)
            .find(|sent| of(&sent.sip))
    }

    // The same bytes once more.
    pub(super) fn again(&mut self, line: &Line) {
        let what = line.words.first().cloned().unwrap_or_default();
        let number = what.parse().unwrap_or(0);
        let same = |sip: &Sip| match number {
            0 => sip.is_request() && sip.method() == what,
            code => sip.code() == code,
        };
        let sent = self
            .find(line, same)
            .unwrap_or_else(|| panic!("nothing to repeat: {line:?}"));
        let mut sip = sent.sip.clone();
        self.modify(&mut sip, line);
        self.send(line, &sip.bytes());
    }

    pub(super) fn relay(&mut self, line: &Line) {
        let fits = |sent: &Sent| {
            let what = line.words.first();
            let wanted = what.is_none_or(|what| {
                if sent.sip.is_request() {
                    sent.sip.method() == what
                } else {
                    sent.sip.code().to_string() == *what
                }
            });
            sent.to == line.from
                && sent.from != line.to
                && sent.call == line.call
                && wanted
                && !sent.relayed_to.contains(&line.to)
        };
        let at = self
            .sent
            .iter()
            .rposition(fits)
            .unwrap_or_else(|| panic!("nothing to relay: {line:?}"));
        self.sent[at].relayed_to.push(line.to.clone());
        let mut sip = self.sent[at].sip.clone();
        if sip.is_request() {
            self.counter += 1;
            let via = self.via(line, &format!("z9hG4bKp{}", self.counter));
            let at = sip
                .headers
                .iter()
                .position(|(name, _)| name == "Via")
                .unwrap_or(0);
            sip.headers.insert(at, ("Via".to_owned(), via));
            if let Ok(hops) = sip.get("Max-Forwards").parse::<u32>() {
                sip.set("Max-Forwards", &hops.saturating_sub(1).to_string());
            }
            let own = self.party(&line.from).says("contact");
            if sip.get("Route").contains(&own) {
                let at = sip
                    .headers
                    .iter()
                    .position(|(name, _)| name == "Route")
                    .unwrap();
                sip.headers.remove(at);
            }
            // The latest stands first (RFC 3261 §16.6 item 4).
            if flag(line, "rr") {
                let at = sip
                    .headers
                    .iter()
                    .position(|(name, _)| name == "Record-Route" || name == "From")
                    .unwrap_or(0);
                sip.headers
                    .insert(at, ("Record-Route".to_owned(), format!("<sip:{own};lr>")));
            }
        } else {
            let at = sip
                .headers
                .iter()
                .position(|(name, _)| name == "Via")
                .expect("a Via");
            sip.headers.remove(at);
        }
        self.finish(sip, line);
    }

    pub(super) fn via(&self, line: &Line, branch: &str) -> String {
        let from = self.party(&line.from);
        let tcp = from.tcp && self.party(&line.to).tcp || flag(line, "tcp");
        let transport = if tcp { "TCP" } else { "UDP" };
        let rport = if flag(line, "norport") { "" } else { ";rport" };
        format!(
            "SIP/2.0/{transport} {};branch={branch}{rport}",
            from.says("via")
        )
    }

    pub(super) fn respond(&mut self, line: &Line) {
        let code: u16 = line.what.parse().unwrap();
        let method = line
            .words
            .iter()
            .find(|word| word.chars().all(|c| c.is_ascii_uppercase()));
        let asked = |sip: &Sip| {
            sip.is_request()
                && method.map_or(sip.method() != "ACK", |method| sip.method() == method)
        };
        let back =
            |sent: &&Sent| sent.call == line.call && sent.from == line.to && sent.to == line.from;
        let request = self
            .sent
            .iter()
            .rev()
            .filter(back)
            .find(|sent| asked(&sent.sip));
        let request = request
            .unwrap_or_else(|| panic!("no request to answer: {line:?}"))
            .sip
            .clone();
        let words = line.words.iter().filter(|word| Some(*word) != method);
        let phrase = setting(line, "phrase").map_or_else(
            || {
                let own: Vec<&str> = words.map(String::as_str).collect();
                if own.is_empty() {
                    phrase(code)
                } else {
                    own.join(" ")
                }
            },
            str::to_owned,
        );
        let mut sip = Sip::new(format!("SIP/2.0 {code} {phrase}"));
        for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
            let wanted = name != "Record-Route" || (101..300).contains(&code);
            for value in request.all(name).into_iter().filter(|_| wanted) {
                sip.add(name, value);
            }
        }
        self.note_received(&mut sip, line);
        if code > 100 && !sip.get("To").contains(";tag=") {
            let to = format!("{};tag={}", sip.get("To"), self.tag(&line.from, line));
            sip.set("To", &to);
        }
        let (method, party) = (request.method().to_owned(), self.party(&line.from).clone());
        let dialog = matches!(method.as_str(), "INVITE" | "SUBSCRIBE" | "UPDATE" | "REFER")
            && (101..300).contains(&code);
        if dialog {
            sip.add(
                "Contact",
                format!("<sip:{}@{}>", party.says("user"), party.says("contact")),
            );
        }
        if method == "REGISTER" && (200..300).contains(&code) {
            for value in request.all("Contact") {
                sip.add(
                    "Contact",
                    format!("{value};expires={}", request.get("Expires")),
                );
            }
        }
        if matches!(code, 401 | 407) {
            self.counter += 1;
            let name = if code == 401 {
                "WWW-Authenticate"
            } else {
                "Proxy-Authenticate"
            };
            sip.add(
                name,
                format!(
                    "Digest realm=\"example.net\", nonce=\"nonce{}\", algorithm=MD5",
                    self.counter
                ),
            );
        }
        if let Some(agent) = party.more.get("ua") {
            sip.add("Server", agent.clone());
        }
        self.finish(sip, line);
    }

    // Whoever answers a request from elsewhere than its sent-by says from where it came (RFC 3581 §4).
    pub(super) fn note_received(&self, sip: &mut Sip, line: &Line) {
        let (source, via) = (self.party(&line.to), sip.get("Via").to_owned());
        if via.contains(";rport")
            && !via.contains(";rport=")
            && source.says("via") != source.at.to_string()
            && !flag(line, "noreceived")
        {
            let at = source.at;
            let told = via.replace(
                ";rport",
                &format!(";received={};rport={}", at.ip(), at.port()),
            );
            let top = sip
                .headers
                .iter_mut()
                .find(|(name, _)| name == "Via")
                .unwrap();
            top.1 = told;
        }
    }

    pub(super) fn tag(&self, party: &str, line: &Line) -> String {
        format!("{party}{}", line.call)
    }
}
