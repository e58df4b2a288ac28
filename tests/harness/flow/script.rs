//! A flow to a capture: who has said what so far decides what the next message looks like.

use super::line::{self, Line, Mod};
use super::packet::{self, Capture};
use super::sip::{Sip, phrase};
use super::{Flow, Party};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A message that was sent.
struct Sent {
    from: String,
    to: String,
    call: String,
    sip: Sip,
    relayed_to: Vec<String>,
}

struct Script {
    parties: BTreeMap<String, Party>,
    sent: Vec<Sent>,
    counter: u32,
    /// Microseconds of the last packet: what stands on one time follows in order.
    ident: u16,
    streams: BTreeMap<(SocketAddr, SocketAddr), u32>,
    /// The last packet from one address to another.
    last: BTreeMap<(String, String), Vec<u8>>,
    capture: Capture,
}

/// Compiles a flow; a mistake in it is a panic that names the line.
pub(crate) fn compile(text: &str) -> Flow {
    let (head, lines) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut expect: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut parties = BTreeMap::new();
    for line in head.lines().filter(|line| !line.starts_with('#')) {
        if let Some(party) = line.strip_prefix("party ") {
            let (name, party) = read_party(party);
            parties.insert(name, party);
            continue;
        }
        let (key, value) = line
            .split_once(':')
            .unwrap_or_else(|| panic!("what is {line:?}?"));
        expect
            .entry(key.to_owned())
            .or_default()
            .push(value.trim().to_owned());
    }
    let mut script = Script {
        parties,
        sent: Vec::new(),
        counter: 0,
        ident: 0,
        streams: BTreeMap::new(),
        last: BTreeMap::new(),
        capture: Capture::new(),
    };
    // A line that begins with blanks goes on with the one before it.
    let joined = lines.replace("\n    ", " ");
    for line in unrolled(&joined) {
        script.line(&line);
    }
    let title = expect
        .get("title")
        .map(|all| all.join(" "))
        .expect("a title");
    Flow {
        title,
        expect,
        pcap: script.capture.pcap(),
    }
}

// `repeat 10 every 2.5` to `end`: the lines again and again, later each time; `$` is the number.
fn unrolled(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut block: Option<(u64, u64, Vec<&str>)> = None;
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        if let Some(head) = line.strip_prefix("repeat ") {
            let (count, every) = head.split_once(" every ").expect("repeat N every SECONDS");
            block = Some((count.parse().unwrap(), line::seconds(every), Vec::new()));
        } else if line == "end" {
            let (count, every, inside) = block.take().expect("a repeat before end");
            for number in 0..count {
                lines.extend(inside.iter().map(|line| {
                    let mut line = line::parse(&line.replace('$', &number.to_string()));
                    line.at += number * every;
                    line
                }));
            }
        } else if let Some((_, _, inside)) = &mut block {
            inside.push(line);
        } else {
            lines.push(line::parse(line));
        }
    }
    assert!(block.is_none(), "repeat without end");
    lines
}

fn read_party(text: &str) -> (String, Party) {
    let mut words = text.split_whitespace();
    let (name, at) = (words.next().unwrap(), words.next().unwrap());
    let mut party = Party {
        at: at.parse().unwrap_or_else(|_| panic!("no ip:port: {at}")),
        tcp: false,
        more: BTreeMap::new(),
    };
    let mut rest: Vec<String> = words.map(str::to_owned).collect();
    // `ua="two words"` was torn.
    while let Some(at) = rest.iter().position(|word| word.matches('"').count() == 1) {
        let next = rest.remove(at + 1);
        rest[at] = format!("{} {next}", rest[at]);
        if next.ends_with('"') {
            rest[at] = rest[at].replace('"', "");
        }
    }
    for word in rest {
        match word.split_once('=') {
            Some((key, value)) => drop(party.more.insert(key.to_owned(), value.replace('"', ""))),
            None if word == "tcp" => party.tcp = true,
            None => panic!("what is {word:?} of {name}?"),
        }
    }
    party
        .more
        .entry("user".to_owned())
        .or_insert_with(|| name.to_owned());
    (name.to_owned(), party)
}

impl Script {
    fn party(&self, name: &str) -> &Party {
        self.parties
            .get(name)
            .unwrap_or_else(|| panic!("who is {name}?"))
    }

