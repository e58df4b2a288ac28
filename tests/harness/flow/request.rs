//! Requests: new ones, and what answers a challenge or goes on in a dialog.

use super::line::{Line, Mod};
use super::script::{Script, Sent, flag};
use super::sip::Sip;

impl Script {
    pub(super) fn request(&mut self, line: &Line) {
        let method = line.what.clone();
        let sip = match method.as_str() {
            "ACK" | "CANCEL" => self.of_invite(line, &method),
            _ => self.fresh(line, &method),
        };
        self.finish(sip, line);
    }

    // ACK and CANCEL belong to an INVITE on the same hop (RFC 3261 §9.1, §13.2.2.4, §17.1.1.3).
    pub(super) fn of_invite(&mut self, line: &Line, method: &str) -> Sip {
        let invite = self.find(line, |sip| sip.is_request() && sip.method() == "INVITE");
        let invite = invite
            .unwrap_or_else(|| panic!("no INVITE before {line:?}"))
            .sip
            .clone();
        let answered = |sent: &&Sent| {
            sent.call == line.call
                && sent.from == line.to
                && sent.to == line.from
                && sent.sip.method() == "INVITE"
                && sent.sip.cseq() == invite.cseq()
                && sent.sip.code() > 100
        };
        let answer = self
            .sent
            .iter()
            .rev()
            .filter(answered)
            .max_by_key(|sent| sent.sip.code() >= 200);
        let answer = answer.map(|sent| sent.sip.clone());
        let accepted = answer
            .as_ref()
            .filter(|sip| method == "ACK" && (200..300).contains(&sip.code()));
        let uri = match accepted {
            Some(answer) if !answer.contact().is_empty() => answer.contact(),
            _ => invite.uri().to_owned(),
        };
        let mut sip = Sip::new(format!("{method} {uri} SIP/2.0"));
        if accepted.is_some() {
            self.counter += 1;
            sip.add("Via", self.via(line, &format!("z9hG4bKb{}", self.counter)));
            for route in answer
                .as_ref()
                .unwrap()
                .all("Record-Route")
                .into_iter()
                .rev()
            {
                sip.add("Route", route);
            }
        } else {
            sip.add("Via", invite.get("Via"));
        }
        sip.add("Max-Forwards", "70");
        sip.add("From", invite.get("From"));
        let to = answer
            .as_ref()
            .filter(|_| method == "ACK")
            .map_or(invite.get("To"), |sip| sip.get("To"));
        sip.add("To", to);
        sip.add("Call-ID", invite.get("Call-ID"));
        sip.add("CSeq", format!("{} {method}", invite.cseq()));
        sip
    }

    // The one who is called, where the first hop is a proxy.
    pub(super) fn callee<'a>(&'a self, next: &'a str) -> &'a str {
        let named = self.parties.keys().find(|name| *name == "bob");
        named.map_or(next, String::as_str)
    }

