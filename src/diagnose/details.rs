//! What the answer that decided a call says beside its code: Reason, Warning, Retry-After, decoded, and
//! the header that goes with the code.

use crate::knowledge;
use crate::message::typed;
use crate::session::Stored;

/// One decoded header of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Name of the header.
    pub header: &'static str,
    /// Its element as received.
    pub said: String,
    /// What it means, in English; empty where the table does not know.
    pub means: String,
}

/// Decodes the headers of an answer that say more than its code.
pub fn of(answer: &Stored) -> Vec<Detail> {
    let message = answer.message();
    let mut all = Vec::new();
    for reason in typed::reasons(message).into_iter().take(8) {
        let cause = reason.cause;
        let named = cause.and_then(
            |cause| match reason.protocol.to_ascii_uppercase().as_str() {
                "SIP" => knowledge::code(u16::try_from(cause).ok()?).map(|code| code.title.clone()),
                other => knowledge::cause(other, cause).map(sentence),
            },
        );
        let cause = cause.map_or_else(String::new, |cause| format!(" cause {cause}"));
        let text = reason
            .text
            .map_or_else(String::new, |text| format!(" \"{text}\""));
        all.push(Detail {
            header: "Reason",
            said: format!("{}{cause}{text}", reason.protocol),
            means: named.unwrap_or_default(),
        });
    }
    for warning in typed::warnings(message).into_iter().take(8) {
        let means = knowledge::cause("warning", warning.code.into())
            .map(sentence)
            .unwrap_or_default();
        all.push(Detail {
            header: "Warning",
            said: format!("{} {} \"{}\"", warning.code, warning.agent, warning.text),
            means,
        });
    }
    if let Some(seconds) = typed::retry_after(message) {
        let means = format!("do not ask this server again for {seconds} seconds");
        all.push(Detail {
            header: "Retry-After",
            said: seconds.to_string(),
            means,
        });
    }
    if let Some(name) = answer.head.code().and_then(telling) {
        let value = message.text(name).filter(|value| !value.is_empty());
        all.extend(value.map(|said| Detail {
            header: name,
            said: said.chars().take(LONGEST).collect(),
            means: String::new(),
        }));
    }
    all
}

/// Characters shown of a header.
const LONGEST: usize = 200;

// The header that says what the code is about (RFC 3261 §21.4, RFC 3329 §2.2, RFC 4028 §6).
fn telling(code: u16) -> Option<&'static str> {
    match code {
        405 => Some("Allow"),
        406 | 415 => Some("Accept"),
        420 => Some("Unsupported"),
        421 => Some("Require"),
        422 => Some("Min-SE"),
        423 => Some("Min-Expires"),
        494 => Some("Security-Server"),
        _ => None,
    }
}

fn sentence(cause: &knowledge::Cause) -> String {
    match cause.hint.as_str() {
        "" => cause.name.clone(),
        hint => format!("{}: {hint}", cause.name),
    }
}
