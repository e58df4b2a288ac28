//! What the answer that decided a call says beside its code: Reason, Warning, Retry-After, decoded.

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
    all
}

fn sentence(cause: &knowledge::Cause) -> String {
    match cause.hint.as_str() {
        "" => cause.name.clone(),
        hint => format!("{}: {hint}", cause.name),
    }
}
