//! SIP messages as lines of text, and how one follows from another.

/// A message in the making.
#[derive(Clone, Debug)]
pub(super) struct Sip {
    pub(super) start: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Sip {
    pub(super) fn new(start: String) -> Sip {
        Sip {
            start,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(super) fn add(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self
            .headers
            .iter()
            .position(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some(at) => {
                let first = self.headers[at].0.clone();
                let mut kept = false;
                self.headers.retain(|(known, _)| {
                    !known.eq_ignore_ascii_case(&first) || !std::mem::replace(&mut kept, true)
                });
                let at = self
                    .headers
                    .iter()
                    .position(|(known, _)| *known == first)
                    .unwrap();
                self.headers[at].1 = value.to_owned();
            }
            None => self.add(name, value),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let named = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub(super) fn is_request(&self) -> bool {
        !self.start.starts_with("SIP/2.0 ")
    }

    /// The method: of a response the one in CSeq.
    pub(super) fn method(&self) -> &str {
        let cseq = self.get("CSeq").split(' ').nth(1).unwrap_or_default();
        let own = self.start.split(' ').next().unwrap_or_default();
        if self.is_request() { own } else { cseq }
    }

    pub(super) fn cseq(&self) -> u32 {
        self.get("CSeq")
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0)
    }

    pub(super) fn code(&self) -> u16 {
        let code = self
            .start
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        if self.is_request() {
            0
        } else {
            code.unwrap_or(0)
        }
    }

    pub(super) fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The URI of the first Contact.
    pub(super) fn contact(&self) -> String {
        let value = self.get("Contact");
        let inner = value
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        inner.map_or(value, |(uri, _)| uri).to_owned()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        text += &self.body;
        text.into_bytes()
    }
}

/// The usual phrase of a status code.
pub(super) fn phrase(code: u16) -> String {
    let known = sipexplain::knowledge::code(code);
    known.map_or_else(|| "Unknown".to_owned(), |code| code.title.clone())
}
