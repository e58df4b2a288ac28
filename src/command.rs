//! What each command does with its options. The only place that writes to standard error.

/// Recorded flows and what they have to be.
mod check;
/// A bad call against a good one.
mod diff;
/// Which reports are written, and where to.
mod outputs;
/// Settings and where they come from.
mod settings;

pub use check::check;
pub use diff::diff;
pub use settings::config;

use crate::Judged;
use crate::analyze;
use crate::cli::{Filters, LangCommand, Look, LookFormat, Main, Reading, Sources, Text, When};
use crate::diagnose::rules;
use crate::input::{Inputs, LogChoice, Named, Paths};
use crate::knowledge::own::{self, Own};
use crate::lang::{LANGS, Lang, catalogue};
use crate::layers::Keys;
use crate::report::fan::Fan;
use crate::report::reference::{self, Sheet, Style, query};
use crate::report::terminal::escape::clean;
use crate::report::terminal::palette::Palette;
use crate::report::{FORMATS, Format, Options, Output, site};
use crate::select::Selection;
use outputs::outputs;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

/// Columns where the output is no terminal.
const PIPED: usize = 120;

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0: judged, nothing asked for fell short.
    Fine,
    /// 1: judged, and what was asked for fell short.
    FellShort,
    /// 2: could not be judged.
    NotJudged,
}

// Nothing can be done if standard error is closed too.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "sipexplain: {}", clean(text));
}

/// Reads the inputs and reports on them.
pub fn main_job(mut main: Main) -> Status {
    let policy = match settings::policy(&mut main) {
        Ok(policy) => policy,
        Err(wrong) => return refuse(&wrong),
    };
    let main = &main;
    let wanted = match wanted(main) {
        Ok(wanted) => wanted,
        Err(wrong) => return refuse(&wrong),
    };
    let inputs = match inputs(main) {
        Ok(inputs) => inputs,
        Err(wrong) => return refuse(&wrong),
    };
    let keys = match keys(&main.sources.reading) {
        Ok(keys) => keys,
        Err(wrong) => return refuse(&wrong),
    };
    let (selection, filters) = selection(&main.filters);
    let mut report = match begin(wanted, &inputs.paths()) {
        Ok(report) => report,
        Err(wrong) => return refuse(&wrong),
    };
    match analyze(inputs, keys, &selection, &policy, &filters, &mut report) {
        Ok(judged) => {
            judged.suppressed.iter().for_each(|line| complain(line));
            let asked = !main.fail_on.is_empty();
            match read(&main.sources, &selection, &judged, asked) {
                Status::NotJudged => Status::NotJudged,
                status => fell_short(&judged).or(status),
            }
        }
        Err(error) => refuse(&error.to_string()),
    }
}

/// A report that was asked for: its format, where it goes, and how it looks.
struct Wanted<'a> {
    format: &'static Format,
    output: outputs::Output<'a>,
    options: Options,
}

fn wanted(main: &Main) -> Result<Vec<Wanted<'_>>, String> {
    let asked = outputs(main.format.as_deref(), &main.output)?;
    let wanted = asked.into_iter().map(|output| {
        let format = FORMATS.iter().find(|format| format.name == output.format);
        Ok(Wanted {
            format: format.ok_or_else(|| format!("no format {}", output.format))?,
            output,
            options: options(main, output.format == "text", output.path.is_none())?,
        })
    });
    wanted.collect()
}

// A report never takes the place of what it reports on.
fn begin(wanted: Vec<Wanted<'_>>, paths: &Paths) -> Result<Fan, String> {
    let inputs = files(paths);
    let reports = wanted.into_iter().map(|one| {
        let options = Options {
            paths: paths.clone(),
            ..one.options
        };
        Ok((one.format.begin)(one.output.open(&inputs)?, options))
    });
    Ok(Fan(reports.collect::<Result<_, String>>()?))
}

// The inputs as files.
fn files(paths: &Paths) -> Vec<PathBuf> {
    let inputs = (0..=u16::MAX).take(paths.count());
    inputs
        .map(|input| PathBuf::from(&*paths.of(input)))
        .collect()
}