    // A request of its own: inside the dialog where there is one.
    pub(super) fn fresh(&mut self, line: &Line, method: &str) -> Sip {
        self.counter += 1;
        let of_call = || self.sent.iter().filter(|sent| sent.call == line.call);
        let first = of_call()
            .find(|sent| sent.sip.is_request())
            .map(|sent| (sent.from.clone(), sent.sip.clone()));
        let confirmed = of_call().rev().find(|sent| {
            matches!(sent.sip.method(), "INVITE" | "SUBSCRIBE" | "REFER")
                && (101..300).contains(&sent.sip.code())
                && (sent.sip.code() >= 200 || matches!(method, "PRACK" | "UPDATE" | "BYE"))
        });
        let confirmed = confirmed
            .map(|sent| sent.sip.clone())
            .filter(|_| !flag(line, "new"));
        let party = self.party(&line.from).clone();
        let highest = of_call()
            .filter(|sent| sent.sip.is_request() && sent.from == line.from)
            .map(|sent| sent.sip.cseq())
            .max();
        let cseq = highest.map_or(1, |highest| highest + 1);
        let user = |name: &str| self.party(name).says("user");
        let mut sip = Sip::new(String::new());
        sip.add("Via", self.via(line, &format!("z9hG4bKb{}", self.counter)));
        sip.add("Max-Forwards", "70");
        let uri;
        match (&confirmed, &first) {
            (Some(answer), Some((caller, request))) => {
                let by_caller = *caller == line.from || party.at == self.party(caller).at;
                // The last answer may be one to a request of the called side.
                let uri_of = |value: &str| value.split(";tag=").next().unwrap_or("").to_owned();
                let turned = uri_of(answer.get("To")) == uri_of(request.get("From"));
                let (own, other) = if by_caller != turned {
                    ("From", "To")
                } else {
                    ("To", "From")
                };
                let asked = of_call().rev().find(|sent| {
                    sent.sip.is_request()
                        && sent.sip.get("CSeq") == answer.get("CSeq")
                        && sent.sip.get("From") == answer.get("From")
                });
                let contact = if by_caller != turned {
                    answer.contact()
                } else {
                    asked.map_or_else(|| request.contact(), |sent| sent.sip.contact())
                };
                uri = if contact.is_empty() {
                    request.uri().to_owned()
                } else {
                    contact
                };
                let mut routes = answer.all("Record-Route");
                if by_caller != turned {
                    routes.reverse();
                }
                routes.into_iter().for_each(|route| sip.add("Route", route));
                sip.add("From", answer.get(own));
                sip.add("To", answer.get(other));
            }
            (None, Some((_, request))) if !flag(line, "new") => {
                uri = request.uri().to_owned();
                sip.add("From", request.get("From"));
                sip.add("To", request.get("To"));
            }
            _ => {
                uri = if method == "REGISTER" {
                    "sip:example.net".to_owned()
                } else {
                    format!("sip:{}@example.net", user(self.callee(&line.to)))
                };
                sip.add(
                    "From",
                    format!(
                        "<sip:{}@example.org>;tag={}",
                        user(&line.from),
                        self.tag(&line.from, line)
                    ),
                );
                let to = if method == "REGISTER" {
                    format!("<sip:{}@example.net>", user(&line.from))
                } else {
                    format!("<{uri}>")
                };
                sip.add("To", to);
            }
        }
        sip.start = format!("{method} {uri} SIP/2.0");
        let call_id = first.as_ref().map_or_else(
            || format!("call-{}@example.org", line.call),
            |(_, sip)| sip.get("Call-ID").to_owned(),
        );
        sip.add("Call-ID", call_id);
        sip.add("CSeq", format!("{cseq} {method}"));
        if matches!(
            method,
            "INVITE" | "REGISTER" | "SUBSCRIBE" | "UPDATE" | "REFER" | "NOTIFY"
        ) {
            sip.add(
                "Contact",
                format!("<sip:{}@{}>", party.says("user"), party.says("contact")),
            );
        }
        if method == "REGISTER" {
            sip.add("Expires", "3600");
        }
        if method == "PRACK" {
            let reliable = of_call()
                .rev()
                .find(|sent| !sent.sip.get("RSeq").is_empty());
            let answer = &reliable.expect("a reliable provisional response").sip;
            sip.add(
                "RAck",
                format!("{} {}", answer.get("RSeq"), answer.get("CSeq")),
            );
        }
        if let Some(agent) = party.more.get("ua") {
            sip.add("User-Agent", agent.clone());
        }
        sip
    }

    pub(super) fn finish(&mut self, mut sip: Sip, line: &Line) {
        self.modify(&mut sip, line);
        let known = line.mods.iter().any(|m| match m {
            Mod::Header(name, _) | Mod::Add(name, _) | Mod::Remove(name) => {
                name.eq_ignore_ascii_case("Content-Length")
            }
            _ => false,
        });
        if !known {
            let length = sip.body.len().to_string();
            sip.set("Content-Length", &length);
        }
        let mut bytes = sip.bytes();
        for m in &line.mods {
            if let Mod::Replace(old, new) = m {
                let text = String::from_utf8(bytes).unwrap();
                assert!(
                    text.contains(old.as_str()),
                    "nothing to replace by {line:?} in\n{text}"
                );
                bytes = text.replacen(old.as_str(), new, 1).into_bytes();
            }
        }
        self.send(line, &bytes);
        for m in &line.mods {
            if let Mod::Damage(old, new) = m {
                self.capture.damage(old, new);
            }
        }
        let (from, to, call) = (line.from.clone(), line.to.clone(), line.call.clone());
        self.sent.push(Sent {
            from,
            to,
            call,
            sip,
            relayed_to: Vec::new(),
        });
    }
}
