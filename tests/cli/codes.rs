//! Codes, causes and terms.

use super::*;

#[test]
fn a_code_that_is_no_code_is_a_suggestion_and_status_2() {
    for (args, said) in [
        (["code", "999"], "from 100 to 699"),
        (["code", "701"], "pjsip"),
        (["code", "700"], "did you mean 600"),
        (["code", "99"], "from 100 to 699"),
        (["code", "abc"], "sipexplain code 607"),
        (["code", "-1"], "-1"),
        (["code", "q850:999"], "q850"),
        (["code", "isup:1"], "stir"),
        (
            ["code", "not aceptable"],
            "did you mean 406 Not Acceptable?",
        ),
        (["code", "690-699"], "no registered code"),
        (["method", "INVTE"], "did you mean INVITE?"),
        (["option", "100rell"], "did you mean 100rel?"),
        (["rule", "nope"], "`sipexplain rules` lists all"),
        (["rule", "bussy"], "did you mean busy?"),
        (["rule", "auth-wrong-credential"], "auth-wrong-credentials"),
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}

#[test]
fn codes_are_found_by_class_range_and_phrase_and_terms_by_name() {
    let titles = |args: &[&str]| -> Vec<String> {
        let ran = run(args.iter().chain(&["--format", "json"]));
        assert_fine(&ran);
        let pages = ran.json();
        let title = |page: &serde_json::Value| page["title"].as_str().unwrap().to_owned();
        pages.as_array().unwrap().iter().map(title).collect()
    };
    assert_eq!(titles(&["code", "6xx"]), ["SIP 6xx global failure"]);
    let class = run(["code", "6xx"]).out;
    for code in [
        "600  ", "603  ", "604  ", "606  ", "607  ", "608  ", "687  ",
    ] {
        assert!(class.contains(code), "{code}: {class}");
    }
    assert_eq!(titles(&["code", "486-488"]).len(), 3);
    assert_eq!(
        titles(&["code", "not acceptable"]),
        [
            "SIP 406 Not Acceptable",
            "SIP 606 Not Acceptable",
            "SIP 488 Not Acceptable Here"
        ]
    );
    assert_eq!(titles(&["code", "607", "q850:21"]).len(), 2);
    assert_eq!(titles(&["code", "user not found"]), ["SIP 404 Not Found"]);
    assert_eq!(titles(&["code", "release_cause:2"]).len(), 1);
    assert_eq!(titles(&["code", "reason:q.850"]), ["Q.850"]);
    assert_eq!(
        titles(&["header", "v", "Retry-After"]),
        ["Via", "Retry-After"]
    );
    assert_eq!(titles(&["timer", "b"]), ["B"]);
    assert_eq!(titles(&["option", "timer"]), ["timer"]);
}

#[test]
fn any_two_are_compared() {
    for (a, b, said) in [
        (
            "200",
            "607",
            "They are of different classes: 200 is success, 607 is global failure.",
        ),
        ("486", "480", "What sets them apart is who decides"),
        (
            "busy here",
            "600",
            "They are of different classes: 486 is client failure, 600 is global failure.",
        ),
        ("607", "607", "Both are the same code."),
        (
            "607",
            "677",
            "677 is not registered; its class is global failure.",
        ),
        ("q850:17", "q850:19", "Q.850 17 User busy and Q.850 19"),
        ("method:INFO", "method:MESSAGE", "INFO and MESSAGE"),
    ] {
        let ran = run(["compare", a, b]);
        assert_fine(&ran);
        assert!(ran.out.contains(said), "{a} {b}: {}", ran.out);
        assert!(!ran.out.contains(['{', '}']), "{}", ran.out);
    }
    let markdown = run(["compare", "200", "607", "--format", "markdown"]);
    assert!(
        markdown
            .out
            .contains("| Class | 2xx, success | 6xx, global failure |"),
        "{}",
        markdown.out
    );
    assert_eq!(run(["compare", "200", "4xx"]).status, 2);
}

#[test]
fn an_unregistered_code_shows_its_class_and_near_ones() {
    let ran = run(["code", "677"]);
    assert_fine(&ran);
    for said in ["677", "not registered", "global failure", "607"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    for code in (100..700).step_by(7) {
        assert_fine(&run(["code", &code.to_string()]));
    }
}

#[test]
fn several_codes_and_causes_in_one_go() {
    let ran = run(["code", "200", "q850:34", "warning:304", "stir:438"]);
    assert_fine(&ran);
    for head in ["SIP 200 OK", "Q.850 34 ", "warning 304 ", "STIR 438 "] {
        assert!(ran.out.lines().any(|line| line.starts_with(head)), "{head}");
    }
    let ran = run(["code", "200", "nonsense", "607"]);
    assert_eq!(ran.status, 2);
    assert!(ran.out.contains("SIP 200 OK") && ran.out.contains("SIP 607 Unwanted"));
}

#[test]
fn the_method_chooses_the_text_of_a_code() {
    let plain = run(["code", "404"]).out;
    let register = run(["code", "404", "--method", "register"]);
    assert_fine(&register);
    assert_ne!(plain, register.out);
}

// Streams and colour