fn inputs(main: &Main) -> Result<Inputs, String> {
    if !main.follow {
        return Ok(opened(&main.sources));
    }
    let (named, logs) = named(&main.sources);
    match named.as_slice() {
        [Named::Path(path)] if path.is_dir() => Err(format!(
            "--follow {}: a folder cannot be followed",
            path.display()
        )),
        [one] => Ok(Inputs::follow(one, main.idle, logs)),
        _ => Err("--follow takes one FILE".to_owned()),
    }
}

fn named(sources: &Sources) -> (Vec<Named>, LogChoice) {
    let named = sources.files.iter().map(Named::from).collect();
    let format = sources.reading.log_format.as_deref();
    (named, format.and_then(LogChoice::only).unwrap_or_default())
}

fn opened(sources: &Sources) -> Inputs {
    let (named, logs) = named(sources);
    Inputs::open_as(&named, logs)
}

impl Status {
    // What fell short counts more than what did not.
    fn or(self, other: Status) -> Status {
        match self {
            Status::Fine => other,
            status => status,
        }
    }
}

// Says what was not read; could the rest be judged? Where something is `asked` of the calls, a recording
// that was named and has none falls short of it, and filters that fit no call leave nothing to judge.
fn read(sources: &Sources, selection: &Selection, judged: &Judged, asked: bool) -> Status {
    for skipped in &judged.skipped {
        complain(&format!(
            "{}: files in it that are neither captures nor logs with SIP: {}",
            skipped.folder, skipped.files
        ));
    }
    judged.unread.iter().for_each(|unread| complain(unread));
    if judged.sip_messages == 0 {
        for instead in &judged.instead {
            complain(&format!("no SIP found in {instead}"));
        }
        if judged.instead.is_empty() && judged.unread.is_empty() {
            // Only folders can leave nothing to read.
            for folder in &sources.files {
                complain(&format!(
                    "no captures or logs with SIP in {}",
                    folder.display()
                ));
            }
        }
    }
    if asked {
        judged.damaged.iter().for_each(|damaged| complain(damaged));
    }
    for empty in &judged.empty {
        complain(&format!("no SIP found in {empty}"));
    }
    let read_all = judged.unread.is_empty() && judged.sip_messages > 0;
    let fits_none = judged.sip_messages > 0 && judged.selected == 0 && !selection.is_everything();
    if fits_none {
        complain("no call fits the filters");
    }
    match (asked, judged.empty.is_empty()) {
        _ if !read_all => Status::NotJudged,
        (true, _) if fits_none => Status::NotJudged,
        (true, false) => Status::FellShort,
        _ => Status::Fine,
    }
}

fn fell_short(judged: &Judged) -> Status {
    judged.short.iter().for_each(|line| complain(line));
    match judged.short.is_empty() {
        true => Status::Fine,
        false => Status::FellShort,
    }
}

/// The longest key log or private key that is read.
const LONGEST_KEYS: u64 = 256 * 1024 * 1024;

fn keys(reading: &Reading) -> Result<Keys, String> {
    let mut keys = Keys::new();
    for path in &reading.keylog {
        let text = bounded(path).map_err(|why| format!("--keylog {}: {why}", path.display()))?;
        if keys.key_log(&text) == 0 {
            complain(&format!(
                "--keylog {}: no line in it holds a key",
                path.display()
            ));
        }
    }
    for path in &reading.tls_key {
        let refused = |why: &str| format!("--tls-key {}: {why}", path.display());
        let text = bounded(path).map_err(|why| refused(&why))?;
        keys.private_key(&text).map_err(refused)?;
    }
    Ok(keys)
}

fn bounded(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_KEYS).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn options(main: &Main, is_text: bool, on_stdout: bool) -> Result<Options, String> {
    let zone = match main.tz.as_deref().unwrap_or("UTC") {
        "local" => jiff::tz::TimeZone::system(),
        // Also on a machine that has no time zone database.
        "UTC" | "utc" => jiff::tz::TimeZone::UTC,
        name => jiff::tz::TimeZone::get(name).map_err(|_| {
            format!("--tz {name}: no such time zone; UTC, local or a name such as Europe/Paris")
        })?,
    };
    own_knowledge(&main.text)?;
    Ok(Options {
        lang: language(&main.text, is_text)?,
        colour: match on_stdout {
            true => colour(main.text.color),
            false => main.text.color == When::Always,
        },
        width: if on_stdout { width() } else { PIPED },
        zone,
        // Who follows a file wants to see each call when it is over.
        all: main.all || main.follow && !main.list,
        list: main.list,
        ladder: main.ladder,
        fail_on: main.fail_on.clone(),
        paths: Paths::default(),
    })
}