    fn line(&mut self, line: &Line) {
        match line.what.as_str() {
            "tick" => self.capture.tick(line.at),
            "icmp" => self.icmp(line),
            "rtp" => self.rtp(line),
            "crlf" => self.send(line, b"\r\n\r\n"),
            "syn" | "synack" | "rst" | "fin" | "ack" => self.segment(line),
            "hex" => {
                let digits: Vec<u32> = line
                    .words
                    .concat()
                    .chars()
                    .map(|c| c.to_digit(16).unwrap())
                    .collect();
                let bytes: Vec<u8> = digits
                    .chunks(2)
                    .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
                    .collect();
                self.send(line, &bytes);
            }
            "again" => self.again(line),
            "relay" => self.relay(line),
            what if what.parse::<u16>().is_ok() => self.respond(line),
            _ => self.request(line),
        }
    }

    fn icmp(&mut self, line: &Line) {
        let back = (
            line.to.clone(),
            line.words.get(1).unwrap_or(&line.from).clone(),
        );
        let quoted = self
            .last
            .get(&back)
            .unwrap_or_else(|| panic!("nothing to quote: {line:?}"))
            .clone();
        let (from, to) = (self.party(&line.from).at.ip(), self.party(&line.to).at.ip());
        let mtu = line.words.get(2).map_or(0, |mtu| mtu.parse().unwrap());
        let (protocol, error) = packet::icmp(&line.words[0], from, to, mtu, &quoted);
        let packet = packet::ip(from, to, protocol, 0, &error);
        self.capture.ip(line.at, &packet, None);
    }

    // `2.0 alice > bob rtp 500 | pt=0 | sport=40000 | dport=50000 | ssrc=1 | every=20`
    fn rtp(&mut self, line: &Line) {
        let set =
            |name: &str, or: u32| setting(line, name).map_or(or, |value| value.parse().unwrap());
        let (mut source, mut destination) = (self.party(&line.from).at, self.party(&line.to).at);
        source.set_port(u16::try_from(set("sport", 40000)).unwrap());
        destination.set_port(u16::try_from(set("dport", 40000)).unwrap());
        if let Some(ip) = setting(line, "dip") {
            destination.set_ip(ip.parse().unwrap());
        }
        let (every, ssrc, payload) = (
            set("every", 20),
            set("ssrc", u32::from(source.port())),
            set("pt", 0),
        );
        let first = set("seq", 1000);
        for number in 0..line
            .words
            .first()
            .map_or(50, |count| count.parse::<u32>().unwrap())
        {
            let mut bytes = vec![0x80, u8::try_from(payload).unwrap()];
            bytes.extend(
                u16::try_from((first + number) & 0xFFFF)
                    .unwrap()
                    .to_be_bytes(),
            );
            bytes.extend((number * every * 8).to_be_bytes());
            bytes.extend(ssrc.to_be_bytes());
            bytes.extend([0xD5; 160]);
            let packet = self.udp(source, destination, &bytes);
            self.capture
                .ip(line.at + u64::from(number * every) * 1000, &packet, None);
        }
    }

