//! Parses arguments, runs, turns the result into an exit status; nothing else.

use clap::Parser;
use sipexplain::cli::{Cli, Command};
use sipexplain::command::{self, Status};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let status = match cli.command {
        None => command::main_job(cli.main),
        Some(Command::Code {
            codes,
            method,
            look,
        }) => command::code(&codes, method.as_deref(), &look),
        Some(Command::Compare { a, b, look }) => command::compare(&a, &b, &look),
        Some(Command::Method(asked)) => command::term("method", &asked.names, &asked.look),
        Some(Command::Header(asked)) => command::term("header", &asked.names, &asked.look),
        Some(Command::Option(asked)) => command::term("option", &asked.names, &asked.look),
        Some(Command::Timer(asked)) => command::term("timer", &asked.names, &asked.look),
        Some(Command::Check(asked)) => command::check(*asked),
        Some(Command::Diff(asked)) => command::diff(*asked),
        Some(Command::Rule { id, look }) => command::rule(&id, &look),
        Some(Command::Site { folder, force }) => command::site(&folder, force),
        Some(Command::Lang(asked)) => command::lang(&asked),
        Some(Command::Config { config }) => command::config(config.as_deref()),
        Some(Command::Rules { look }) => command::rules(&look),
    };
    match status {
        Status::Fine => ExitCode::SUCCESS,
        Status::FellShort => ExitCode::from(1),
        Status::NotJudged => ExitCode::from(2),
    }
}
