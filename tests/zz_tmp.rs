#![allow(clippy::unwrap_used, clippy::panic)]
mod harness;
#[test]
fn dump() {
    let held = harness::reading::held_by_files(&["fixtures/proxy-408/trace.pcap"]);
    for shape in harness::log_writer::SHAPES {
        std::fs::write(
            format!("/tmp/la_{}.log", shape.name),
            harness::log_writer::log_of(
                shape,
                &held.messages,
                Some("203.0.113.5".parse().unwrap()),
            ),
        )
        .unwrap();
    }
}