fn language(text: &Text, from_locale: bool) -> Result<&'static Lang, String> {
    if let Some(tag) = &text.lang {
        let known = || {
            LANGS
                .iter()
                .map(|lang| lang.tag)
                .collect::<Vec<_>>()
                .join(", ")
        };
        return Lang::find(tag)
            .ok_or_else(|| format!("--lang {tag}: no such language; there is {}", known()));
    }
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|v| !v.is_empty());
    let asked = locale
        .filter(|_| from_locale)
        .and_then(|locale| Lang::find(&locale));
    Ok(asked.unwrap_or(Lang::english()))
}

// NO_COLOR counts where it is set and not empty (no-color.org).
fn colour(when: When) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
        }
    }
}

fn width() -> usize {
    let columns =
        terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    columns.unwrap_or(PIPED).max(40)
}

fn selection(filters: &Filters) -> (Selection, Vec<String>) {
    let selection = Selection {
        ids: filters.calls.clone(),
        call_ids: filters.call_id.clone(),
        numbers: filters.number.clone(),
        ips: filters.ip.clone(),
        methods: filters.method.clone(),
        codes: filters.code.clone(),
    };
    let mut written = Vec::new();
    let mut add = |name: &str, values: Vec<String>| {
        written.extend(values.into_iter().map(|value| format!("--{name} {value}")))
    };
    add(
        "call",
        filters.calls.iter().map(ToString::to_string).collect(),
    );
    add("call-id", filters.call_id.clone());
    add("number", filters.number.clone());
    add("ip", filters.ip.iter().map(ToString::to_string).collect());
    add("method", filters.method.clone());
    add("code", filters.code.clone());
    (selection, written)
}

/// Says why nothing could be looked up or read.
fn refuse(why: &str) -> Status {
    complain(why);
    Status::NotJudged
}

fn print(text: &str) -> Status {
    let mut out = Output::new(std::io::stdout());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Status::Fine,
        Err(error) => refuse(&error.to_string()),
    }
}

fn style(look: &Look) -> Style {
    match look.format {
        LookFormat::Text => Style::Text(Palette::new(colour(look.text.color)), width()),
        LookFormat::Markdown => Style::Markdown,
        LookFormat::Json => Style::Json,
    }
}

// The user's own entries, first those of the configuration folder, then those of the options.
fn own_knowledge(text: &Text) -> Result<(), String> {
    let mut own = Own::default();
    if let Some(path) = configured().filter(|path| path.exists()) {
        own.read(&path)?;
    }
    for path in &text.knowledge {
        own.read(path)
            .map_err(|wrong| format!("--knowledge {wrong}"))?;
    }
    own::install(own);
    Ok(())
}

