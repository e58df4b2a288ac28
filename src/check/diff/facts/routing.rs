//! Where a message goes, and where its answers and the next requests are to go.

use crate::check::diff::fact::{Fact, Topic};
use crate::check::diff::places::Places;
use crate::diagnose::size;
use crate::lang::words::Words;
use crate::layers::Transport;
use crate::message::header::{elements, unfold};
use crate::message::params;
use crate::message::uri::{Uri, addr_spec, host_port};
use crate::message::{Message, typed};
use crate::session::Stored;

/// Elements of a Route that are looked at.
const MOST_ROUTES: usize = 16;

pub(super) fn facts(stored: &Stored, ends: [usize; 2], places: &Places, facts: &mut Vec<Fact>) {
    let message = stored.message();
    let start = message.start_line().of(message.raw);
    let [_, to] = ends;
    facts.push(
        Fact::new(Topic::Route, Words::label("receiver"), to.to_string())
            .shown(places.name(to))
            .stands("", start),
    );
    if let Some(transport) = stored.stamp.transport {
        let name = transport.name().to_ascii_uppercase();
        facts.push(Fact::new(Topic::Transport, Words::label("transport"), name).stands("", start));
        let bytes = size::bytes(stored);
        if transport == Transport::Udp {
            let (fits, shown) = match bytes > size::UDP_LIMIT {
                true => (
                    "-",
                    "{bytes} bytes over UDP, more than the {limit} that are safe",
                ),
                false => (
                    "+",
                    "{bytes} bytes over UDP, within the {limit} that are safe",
                ),
            };
            let shown = Words::label(shown)
                .with("bytes", bytes.to_string())
                .with("limit", size::UDP_LIMIT.to_string());
            let fact = Fact::new(Topic::Size, Words::label("size"), fits).shown(shown);
            facts.push(fact.stands("", start));
        }
    }
    routes(message, places, facts);
    request_uri(message, places, facts);
    users(message, facts);
    contact(message, places, facts);
    via(stored, places, facts);
}

fn routes(message: Message<'_>, places: &Places, facts: &mut Vec<Fact>) {
    for name in ["Route", "Record-Route", "Path", "Service-Route"] {
        let (mut values, mut shown) = (Vec::new(), Vec::new());
        for header in message.all(name).take(MOST_ROUTES) {
            let value = unfold(header.value.of(message.raw));
            for element in elements(&value) {
                let Some(uri) = Uri::parse(addr_spec(element)) else {
                    continue;
                };
                let (value, text) = places.host(uri.host);
                let kind = match uri.is_loose() {
                    true => Words::from("lr"),
                    false => Words::label("no lr"),
                };
                values.push(format!("{value};{}", uri.is_loose()));
                shown.push(Words::List(vec![text, kind], "; "));
            }
        }
        if !values.is_empty() {
            let more = values.len().saturating_sub(MOST_ROUTES);
            values.truncate(MOST_ROUTES);
            shown.truncate(MOST_ROUTES);
            let value = format!("{} {more}", values.join(" | "));
            let fact = Fact::new(Topic::Route, name, value).shown(Words::List(shown, " | "));
            facts.push(super::in_header(fact, message, name));
        }
    }
}

fn request_uri(message: Message<'_>, places: &Places, facts: &mut Vec<Fact>) {
    let Some(span) = message.request_uri() else {
        return;
    };
    let Some(uri) = Uri::parse(span.of(message.raw)) else {
        facts.push(Fact::new(
            Topic::Uri,
            "Request-URI",
            Words::label("not readable"),
        ));
        return;
    };
    let start = message.start_line().of(message.raw);
    let mut say = |what: &'static str, value: Words, shown: Words, more: i32| {
        let fact = Fact::new(Topic::Uri, Words::label(what), value).shown(shown);
        facts.push(fact.stands("Request-URI", start).weighs(more));
    };
    let scheme = crate::message::lossy(uri.scheme).to_ascii_lowercase();
    say(
        "scheme of the Request-URI",
        scheme.as_str().into(),
        scheme.as_str().into(),
        0,
    );
    let (value, shown) = places.host(uri.host);
    say("host of the Request-URI", value.into(), shown, -12);
    let user = uri.number();
    say(
        "form of the number in the Request-URI",
        shape(&user),
        with_shape(&user),
        0,
    );
    say(
        "user of the Request-URI",
        user.as_str().into(),
        user.as_str().into(),
        -34,
    );
}

