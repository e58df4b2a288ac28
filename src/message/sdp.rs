//! Session descriptions (RFC 8866), as far as offers and answers are compared.

use super::span::{Span, span_in, trim};
use nom::character::complete::{char, digit1, space1};
use nom::{IResult, Parser};

/// One codec of a media line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    /// Payload type number.
    pub payload: u8,
    /// `PCMU/8000` in capitals, channels only where there are more than one; from rtpmap, else
    /// from the static table (RFC 3551 §6).
    pub name: String,
}

impl Codec {
    /// Tones and comfort noise: present beside any audio codec, no common codec by themselves.
    pub fn is_auxiliary(&self) -> bool {
        ["TELEPHONE-EVENT/", "CN/", "RED/"]
            .iter()
            .any(|p| self.name.starts_with(p))
    }
}

/// One `m=` line with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`, ...
    pub kind: String,
    /// Address at which it is to be received: its own c= line, else that of the session.
    pub address: Option<String>,
    /// Port; 0 means rejected or disabled.
    pub port: u16,
    /// Profile: `RTP/AVP`, `RTP/SAVP`, ...
    pub profile: String,
    /// The codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// The m= line, in bytes of the body.
    pub line: Span,
    /// The c= line that holds for it, in bytes of the body; empty where there is none.
    pub connection: Span,
    /// Its own direction, else that of the session, else both ways (RFC 8866 §6.7).
    pub direction: Direction,
    /// The line that says so, in bytes of the body; empty where none does.
    pub direction_line: Span,
    /// Does it list ICE candidates (RFC 8839 §5.1)? Its c= line is then only one address of several.
    pub candidates: bool,
}

/// Which way media flows, as its author means it (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Only from the author: the other side is on hold.
    SendOnly,
    /// Only to the author.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    fn of(line: &[u8]) -> Option<Direction> {
        match line {
            b"a=sendrecv" => Some(Direction::SendRecv),
            b"a=sendonly" => Some(Direction::SendOnly),
            b"a=recvonly" => Some(Direction::RecvOnly),
            b"a=inactive" => Some(Direction::Inactive),
            _ => None,
        }
    }

    /// The name of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// Does the author want to receive?
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// Does the author want to send?
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }
}

impl Media {
    /// The line that says which way media flows: c= with an address of zeros, the direction, else m=.
    pub fn says_direction(&self) -> Span {
        match (self.is_zeroed(), self.direction_line.is_empty()) {
            (true, _) => self.connection,
            (false, false) => self.direction_line,
            (false, true) => self.line,
        }
    }

    /// Does its author ask for silence in the old way, an address of zeros (RFC 3264 §8.4)?
    pub fn is_zeroed(&self) -> bool {
        matches!(self.address.as_deref(), Some("0.0.0.0" | "::"))
    }
}

/// Session id and version of the o= line (RFC 8866 §5.2).
pub fn origin(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut lines = body.split(|b| *b == b'\n').map(trim).take(MOST_LINES);
    let origin = lines.find_map(|line| line.strip_prefix(b"o="))?;
    let mut words = origin.split(|b| *b == b' ').skip(1);
    Some((words.next()?, words.next()?))
}

/// RFC 3551 §6, tables 4 and 5: the static payload types still met.
const STATIC: [(u8, &str); 17] = [
    (0, "PCMU/8000"),
    (3, "GSM/8000"),
    (4, "G723/8000"),
    (5, "DVI4/8000"),
    (6, "DVI4/16000"),
    (7, "LPC/8000"),
    (8, "PCMA/8000"),
    (9, "G722/8000"),
    (10, "L16/44100/2"),
    (11, "L16/44100"),
    (12, "QCELP/8000"),
    (13, "CN/8000"),
    (15, "G728/8000"),
    (18, "G729/8000"),
    (26, "JPEG/90000"),
    (31, "H261/90000"),
    (34, "H263/90000"),
];

// An offer with more lines than this is not read further; none met in practice comes near.
const MOST_LINES: usize = 4096;

/// Reads the media lines of a session description; empty where the body is none.
pub fn media(body: &[u8]) -> Vec<Media> {
    let mut all: Vec<Media> = Vec::new();
    let mut of_session = (None, Span::default());
    let mut direction = (Direction::default(), Span::default());
    for line in body.split(|b| *b == b'\n').map(trim).take(MOST_LINES) {
        if let Some(rest) = line.strip_prefix(b"m=") {
            all.extend(media_line(rest).ok().map(|(_, media)| Media {
                line: span_in(body, line),
                address: of_session.0.clone(),
                connection: of_session.1,
                direction: direction.0,
                direction_line: direction.1,
                ..media
            }));
        } else if let Some(rest) = line.strip_prefix(b"c=IN IP") {
            let (address, line) = (connection(rest), span_in(body, line));
            match all.last_mut() {
                Some(media) => (media.address, media.connection) = (address, line),
                None => of_session = (address, line),
            }
        } else if let Some(own) = Direction::of(line) {
            let own = (own, span_in(body, line));
            match all.last_mut() {
                Some(media) => (media.direction, media.direction_line) = own,
                None => direction = own,
            }
        } else if line.starts_with(b"a=candidate:") {
            all.last_mut()
                .into_iter()
                .for_each(|media| media.candidates = true);
        } else if let (Some(rest), Some(media)) = (line.strip_prefix(b"a=rtpmap:"), all.last_mut())
            && let Ok((_, (payload, name))) = rtpmap(rest)
        {
            for codec in media
                .codecs
                .iter_mut()
                .filter(|codec| codec.payload == payload)
            {
                codec.name.clone_from(&name);
            }
        }
    }
    all
}

