//! Parses arguments, runs, turns the result into an exit status; nothing else.

use clap::Parser;
use sipexplain::cli::{Cli, Command};
use sipexplain::command::{self, Status};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let status = match cli.command {
        None => command::main_job(&cli.main),
        Some(Command::Code {
            codes,
            method,
            text,
        }) => command::code(&codes, method.as_deref(), &text),
        Some(Command::Rule { id, text }) => command::rule(&id, &text),
        Some(Command::Rules { text }) => command::rules(&text),
    };
    match status {
        Status::Fine => ExitCode::SUCCESS,
        Status::FellShort => ExitCode::from(1),
        Status::NotJudged => ExitCode::from(2),
    }
}
