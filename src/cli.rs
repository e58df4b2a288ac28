//! Every option with its help text. No input or output.

use crate::lang::catalogue::PARTS;
use crate::policy::FailOn;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::IpAddr;

/// What follows the options in `--help`.
const AFTER: &str = "\
Exit status:
  0  judged, and nothing asked for fell short
  1  judged, and what --fail-on asked for fell short
  2  could not be judged: bad usage, an input that cannot be read, no SIP in all inputs together";

/// Explains recorded SIP traffic: what happened in every call, which answer ended it, why, with the proof, and what to do
#[derive(Debug, Parser)]
#[command(name = "sipexplain", version, after_help = AFTER, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// Look something up instead of reading captures.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The main job.
    #[command(flatten)]
    pub main: Main,
}

/// How inputs are read.
#[derive(Clone, Debug, Default, Args)]
pub struct Reading {
    /// Read text as a log of this format, named in docs/logs.md, instead of recognising formats line by line
    ///
    /// Only messages in envelopes of this format are read. Captures are read as ever; a text in a folder or archive that holds no such message counts as passed over.
    #[arg(long, value_name = "NAME", hide_possible_values = true, value_parser = clap::builder::PossibleValuesParser::new(crate::input::log_formats()))]
    pub log_format: Option<String>,
    /// Keys of TLS connections: a key log in the format of SSLKEYLOGFILE
    #[arg(long, value_name = "FILE", help_heading = "Encryption")]
    pub keylog: Vec<std::path::PathBuf>,
    /// Private RSA key of a server (PEM), for TLS connections with RSA key exchange
    #[arg(long, value_name = "FILE", help_heading = "Encryption")]
    pub tls_key: Vec<std::path::PathBuf>,
}

/// What is read, and how.
#[derive(Debug, Args)]
pub struct Sources {
    /// Captures (pcap, pcapng, NetMon 2, snoop) or text logs, also compressed (gzip, zstd, xz, bzip2, lz4) and in tar or zip archives; `-` is standard input, a folder means the files in it (not in folders below), and `*` `?` `[a-z]` are understood in file names
    ///
    /// Of one input at most 64 GiB are unpacked (from 1 GiB on at most 1000 times its size), of archives inside archives at most 4, of an archive at most 10000 files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<std::ffi::OsString>,
    /// How it is read.
    #[command(flatten)]
    pub reading: Reading,
}

impl Sources {
    /// The same with other files.
    pub fn with_files(&self, files: Vec<std::ffi::OsString>) -> Sources {
        Sources {
            files,
            reading: self.reading.clone(),
        }
    }
}

/// Which calls are looked at.
#[derive(Debug, Args)]
pub struct Filters {
    /// Only the call with this number (as `--list` shows it)
    #[arg(long = "call", value_name = "ID", help_heading = "Filters")]
    pub calls: Vec<u64>,
    /// Only the call with this Call-ID
    #[arg(long, value_name = "CALL-ID", help_heading = "Filters")]
    pub call_id: Vec<String>,
    /// Only calls with this number or user in From, To, Request-URI or P-Asserted-Identity
    #[arg(long, value_name = "NUMBER", help_heading = "Filters")]
    pub number: Vec<String>,
    /// Only calls that this address sent or received a message of
    #[arg(long, value_name = "ADDRESS", help_heading = "Filters")]
    pub ip: Vec<IpAddr>,
    /// Only what a request with this method began
    #[arg(long, value_name = "METHOD", help_heading = "Filters")]
    pub method: Vec<String>,
    /// Only calls with this final response; 4xx means the class
    #[arg(long, value_name = "CODE", help_heading = "Filters", value_parser = code_or_class)]
    pub code: Vec<String>,
}

/// Which rules are asked, and where that is said.
#[derive(Debug, Args)]
pub struct Asking {
    /// Ask only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = crate::policy::rule, help_heading = "Policy")]
    pub select: Vec<&'static str>,
    /// Do not ask these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = crate::policy::rule, help_heading = "Policy")]
    pub ignore: Vec<&'static str>,
    /// Settings and suppressions; otherwise the nearest sipexplain.toml in the working folder or above it (docs/policy.md)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "no_config",
        help_heading = "Policy"
    )]
    pub config: Option<std::path::PathBuf>,
    /// Look for no sipexplain.toml
    #[arg(long, help_heading = "Policy")]
    pub no_config: bool,
}