    fn udp(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> Vec<u8> {
        self.ident = self.ident.wrapping_add(1).max(1);
        packet::ip(
            source.ip(),
            destination.ip(),
            17,
            self.ident,
            &packet::udp(source, destination, bytes),
        )
    }

    fn ends(&self, line: &Line) -> (SocketAddr, SocketAddr) {
        let (mut source, mut destination) = (self.party(&line.from).at, self.party(&line.to).at);
        if let Some(port) = setting(line, "sport") {
            source.set_port(port.parse().unwrap());
        }
        if let Some(port) = setting(line, "dport") {
            destination.set_port(port.parse().unwrap());
        }
        if let Some(ip) = setting(line, "sip") {
            source.set_ip(ip.parse().unwrap());
        }
        if let Some(ip) = setting(line, "dip") {
            destination.set_ip(ip.parse().unwrap());
        }
        (source, destination)
    }

    fn send(&mut self, line: &Line, bytes: &[u8]) {
        let (source, destination) = self.ends(line);
        let tcp = self.party(&line.from).tcp && self.party(&line.to).tcp || flag(line, "tcp");
        let packet = if tcp {
            let length = u32::try_from(bytes.len()).unwrap();
            let mut own = *self.streams.entry((source, destination)).or_insert(1000);
            let other = *self.streams.entry((destination, source)).or_insert(1000);
            if flag(line, "copy") {
                own -= length;
            }
            self.streams.insert((source, destination), own + length);
            self.ident = self.ident.wrapping_add(1).max(1);
            let segment = packet::tcp(
                source,
                destination,
                (own, other),
                packet::PUSH | packet::ACK,
                bytes,
            );
            packet::ip(source.ip(), destination.ip(), 6, self.ident, &segment)
        } else {
            self.udp(source, destination, bytes)
        };
        self.last
            .insert((line.from.clone(), line.to.clone()), packet.clone());
        if flag(line, "unseen") {
            return;
        }
        let cut = setting(line, "cut").map(|cut| cut.parse().unwrap());
        self.capture.ip(line.at, &packet, cut);
        if flag(line, "twice") {
            self.capture.ip(line.at + 40, &packet, cut);
        }
    }

    fn segment(&mut self, line: &Line) {
        let (source, destination) = self.ends(line);
        let flags = match line.what.as_str() {
            "syn" => packet::SYN,
            "synack" => packet::SYN | packet::ACK,
            "rst" => packet::RST | packet::ACK,
            "fin" => packet::FIN | packet::ACK,
            _ => packet::ACK,
        };
        let mut own = *self.streams.entry((source, destination)).or_insert(999);
        let other = *self.streams.entry((destination, source)).or_insert(999);
        if flags & (packet::SYN | packet::FIN) != 0 {
            if flag(line, "copy") {
                own -= 1;
            }
            self.streams.insert((source, destination), own + 1);
        }
        let segment = packet::tcp(source, destination, (own, other), flags, &[]);
        self.ident = self.ident.wrapping_add(1).max(1);
        let packet = packet::ip(source.ip(), destination.ip(), 6, self.ident, &segment);
        self.last
            .insert((line.from.clone(), line.to.clone()), packet.clone());
        self.capture.ip(line.at, &packet, None);
    }

    fn find(&self, line: &Line, of: impl Fn(&Sip) -> bool) -> Option<&Sent> {
        let on_hop =
            |sent: &&Sent| sent.call == line.call && sent.from == line.from && sent.to == line.to;
        self.sent
            .iter()
            .rev()
            .filter(on_hop)
            .find(|sent| of(&sent.sip))
    }

    // The same bytes once more.
    fn again(&mut self, line: &Line) {
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

    fn relay(&mut self, line: &Line) {
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

    fn via(&self, line: &Line, branch: &str) -> String {
        let from = self.party(&line.from);
        let tcp = from.tcp && self.party(&line.to).tcp || flag(line, "tcp");
        let transport = if tcp { "TCP" } else { "UDP" };
        let rport = if flag(line, "norport") { "" } else { ";rport" };
        format!(
            "SIP/2.0/{transport} {};branch={branch}{rport}",
            from.says("via")
        )
    }

    fn respond(&mut self, line: &Line) {
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
    fn note_received(&self, sip: &mut Sip, line: &Line) {
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

    fn tag(&self, party: &str, line: &Line) -> String {
        format!("{party}{}", line.call)
    }

    fn request(&mut self, line: &Line) {
        let method = line.what.clone();
        let sip = match method.as_str() {
            "ACK" | "CANCEL" => self.of_invite(line, &method),
            _ => self.fresh(line, &method),
        };
        self.finish(sip, line);
    }

    // ACK and CANCEL belong to an INVITE on the same hop (RFC 3261 §9.1, §13.2.2.4, §17.1.1.3).
    fn of_invite(&mut self, line: &Line, method: &str) -> Sip {
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
    fn callee<'a>(&'a self, next: &'a str) -> &'a str {
        let named = self.parties.keys().find(|name| *name == "bob");
        named.map_or(next, String::as_str)
    }

    // A request of its own: inside the dialog where there is one.
    fn fresh(&mut self, line: &Line, method: &str) -> Sip {
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

    fn finish(&mut self, mut sip: Sip, line: &Line) {
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

    fn modify(&mut self, sip: &mut Sip, line: &Line) {
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

    fn set(&mut self, sip: &mut Sip, line: &Line, name: &str, value: &str) {
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
    fn describe(&self, line: &Line, set: &BTreeMap<String, String>, lines: &[String]) -> String {
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

fn setting<'a>(line: &'a Line, name: &str) -> Option<&'a str> {
    line.mods.iter().find_map(|m| match m {
        Mod::Set(known, value) if known == name => Some(value.as_str()),
        _ => None,
    })
}

fn flag(line: &Line, name: &str) -> bool {
    line.mods
        .iter()
        .any(|m| matches!(m, Mod::Flag(known) if known == name))
}
