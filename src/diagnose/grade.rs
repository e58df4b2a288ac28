//! How bad and how sure a finding is, what it is to the outcome, and who has to act.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The call fails.
    Error,
    /// Something is wrong and may make calls fail.
    Warning,
    /// Worth knowing; nothing is broken.
    Info,
}

impl Severity {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The trace proves it.
    Certain,
    /// The trace shows what it nearly always means.
    Likely,
    /// The trace allows it.
    Possible,
}

impl Confidence {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Certain => "certain",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        }
    }
}

/// What a finding is to the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It decided the outcome; at most one finding of a call.
    Cause,
    /// It made it more likely, or shows the trace in a certain light.
    Contributing,
    /// It follows from the cause.
    Symptom,
}

impl Role {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Role::Cause => "cause",
            Role::Contributing => "contributing",
            Role::Symptom => "symptom",
        }
    }
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acts {
    /// Whoever runs the calling side.
    Caller,
    /// Whoever runs the called side.
    Callee,
    /// Whoever runs the proxy.
    Proxy,
    /// Whoever runs the registrar.
    Registrar,
    /// The carrier.
    Carrier,
    /// Whoever runs the network between two addresses.
    Network,
    /// Whoever records.
    Capture,
    /// Whoever runs the system that is looked at.
    Operator,
    /// Nobody: this is how it should be.
    Nobody,
}

impl Acts {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Acts::Caller => "caller",
            Acts::Callee => "callee",
            Acts::Proxy => "proxy",
            Acts::Registrar => "registrar",
            Acts::Carrier => "carrier",
            Acts::Network => "network",
            Acts::Capture => "capture",
            Acts::Operator => "operator",
            Acts::Nobody => "nobody",
        }
    }
}
