use super::*;
use crate::input::samples::{Order, drain, pcap};
use std::io::{Cursor, Read};
use std::path::PathBuf;

/// A capture with one record of one byte at each of these seconds.
fn capture(seconds: &[u32], byte: u8) -> Vec<u8> {
    let byte = [byte];
    let records: Vec<(u32, u32, &[u8])> = seconds.iter().map(|s| (*s, 0, &byte[..])).collect();
    pcap(Order(false), 0xa1b2_c3d4, 1, &records)
}

fn merged(inputs: Inputs) -> Vec<(u16, u64)> {
    let (seen, _) = drain(inputs);
    seen.iter()
        .map(|record| (record.input, record.place))
        .collect()
}

fn from(files: Vec<Vec<u8>>) -> Inputs {
    let sources = files
        .into_iter()
        .map(|file| -> (String, Box<dyn Read + Send>) {
            ("x".to_owned(), Box::new(Cursor::new(file)))
        });
    Inputs::from_readers(sources.collect())
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sipexplain-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn records_come_by_time_and_ties_by_argument() {
    let inputs = from(vec![
        capture(&[3, 5, 9], 0),
        capture(&[1, 5, 6], 0),
        capture(&[5], 0),
    ]);
    let order = merged(inputs);
    assert_eq!(
        order,
        [(1, 1), (0, 1), (0, 2), (1, 2), (2, 1), (1, 3), (0, 3)]
    );
}

#[test]
fn undated_logs_come_last_in_the_order_of_arguments() {
    let log = b"BYE sip:a@b SIP/2.0\n\nBYE sip:c@d SIP/2.0\n\n".to_vec();
    let inputs = from(vec![log.clone(), capture(&[3], 0), log]);
    assert_eq!(merged(inputs), [(1, 1), (0, 1), (0, 3), (2, 1), (2, 3)]);
}

#[test]
fn inputs_can_be_read_on_another_thread() {
    let inputs = from(vec![capture(&[1, 2], 0)]);
    let order = std::thread::spawn(move || merged(inputs)).join().unwrap();
    assert_eq!(order.len(), 2);
}

#[test]
fn what_cannot_be_opened_does_not_stop_the_others() {
    let folder = Folder::new("open");
    folder.write("empty", b"");
    folder.write("good", &capture(&[1], 0));
    let names = ["missing", "empty", "good"].map(|name| Named::Path(folder.0.join(name)));
    let (seen, summaries) = drain(Inputs::open(&names));
    assert_eq!((seen.len(), seen[0].input), (1, 2));
    let kinds = summaries
        .iter()
        .map(|summary| summary.error.as_ref().map(|error| error.kind));
    let expected = [
        Some(InputErrorKind::Unreadable),
        Some(InputErrorKind::Empty),
        None,
    ];
    assert!(kinds.eq(expected));
}

#[test]
fn a_folder_means_the_inputs_in_it_by_name() {
    let folder = Folder::new("folder");
    folder.write("b.txt", &capture(&[1], 0));
    folder.write("a.log", b"ACK sip:a@b SIP/2.0\n\n");
    folder.write("c.png", b"\x89PNG\r\n\x1a\n");
    folder.write("README", b"nothing of interest\n");
    std::fs::create_dir(folder.0.join("sub")).unwrap();
    let inputs = Inputs::open(&[Named::Path(folder.0.clone())]);
    assert_eq!(inputs.skipped().next().unwrap().files, 2);
    let (seen, summaries) = drain(inputs);
    assert_eq!(seen.len(), 2);
    let formats: Vec<_> = summaries
        .iter()
        .map(|summary| summary.format.as_str())
        .collect();
    assert_eq!(formats, ["log:raw", "pcap"]);
    assert!(summaries.iter().all(|summary| summary.error.is_none()));
}

#[test]
fn many_inputs_are_opened_as_their_time_comes() {
    let folder = Folder::new("many");
    for n in 0..150u32 {
        folder.write(
            &format!("{n:03}"),
            &capture(&[1000 - n * 2, 1001 - n * 2], n as u8),
        );
    }
    let inputs = Inputs::open(&[Named::Path(folder.0.clone())]);
    let open = inputs
        .slots
        .iter()
        .filter(|slot| matches!(slot.state, State::Open(_)))
        .count();
    assert_eq!(open, 0);
    let (seen, summaries) = drain(inputs);
    assert_eq!(seen.len(), 300);
    assert!(seen.is_sorted_by_key(|record| record.time));
    assert!(
        summaries
            .iter()
            .all(|summary| summary.frames == 2 && summary.error.is_none())
    );
}

#[test]
fn a_pattern_stands_for_the_files_that_fit_it() {
    let folder = Folder::new("pattern");
    folder.write("trace.pcap1", &capture(&[5], 0));
    folder.write("trace.pcap0", &capture(&[9], 0));
    folder.write("other", &capture(&[1], 0));
    let inputs = Inputs::open(&[Named::Path(folder.0.join("trace.pcap[0-9]"))]);
    assert_eq!(merged(inputs), [(1, 1), (0, 1)]);
    let inputs = Inputs::open(&[Named::Path(folder.0.join("no*"))]);
    let (_, summaries) = drain(inputs);
    let error = summaries[0].error.as_ref().unwrap();
    assert_eq!(error.kind, InputErrorKind::Unreadable);
}

#[test]
fn archives_in_a_folder_with_nothing_to_read_are_counted_once() {
    let folder = Folder::new("archives");
    folder.write("a.pcap", &capture(&[5], 0));
    // An empty zip archive.
    folder.write("b.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let inputs = Inputs::open(&[Named::Path(folder.0.clone())]);
    let skipped: Vec<_> = inputs.skipped().map(|s| s.files).collect();
    assert_eq!(skipped, [1]);
    assert_eq!(merged(inputs), [(0, 1)]);
}

#[test]
fn keys_in_a_capture_do_not_change_when_its_turn_is() {
    use crate::input::samples::{block, interface, packet, section};
    let order = Order(false);
    let with_keys = |second: u64| {
        let mut file = section(order);
        let mut content = order.u32(0x544c_534b).to_vec();
        content.extend(order.u32(4));
        content.extend(b"keys");
        file.extend(block(order, 10, &content));
        file.extend(interface(order, 1, &[]));
        file.extend(packet(order, 0, second * 1_000_000, b"abc"));
        file
    };
    let (seen, _) = drain(from(vec![capture(&[3], 0), with_keys(5), with_keys(1)]));
    let frames: Vec<_> = seen
        .iter()
        .filter_map(|r| Some((r.input, r.time?)))
        .collect();
    assert_eq!(frames.iter().map(|f| f.0).collect::<Vec<_>>(), [2, 0, 1]);

    // So many that they are closed until their turn comes.
    let folder = Folder::new("keys");
    for n in 0..70u64 {
        folder.write(&format!("{n:02}.pcapng"), &with_keys(100 - n));
    }
    let (seen, _) = drain(Inputs::open(&[Named::Path(folder.0.clone())]));
    let times: Vec<_> = seen.iter().filter_map(|r| r.time).collect();
    assert_eq!((seen.len(), times.len()), (140, 70));
    assert!(times.is_sorted());
}