fn users(message: Message<'_>, facts: &mut Vec<Fact>) {
    if !message.head.is_request() {
        return;
    }
    for name in ["From", "To", "P-Asserted-Identity", "P-Preferred-Identity"] {
        let Some(header) = message.header(name) else {
            continue;
        };
        let value = unfold(header.value.of(message.raw));
        let Some(uri) = Uri::parse(addr_spec(&value)) else {
            let fact = Fact::new(
                Topic::Uri,
                in_header("URI in {header}", name),
                Words::label("not readable"),
            );
            facts.push(super::in_header(fact, message, name));
            continue;
        };
        let user = uri.number();
        let form = Fact::new(
            Topic::Uri,
            in_header("form of the number in {header}", name),
            shape(&user),
        );
        let form = form.shown(with_shape(&user)).weighs(-8);
        facts.push(super::in_header(form, message, name));
        let user =
            Fact::new(Topic::Uri, in_header("user in {header}", name), user).weighs(match name {
                "To" => -36,
                "From" => -40,
                // Who is asserted is asked for by policies.
                _ => -37,
            });
        facts.push(super::in_header(user, message, name));
    }
}

fn in_header(what: &'static str, name: &'static str) -> Words {
    Words::label(what).with("header", name)
}

fn with_shape(user: &str) -> Words {
    Words::List(vec![user.into(), " (".into(), shape(user), ")".into()], "")
}

fn of_digits(what: &'static str, digits: usize) -> Words {
    Words::label(what).with("digits", digits.to_string())
}

// A number by what a dial plan looks at.
fn shape(user: &str) -> Words {
    let digits = user.chars().filter(char::is_ascii_digit).count();
    let only = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || "-.()".contains(c))
    };
    match user.strip_prefix('+') {
        Some(rest) if only(rest) => of_digits("+ and {digits} digits", digits),
        _ if user.is_empty() => Words::label("no user"),
        _ if user.starts_with("00") && only(user) => {
            of_digits("00 and {digits} digits", digits - 2)
        }
        _ if only(user) => of_digits("{digits} digits", digits),
        _ => Words::label("a name"),
    }
}

fn contact(message: Message<'_>, places: &Places, facts: &mut Vec<Fact>) {
    let Some(header) = message.header("Contact") else {
        return;
    };
    let value = unfold(header.value.of(message.raw));
    let Some(uri) = elements(&value)
        .next()
        .and_then(|first| Uri::parse(addr_spec(first)))
    else {
        return;
    };
    let (value, shown) = places.host(uri.host);
    let fact = Fact::new(
        Topic::Address,
        in_header("address in {header}", "Contact"),
        value,
    )
    .shown(shown);
    facts.push(super::in_header(fact, message, "Contact"));
    let transport = params::value_after(uri.params, 0, "transport");
    let transport = transport.map_or(Words::label("none"), |span| {
        let named = crate::message::lossy(span.of(uri.params));
        named.to_ascii_lowercase().into()
    });
    let what = in_header("transport in {header}", "Contact");
    let fact = Fact::new(Topic::Transport, what, transport).weighs(-14);
    facts.push(super::in_header(fact, message, "Contact"));
}

fn via(stored: &Stored, places: &Places, facts: &mut Vec<Fact>) {
    let message = stored.message();
    // Of an answer it only repeats that of the request.
    let Some(via) = typed::vias(message)
        .into_iter()
        .next()
        .filter(|_| message.head.is_request())
    else {
        return;
    };
    let (host, _) = host_port(via.sent_by.as_bytes());
    let (value, shown) = places.host(host);
    let address = Fact::new(
        Topic::Address,
        in_header("address in {header}", "Via"),
        value,
    )
    .shown(shown)
    .weighs(-6);
    facts.push(super::in_header(address, message, "Via"));
    // Where it says what the transport is, that is told already.
    let own = stored.stamp.transport.map(|transport| transport.name());
    if own.is_none_or(|own| !own.eq_ignore_ascii_case(&via.transport)) {
        let what = in_header("transport in {header}", "Via");
        let fact = Fact::new(Topic::Transport, what, via.transport).weighs(-4);
        facts.push(super::in_header(fact, message, "Via"));
    }
}