// `4 192.0.2.1`, `6 2001:db8::1`, `4 233.252.0.1/127` (RFC 8866 §5.7).
fn connection(rest: &[u8]) -> Option<String> {
    let address = rest.get(1..)?.trim_ascii_start();
    let end = address.iter().position(|b| b"/ ".contains(b));
    let address = address.get(..end.unwrap_or(address.len()))?;
    Some(super::lossy(address)).filter(|address| !address.is_empty())
}

fn number<T: std::str::FromStr + Default>(input: &[u8]) -> IResult<&[u8], T> {
    let (input, digits) = digit1(input)?;
    let parsed = std::str::from_utf8(digits)
        .ok()
        .and_then(|d| d.parse().ok());
    Ok((input, parsed.unwrap_or_default()))
}

fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    nom::bytes::complete::take_while1(|b| b != b' ').parse(input)
}

fn media_line(input: &[u8]) -> IResult<&[u8], Media> {
    let (input, kind) = word(input)?;
    let (input, _) = space1(input)?;
    let (input, port) = number(input)?;
    let (input, _) = nom::bytes::complete::take_while(|b| b != b' ').parse(input)?;
    let (input, _) = space1(input)?;
    let (input, profile) = word(input)?;
    let payloads = input
        .split(|b| *b == b' ')
        .filter_map(|p| std::str::from_utf8(p).ok()?.parse().ok());
    let codecs = payloads
        .map(|payload| Codec {
            payload,
            name: static_name(payload),
        })
        .collect();
    let media = Media {
        address: None,
        kind: super::lossy(kind),
        port,
        profile: super::lossy(profile),
        codecs,
        line: Span::default(),
        connection: Span::default(),
        direction: Direction::default(),
        direction_line: Span::default(),
        candidates: false,
    };
    Ok((b"", media))
}

fn static_name(payload: u8) -> String {
    let known = STATIC.iter().find(|(number, _)| *number == payload);
    known.map_or_else(
        || format!("payload type {payload}"),
        |(_, name)| (*name).to_owned(),
    )
}

fn rtpmap(input: &[u8]) -> IResult<&[u8], (u8, String)> {
    let (input, payload) = number(input)?;
    let (input, _) = space1(input)?;
    let (rest, name) = nom::bytes::complete::take_while1(|b| b != b'/').parse(input)?;
    let (rest, _) = char('/').parse(rest)?;
    let (rest, clock) = digit1(rest)?;
    let name = format!("{}/{}", super::lossy(name), super::lossy(clock)).to_ascii_uppercase();
    let channels = rest.strip_prefix(b"/").filter(|c| *c != b"1");
    Ok((
        b"",
        (
            payload,
            channels.map_or(name.clone(), |c| format!("{name}/{}", super::lossy(c))),
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_and_mapped_payloads() {
        let body = b"v=0\r\nm=audio 4000/2 RTP/AVP 0 18 96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\nm=image 0 udptl t38\r\n";
        let all = media(body);
        let names: Vec<_> = all[0].codecs.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "PCMU/8000",
                "G729/8000",
                "OPUS/48000/2",
                "TELEPHONE-EVENT/8000"
            ]
        );
        assert!(all[0].codecs[3].is_auxiliary());
        assert_eq!(
            (all[0].port, all[1].kind.as_str(), all[1].port),
            (4000, "image", 0)
        );
        assert_eq!(all[0].line.of(body), b"m=audio 4000/2 RTP/AVP 0 18 96 101");
    }

    #[test]
    fn what_holds_for_the_session_holds_for_media_that_say_nothing_else() {
        let body = b"v=0\r\no=- 7 9 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\na=inactive\r\n\
            m=audio 4000 RTP/AVP 0\r\na=candidate:1 1 UDP 1 192.0.2.1 4000 typ host\r\n\
            m=video 4002 RTP/AVP 31\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\n";
        let all = media(body);
        let directions: Vec<_> = all.iter().map(|m| m.direction).collect();
        assert_eq!(directions, [Direction::Inactive, Direction::SendOnly]);
        assert_eq!(all[0].direction_line.of(body), b"a=inactive");
        assert_eq!(all[0].connection.of(body), b"c=IN IP4 192.0.2.1");
        assert_eq!(all[1].connection.of(body), b"c=IN IP4 0.0.0.0");
        assert_eq!((all[0].candidates, all[1].candidates), (true, false));
        assert_eq!((all[0].is_zeroed(), all[1].is_zeroed()), (false, true));
        assert_eq!(origin(body), Some((&b"7"[..], &b"9"[..])));
    }
}
