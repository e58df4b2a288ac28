//! What stands in the report, and in which colour.

use super::*;

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // Longer than a pipe holds (64 KiB), so that writing goes on after the reader has gone.
    let mut args = vec!["--all", "--ladder"];
    args.extend(fixtures().iter().map(|fixture| fixture.trace.as_str()));
    for format in ["text", "json", "ndjson"] {
        let mut child = program()
            .args(&args)
            .args(["--format", format, "--fail-on", "failed"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        drop(out);
        assert!(!line.is_empty());
        let status = child.wait().unwrap();
        let mut err = String::new();
        child.stderr.unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(status.code(), Some(1), "{format}: it judges on");
        let told = err.starts_with("sipexplain: --fail-on failed: ") && err.lines().count() == 1;
        assert!(told, "{format}: {err}");
    }
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let coloured = |args: &[&str], no_color: Option<&str>| {
        let mut command = program();
        command.args(args);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        command.output().unwrap().stdout.contains(&0x1b)
    };
    for command in [
        &[REFUSED][..],
        &["code", "607"],
        &["rule", "busy"],
        &["rules"],
    ] {
        let with = |when: &'static str| [command, &["--color", when][..]].concat();
        assert!(!coloured(command, None), "{command:?} in a pipe");
        assert!(coloured(&with("always"), None), "{command:?}");
        assert!(
            coloured(&with("always"), Some("1")),
            "{command:?}: asked for"
        );
        assert!(!coloured(&with("never"), None), "{command:?}");
        assert!(!coloured(&with("auto"), Some("1")), "{command:?}");
    }
    for format in ["json", "ndjson"] {
        let args = ["--color", "always", "--format", format, REFUSED];
        assert!(!coloured(&args, None), "{format}");
    }
}

#[test]
fn nothing_but_tabs_and_line_ends_controls_the_terminal() {
    for fixture in fixtures() {
        for args in [&["--all", "--ladder"][..], &["--list"]] {
            let out = run(args.iter().chain(&[fixture.trace.as_str()])).out;
            let control = out.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{}", fixture.name);
        }
    }
}

// Inputs

#[test]
fn a_failure_reads_like_an_error_of_a_compiler() {
    let out = run([REFUSED]).out;
    for wanted in [
        "error[unwanted-607] call 1: ",
        "SIP/2.0 607 Unwanted",
        "^^^",
        "  = meaning: ",
        "  = cause (certain): ",
        "  = acts: ",
        "  = fix: ",
        "  = more: sipexplain rule unwanted-607, sipexplain code 607",
        "  = in Wireshark: sip.Call-ID == ",
        "Final responses\n  607 Unwanted ",
    ] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let out = run([FAILED]).out;
    assert!(out.contains("failed[500]"), "no rule explains it: {out}");
}

#[test]
fn every_final_response_is_in_the_text() {
    for fixture in fixtures() {
        let out = run([fixture.trace.as_str()]).out;
        let (_, table) = out.split_once("\nFinal responses\n").unwrap_or_default();
        let counts = &fixture.json()["totals"]["final_responses"];
        for (code, count) in counts.as_object().unwrap() {
            let line = table
                .lines()
                .find(|line| line.trim_start().starts_with(code));
            let mut words = line.unwrap_or_default().split_whitespace();
            let count = count.to_string();
            assert!(
                words.any(|word| word == count),
                "{}: {count} times {code} in {table:?}",
                fixture.name
            );
        }
    }
}

#[test]
fn the_list_has_a_line_for_each_call() {
    for fixture in fixtures() {
        let ran = run(["--list", &fixture.trace]);
        assert_eq!(ran.status, 0, "{}", fixture.name);
        let numbers: Vec<u64> = ran
            .out
            .lines()
            .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        let wanted: Vec<u64> = fixture.json()["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["id"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, wanted, "{}", fixture.name);
    }
}

#[test]
fn the_ladder_has_a_rung_for_each_message() {
    let frames = |out: &str| -> Vec<String> {
        let rungs = out
            .lines()
            .filter(|line| line.contains("->|") || line.contains("|<"));
        rungs
            .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
            .collect()
    };
    let out = run(["--all", "--ladder", HEALTHY]).out;
    let wanted = run(["--format", "json", HEALTHY]).json()["totals"]["messages"].clone();
    assert_eq!(frames(&out).len(), wanted, "{out}");
    assert!(out.contains("INVITE") && out.contains("ACK") && out.contains("BYE"));
    assert!(frames(&out).is_sorted_by_key(|frame| frame[1..].parse::<u64>().unwrap()));
}

#[test]
fn times_are_shown_in_the_zone_asked_for() {
    let hour = |args: &[&str]| -> u32 {
        let out = run(args.iter().chain(&["--list", REFUSED])).out;
        out.split_whitespace().nth(1).unwrap()[..2].parse().unwrap()
    };
    let utc = hour(&[]);
    let start = calls(&run(["--format", "json", REFUSED]))[0]["start"].clone();
    let said: u32 = start.as_str().unwrap()[11..13].parse().unwrap();
    assert_eq!(utc, said);
    assert_eq!(hour(&["--tz", "UTC"]), utc);
    assert_eq!(
        hour(&["--tz", "Asia/Tokyo"]),
        (utc + 9) % 24,
        "Tokyo has no summer time"
    );
    let json = |args: &[&str]| run(args.iter().chain(&["--format", "json", REFUSED])).out;
    assert_eq!(
        json(&["--tz", "Asia/Tokyo"]),
        json(&[]),
        "formats for machines are always UTC"
    );
}

// Secrets

/// What stands between `response="` and `"` in these bytes.
fn digests(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let found = text.split("response=\"").skip(1);
    found
        .filter_map(|after| Some(after.split_once('"')?.0.to_owned()))
        .collect()
}

#[test]
fn no_report_shows_a_digest_response() {
    let mut seen = 0;
    for fixture in fixtures() {
        for secret in digests(&bytes(&fixture.trace)) {
            seen += 1;
            assert!(secret.len() >= 32, "{}: {secret:?}", fixture.name);
            for args in [
                &["--all", "--ladder"][..],
                &["--list"],
                &["--format", "json"],
                &["--format", "ndjson"],
            ] {
                let out = run(args.iter().chain(&[fixture.trace.as_str()])).out;
                assert!(!out.contains(&secret), "{} {args:?}", fixture.name);
            }
        }
    }
    assert!(seen >= 5, "only {seen} digest responses in the fixtures");
}
