//! What the answer that decided a call says beside its code: Reason, Warning, Retry-After, decoded, and
//! the header that goes with the code.

use super::finding::{Args, Value};
use crate::knowledge;
use crate::message::typed;
use crate::session::Stored;

/// One decoded header of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Name of the header.
    pub header: &'static str,
    /// Its element as received.
    pub said: Value,
    /// What it means; nothing where the table does not know.
    pub means: Option<Value>,
}

/// Decodes the headers of an answer that say more than its code.
pub fn of(answer: &Stored) -> Vec<Detail> {
    let message = answer.message();
    let mut all = Vec::new();
    for reason in typed::reasons(message).into_iter().take(8) {
        let cause = reason.cause;
        let named = cause.and_then(
            |cause| match reason.protocol.to_ascii_uppercase().as_str() {
                "SIP" => knowledge::code(u16::try_from(cause).ok()?)
                    .map(|code| code.title.clone().into()),
                other => knowledge::cause(other, cause).map(sentence),
            },
        );
        all.push(Detail {
            header: "Reason",
            said: spoken(&reason),
            means: named,
        });
    }
    for warning in typed::warnings(message).into_iter().take(8) {
        let means = knowledge::cause("warning", warning.code.into()).map(sentence);
        all.push(Detail {
            header: "Warning",
            said: format!("{} {} \"{}\"", warning.code, warning.agent, warning.text).into(),
            means,
        });
    }
    if let Some(seconds) = typed::retry_after(message) {
        let args = Args::new().text("seconds", seconds.to_string());
        let means = ("do not ask this server again for {seconds} seconds", args);
        all.push(Detail {
            header: "Retry-After",
            said: seconds.to_string().into(),
            means: Some(means.into()),
        });
    }
    if let Some(name) = answer.head.code().and_then(telling) {
        let value = message.text(name).filter(|value| !value.is_empty());
        all.extend(value.map(|said| Detail {
            header: name,
            said: said.chars().take(LONGEST).collect::<String>().into(),
            means: None,
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

/// `Q.850 cause 16 "NORMAL_CLEARING"`, as a Reason header has it.
pub fn spoken(reason: &typed::Reason) -> Value {
    let text = |text: &String| format!(" \"{text}\"");
    let text = reason.text.as_ref().map(text).unwrap_or_default();
    let Some(cause) = reason.cause else {
        return format!("{}{text}", reason.protocol).into();
    };
    let args = Args::new()
        .text("protocol", reason.protocol.clone())
        .text("cause", cause.to_string())
        .text("text", text);
    ("{protocol} cause {cause}{text}", args).into()
}

fn sentence(cause: &'static knowledge::Cause) -> Value {
    match cause.hint.is_empty() {
        true => Value::Name(cause),
        false => {
            let args = Args::new()
                .with("name", Value::Name(cause))
                .with("hint", Value::Hint(cause));
            ("{name}: {hint}", args).into()
        }
    }
}