/// Options of the main job.
#[derive(Debug, Args)]
pub struct Main {
    /// What is read.
    #[command(flatten)]
    pub sources: Sources,
    /// Which calls.
    #[command(flatten)]
    pub filters: Filters,
    /// Show every call in full, not only what did not succeed
    #[arg(long, conflicts_with = "list")]
    pub all: bool,
    /// Show a line for each call
    #[arg(long)]
    pub list: bool,
    /// Draw the messages of every call shown, with frame and delay
    #[arg(long, conflicts_with = "list")]
    pub ladder: bool,
    /// Keep reading one FILE that grows, or standard input, and report each call once it is over
    #[arg(long)]
    pub follow: bool,
    /// Stop following a file that has not grown for so long
    #[arg(long, value_name = "SECONDS", requires = "follow", value_parser = seconds)]
    pub idle: Option<std::time::Duration>,
    /// What makes the exit status 1: `failed` (a call failed, timed out or was redirected to nowhere), `error` or `warning` (a finding of this severity), the id of a rule, a code (486, 4xx)
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = FailOn::parse, help_heading = "Policy")]
    pub fail_on: Vec<FailOn>,
    /// Which rules are asked.
    #[command(flatten)]
    pub asking: Asking,
    /// Not all recordings are read that sipexplain.toml is for: a suppression that holds for nothing in these is not told
    #[arg(long, help_heading = "Policy")]
    pub part: bool,
    /// How the report on standard output is written; text where nothing else is asked for
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(crate::report::FORMATS.iter().map(|format| format.name)))]
    pub format: Option<String>,
    /// Write a further report, in this format, to a file; `-` is standard output, in place of --format
    #[arg(long, value_name = "FORMAT=PATH", value_parser = further)]
    pub output: Vec<Further>,
    /// Options of everything that writes text.
    #[command(flatten)]
    pub text: Text,
    /// Time zone of the times shown: UTC (where nothing else is asked for), local, or a name such as Europe/Paris
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
}

/// A report beside the one on standard output, or in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Further {
    /// Its format.
    pub format: &'static str,
    /// Where it goes; `-` is standard output.
    pub path: std::path::PathBuf,
}

impl Further {
    /// Does it go to standard output?
    pub fn is_stdout(&self) -> bool {
        self.path == std::path::Path::new("-")
    }
}

/// Options of everything that writes text.
#[derive(Debug, Args, Clone)]
pub struct Text {
    /// Colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: When,
    /// Language of the sentences (BCP 47); for text LC_ALL and LANG are asked as well
    #[arg(long, value_name = "TAG", global = true)]
    pub lang: Option<String>,
    /// Add entries of your own to the knowledge of codes, phrases, carriers and servers (docs/knowledge.md); they count more than those of sipexplain/knowledge.toml in the configuration folder
    #[arg(long, value_name = "FILE", global = true)]
    pub knowledge: Vec<std::path::PathBuf>,
}

/// Names to look up.
#[derive(Debug, Args)]
pub struct Names {
    /// What to look up.
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// How the pages look.
    #[command(flatten)]
    pub look: Look,
}

/// How pages of the reference look.
#[derive(Debug, Args)]
pub struct Look {
    /// How the pages are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: LookFormat,
    /// Options of everything that writes text.
    #[command(flatten)]
    pub text: Text,
}

/// Formats of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LookFormat {
    /// For a terminal.
    Text,
    /// Markdown.
    Markdown,
    /// An array of pages.
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// If the output is a terminal and NO_COLOR is not set.
    Auto,
    /// Also into a pipe.
    Always,
    /// Not at all.
    Never,
}