// `$XDG_CONFIG_HOME` or `~/.config`, on Windows `%APPDATA%`; a relative folder does not count.
fn configured() -> Option<std::path::PathBuf> {
    let folder = |name: &str| {
        let folder = std::env::var_os(name).map(std::path::PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    let base = match cfg!(windows) {
        true => folder("APPDATA"),
        false => folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config"))),
    };
    Some(base?.join("sipexplain").join("knowledge.toml"))
}

// Machine formats do not depend on the locale.
fn language_of(look: &Look) -> Result<&'static Lang, String> {
    own_knowledge(&look.text)?;
    language(&look.text, look.format != LookFormat::Json)
}

// Writes what was found; what was not is said, and makes the status 2.
fn show(found: Vec<Result<Vec<Sheet>, String>>, look: &Look) -> Status {
    let mut status = Status::Fine;
    let mut sheets: Vec<Sheet> = Vec::new();
    for one in found {
        match one {
            Ok(some) => sheets.extend(some),
            Err(wrong) => status = refuse(&wrong),
        }
    }
    if !sheets.is_empty() && print(&reference::write(&sheets, style(look))) != Status::Fine {
        return Status::NotJudged;
    }
    status
}

/// Explains codes, classes, ranges, phrases and causes.
pub fn code(codes: &[String], method: Option<&str>, look: &Look) -> Status {
    let lang = match language_of(look) {
        Ok(lang) => lang,
        Err(wrong) => return refuse(&wrong),
    };
    let method = method.map(str::to_ascii_uppercase);
    let look_up = |wanted: &String| {
        query::find(wanted, method.as_deref(), lang).map_err(|why| format!("code {wanted}: {why}"))
    };
    show(codes.iter().map(look_up).collect(), look)
}

/// Explains methods, headers, option tags or timers.
pub fn term(kind: &str, names: &[String], look: &Look) -> Status {
    let lang = match language_of(look) {
        Ok(lang) => lang,
        Err(wrong) => return refuse(&wrong),
    };
    let look_up = |name: &String| match query::term(kind, name, lang) {
        Ok(sheet) => Ok(vec![sheet]),
        Err(why) => Err(format!("{kind} {why}")),
    };
    show(names.iter().map(look_up).collect(), look)
}

/// Sets two codes or causes side by side.
pub fn compare(a: &str, b: &str, look: &Look) -> Status {
    match language_of(look).and_then(|lang| reference::compare(a, b, lang)) {
        Ok(sheet) => show(vec![Ok(vec![sheet])], look),
        Err(wrong) => refuse(&format!("compare: {wrong}")),
    }
}

/// Explains a rule.
pub fn rule(id: &str, look: &Look) -> Status {
    match (rules::rule(id), language_of(look)) {
        (Some(rule), Ok(lang)) => show(vec![Ok(vec![reference::rule(rule, lang)])], look),
        (_, Err(wrong)) => refuse(&wrong),
        (None, _) => {
            let (_, near) = rules::nearest(id);
            refuse(&format!(
                "no rule {id}; did you mean {near}? `sipexplain rules` lists all"
            ))
        }
    }
}

/// Lists the rules.
pub fn rules(look: &Look) -> Status {
    let lang = match language_of(look) {
        Ok(lang) => lang,
        Err(wrong) => return refuse(&wrong),
    };
    let rows = reference::rules(rules::RULES, lang);
    print(&reference::list(&rows, rules::RULES, style(look)))
}

/// Writes the reference as a site, and says where its first page is.
pub fn site(folder: &std::path::Path, force: bool) -> Status {
    match site::write(folder, force) {
        Ok(page) => print(&format!("{}\n", clean(&page.to_string_lossy()))),
        Err(site::Refused::NotOurs) => refuse(&format!(
            "site {}: the folder holds something else than an earlier site; --force writes into it all the same",
            folder.display()
        )),
        Err(site::Refused::Failed(path, error)) => {
            refuse(&format!("site {}: {error}", path.display()))
        }
    }
}

/// Lists the languages, checks a translation, or prints what to begin one with.
pub fn lang(asked: &LangCommand) -> Status {
    match asked {
        LangCommand::List => print(&languages()),
        LangCommand::Template { part } => print(&catalogue::template(part.as_deref())),
        LangCommand::Check { file, part } => match std::fs::read_to_string(file) {
            Err(error) => refuse(&format!("{}: {error}", file.display())),
            Ok(text) => check_language(&text, part),
        },
    }
}

fn languages() -> String {
    let mut out = String::new();
    for lang in &LANGS {
        let parts = catalogue::coverage(lang);
        let part =
            |(name, of): (&&str, &catalogue::Coverage)| format!("{name} {}/{}", of.done, of.all);
        let parts: Vec<String> = parts.iter().map(part).collect();
        out += &format!("{}  {}: {}\n", lang.tag, lang.name, parts.join(", "));
    }
    out
}

fn check_language(text: &str, parts: &[String]) -> Status {
    let (faults, coverage) = catalogue::check(text, parts);
    let mut out: String = faults
        .iter()
        .map(|fault| format!("{}\n", clean(&fault.to_string())))
        .collect();
    for (part, of) in &coverage {
        out += &format!("{part}: {} of {} translated\n", of.done, of.all);
    }
    match (print(&out), faults.is_empty()) {
        (Status::Fine, false) => Status::FellShort,
        (status, _) => status,
    }
}