/// What can be looked up.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain response codes: 607, a class (4xx), a range (480-489), words of a phrase ("not acceptable"); also causes (q850:34), warnings (warning:304), STIR reasons (stir:438) and protocols of Reason (reason:Q.850)
    Code {
        /// What to look up.
        #[arg(value_name = "CODE", required = true)]
        codes: Vec<String>,
        /// Explain it for this method
        #[arg(long, value_name = "METHOD")]
        method: Option<String>,
        /// How the pages look.
        #[command(flatten)]
        look: Look,
    },
    /// Set two response codes side by side, or two causes, warnings, methods, ...
    Compare {
        /// One of them: 200, q850:17, method:INFO.
        #[arg(value_name = "CODE")]
        a: String,
        /// The other one.
        #[arg(value_name = "CODE")]
        b: String,
        /// How the pages look.
        #[command(flatten)]
        look: Look,
    },
    /// Explain a request method
    Method(Names),
    /// Explain a header, also by its compact form
    Header(Names),
    /// Explain an option tag
    Option(Names),
    /// Explain a timer
    Timer(Names),
    /// Compare recorded call flows with what they have to be
    ///
    /// Every FILE that ends in .toml is a file of expectations (docs/expectations.md): which calls there have to be, and how they have to go. With --golden each call is compared with a file of a folder instead: who sent what to whom, message by message, without what differs in every run. Exit status 1 if something is not as it has to be.
    Check(Box<Check>),
    /// Compare a call that failed with one that did not, and say which difference explains it
    ///
    /// Of the file with the bad call the one that went most wrong is taken, of the other one the call most like it that succeeded: same method, same To and From where there is one. With one FILE both are in it. Exit status 1 if they differ in what matters.
    Diff(Box<Diff>),
    /// Explain a diagnosis rule
    Rule {
        /// Its id, as `sipexplain rules` lists it.
        #[arg(value_name = "ID")]
        id: String,
        /// How the pages look.
        #[command(flatten)]
        look: Look,
    },
    /// Write the whole reference as a static site that needs no network: open DIR/index.html
    Site {
        /// The folder, made where it does not exist.
        #[arg(value_name = "DIR")]
        folder: std::path::PathBuf,
        /// Also into a folder that holds something else than an earlier site
        #[arg(long)]
        force: bool,
    },
    /// Languages: how much of the texts each has, what a translation lacks, and what to begin one with
    #[command(subcommand)]
    Lang(LangCommand),
    /// Show which settings are in force and where they come from
    Config {
        /// This file, not the nearest sipexplain.toml
        #[arg(long, value_name = "FILE")]
        config: Option<std::path::PathBuf>,
    },
    /// List the diagnosis rules: id, severity, frequency, title
    Rules {
        /// How the pages look.
        #[command(flatten)]
        look: Look,
    },
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The folder of the golden files, one for each call
    #[arg(long, value_name = "DIR")]
    pub golden: Option<std::path::PathBuf>,
    /// Accept the calls as they are now: write the golden files
    #[arg(long, requires = "golden")]
    pub bless: bool,
    /// Every golden file needs its recording: one whose capture or log was not read differs
    #[arg(long, requires = "golden")]
    pub complete: bool,
    /// Print a first file of expectations, which these captures fulfil
    #[arg(long, conflicts_with = "golden")]
    pub init: bool,
    /// How the verdicts on standard output are written; text where nothing else is asked for
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["init", "bless"], value_parser = clap::builder::PossibleValuesParser::new(crate::check::formats()))]
    pub format: Option<String>,
    /// Write the verdicts in this format to a file as well; `-` is standard output, in place of --format
    #[arg(long, value_name = "FORMAT=PATH", conflicts_with_all = ["init", "bless"], value_parser = verdicts)]
    pub output: Vec<Further>,
    /// Which rules are asked.
    #[command(flatten)]
    pub asking: Asking,
    /// What is read.
    #[command(flatten)]
    pub sources: Sources,
    /// Which calls.
    #[command(flatten)]
    pub filters: Filters,
    /// Options of everything that writes text.
    #[command(flatten)]
    pub text: Text,
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The file with the good call and the file with the bad call, or one with both
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    pub files: Vec<std::ffi::OsString>,
    /// The good call, by its number (as `--list` shows it)
    #[arg(long, value_name = "NUMBER")]
    pub good: Option<u64>,
    /// The bad call, by its number
    #[arg(long, value_name = "NUMBER")]
    pub bad: Option<u64>,
    /// How the differences are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DiffFormat,
    /// Which rules are asked.
    #[command(flatten)]
    pub asking: Asking,
    /// How they are read.
    #[command(flatten)]
    pub reading: Reading,
    /// Options of everything that writes text.
    #[command(flatten)]
    pub text: Text,
}

/// Formats of `diff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For a terminal.
    Text,
    /// One document, see docs/diff.md.
    Json,
}

/// What can be done about languages.
#[derive(Debug, Subcommand)]
pub enum LangCommand {
    /// List the languages and how much of each part they have
    List,
    /// Compare a translation with the English texts: what is missing, unknown, or has other placeholders
    Check {
        /// The TOML file of the translation.
        #[arg(value_name = "FILE")]
        file: std::path::PathBuf,
        /// Look only at these parts: codes, causes, terms, labels, rules
        #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = PARTS)]
        part: Vec<String>,
    },
    /// Print the English texts as a file to begin a translation with
    Template {
        /// Only one part: codes, causes, terms, labels or rules
        #[arg(long, value_name = "PART", value_parser = PARTS)]
        part: Option<String>,
    },
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "no number of seconds")?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn further(text: &str) -> Result<Further, String> {
    let known = crate::report::FORMATS.iter().map(|known| known.name);
    one_of(text, &known.collect::<Vec<_>>())
}

fn verdicts(text: &str) -> Result<Further, String> {
    one_of(text, &crate::check::formats())
}

fn one_of(text: &str, names: &[&'static str]) -> Result<Further, String> {
    let (name, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or("a format and where it goes, as in junit=report.xml")?;
    let format = names.iter().find(|known| **known == name);
    let format =
        format.ok_or_else(|| format!("no format {name}; there is {}", names.join(", ")))?;
    let path = path.into();
    Ok(Further { format, path })
}

// A code, or a class in the spelling that the selection knows.
fn code_or_class(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    match text.as_bytes() {
        [b'1'..=b'9', rest @ ..]
            if rest == b"xx" || rest.len() == 2 && rest.iter().all(u8::is_ascii_digit) =>
        {
            Ok(text)
        }
        _ => Err("a code has three digits, a class is written 4xx".to_owned()),
    }
}
