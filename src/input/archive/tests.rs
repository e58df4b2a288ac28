use super::super::samples::{Order, Seen, drain, pcap, reasons};
use super::super::{InputSummary, Inputs, Named};
use std::io::{Cursor, Write};

/// A capture with a record at each of these seconds.
fn capture(seconds: &[u32]) -> Vec<u8> {
    let records: Vec<(u32, u32, &[u8])> = seconds.iter().map(|s| (*s, 0, &b"frame"[..])).collect();
    pcap(Order(false), 0xa1b2_c3d4, 1, &records)
}

fn header(name: &str, kind: u8, size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = header("folder/", b'5', 0);
    for (name, content) in files {
        archive.extend(header(name, b'0', content.len()));
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend([0; 1024]);
    archive
}

/// How an entry of a zip archive is written.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Stored,
    Deflated,
    /// With a descriptor behind the data; with its mark or without, of wide sizes or not.
    Streamed {
        mark: bool,
        wide: bool,
    },
    Encrypted,
}

fn zip(files: &[(&str, &[u8])], way: Way) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(content).unwrap();
        let deflated = encoder.finish().unwrap();
        let stored = matches!(way, Way::Stored | Way::Encrypted);
        let data = if stored { content.to_vec() } else { deflated };
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let streamed = matches!(way, Way::Streamed { .. });
        let flags = u16::from(way == Way::Encrypted) | if streamed { 8 } else { 0 };
        archive.extend(b"PK\x03\x04\x14\0");
        archive.extend(flags.to_le_bytes());
        archive.extend(if stored { [0, 0] } else { [8, 0] });
        archive.extend([0; 4]);
        let fields = [crc.sum(), data.len() as u32, content.len() as u32];
        for field in fields {
            archive.extend(if streamed { 0 } else { field }.to_le_bytes());
        }
        archive.extend((name.len() as u16).to_le_bytes());
        archive.extend([0, 0]);
        archive.extend(name.as_bytes());
        archive.extend(&data);
        if let Way::Streamed { mark, wide } = way {
            archive.extend(if mark { &b"PK\x07\x08"[..] } else { b"" });
            archive.extend(fields[0].to_le_bytes());
            for size in &fields[1..] {
                archive.extend(size.to_le_bytes());
                archive.extend(vec![0; if wide { 4 } else { 0 }]);
            }
        }
    }
    archive.extend(b"PK\x01\x02");
    archive.extend([0; 42]);
    archive
}

const WAYS: [Way; 6] = [
    Way::Stored,
    Way::Deflated,
    Way::Streamed {
        mark: true,
        wide: false,
    },
    Way::Streamed {
        mark: false,
        wide: false,
    },
    Way::Streamed {
        mark: true,
        wide: true,
    },
    Way::Streamed {
        mark: false,
        wide: true,
    },
];

fn stream(archive: Vec<u8>) -> Inputs {
    Inputs::from_readers(vec![("x".into(), Box::new(Cursor::new(archive)))])
}

struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> Self {
        let name = format!("sipexplain-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn inputs(&self) -> Inputs {
        Inputs::open(&[Named::Path(self.0.clone())])
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn seconds(seen: &[Seen]) -> Vec<(u16, i64)> {
    let brief = seen
        .iter()
        .map(|r| (r.input, r.time.unwrap() / 1_000_000_000));
    brief.collect()
}

fn names(summaries: &[InputSummary]) -> Vec<&str> {
    let ends = summaries
        .iter()
        .map(|s| s.path.split_once('!').map_or("", |(_, name)| name));
    ends.collect()
}

#[test]
fn files_of_an_archive_are_inputs_and_others_are_counted() {
    let (early, late) = (capture(&[1, 2]), capture(&[3]));
    let files = [
        ("late.pcap", &late[..]),
        ("notes.txt", b"none"),
        ("a/early.pcap", &early),
    ];
    let mut archives = vec![tar(&files)];
    archives.extend(WAYS.map(|way| zip(&files, way)));
    for archive in archives {
        let mut inputs = stream(archive.clone());
        let mut seen = 0;
        while inputs.next().is_some() {
            seen += 1;
        }
        assert_eq!(seen, 3);
        assert_eq!(inputs.skipped().map(|s| s.files).collect::<Vec<_>>(), [1]);
        let (seen, summaries) = drain(stream(archive.clone()));
        assert_eq!(names(&summaries), ["late.pcap", "a/early.pcap"]);
        assert_eq!(
            seconds(&seen),
            [(0, 3), (1, 1), (1, 2)],
            "a stream: as they lie"
        );
        assert!(
            summaries
                .iter()
                .all(|s| s.damage.is_empty() && s.error.is_none())
        );

        let file = File::new("members", &archive);
        let (seen, summaries) = drain(file.inputs());
        assert_eq!(seconds(&seen), [(1, 1), (1, 2), (0, 3)], "a file: by time");
        assert_eq!(names(&summaries), ["late.pcap", "a/early.pcap"]);
        assert_eq!(summaries[1].frames, 2);
    }
}

#[test]
fn members_that_overlap_are_merged_also_when_there_are_many() {
    let captures: Vec<Vec<u8>> = (0..20).map(|n| capture(&[n, 100 + n])).collect();
    let names: Vec<String> = (0..20).map(|n| format!("{n}.pcap")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&captures)
        .map(|(n, c)| (n.as_str(), &c[..]))
        .collect();
    let file = File::new("sixteen", &tar(&files[..16]));
    let (seen, _) = drain(file.inputs());
    let expected: Vec<(u16, i64)> = (0..16)
        .map(|n| (n, n.into()))
        .chain((0..16).map(|n| (n, 100 + i64::from(n))))
        .collect();
    assert_eq!(seconds(&seen), expected);

    let file = File::new("twenty", &zip(&files, Way::Deflated));
    let (seen, summaries) = drain(file.inputs());
    assert_eq!(seen.len(), 40, "late, but all of them");
    let late = |s: &&InputSummary| reasons(s) == ["archive-overlap"];
    assert_eq!(summaries.iter().filter(late).count(), 4);
}

#[test]
fn archives_are_read_inside_archives_four_deep() {
    let one = capture(&[1]);
    let inner = tar(&[("one.pcap", &one)]);
    let two = zip(
        &[("in.tar", &inner), ("two.pcap", &one)],
        Way::Streamed {
            mark: true,
            wide: false,
        },
    );
    let three = tar(&[("in.zip", &two), ("three.pcap", &one)]);
    let four = zip(&[("in.tar", &three)], Way::Stored);
    for archive in [&four, &zip(&[("x.tar", &three)], Way::Deflated)] {
        let (seen, summaries) = drain(stream(archive.clone()));
        assert_eq!(seen.len(), 3);
        let deepest = summaries[0].path.rsplit_once('!').map(|(_, name)| name);
        assert_eq!(deepest, Some("one.pcap"));
    }
    let (seen, summaries) = drain(stream(tar(&[("in.zip", &four)])));
    assert_eq!(seen.len(), 2, "what is not too deep is read");
    let error = summaries.iter().find_map(|s| s.error.as_ref()).unwrap();
    assert!(error.reason.contains("four deep"), "{error}");
}

#[test]
fn an_archive_without_anything_to_read_is_an_error() {
    for archive in [tar(&[("a", b"b")]), zip(&[("a", b"b")], Way::Stored)] {
        let (seen, summaries) = drain(stream(archive));
        let error = summaries[0].error.as_ref().unwrap();
        assert_eq!((seen.len(), summaries.len()), (0, 1));
        assert!(
            error
                .reason
                .ends_with("of 1 files, none of them a capture or a log with SIP")
        );
    }
}

#[test]
fn what_is_encrypted_is_said_and_the_rest_is_read() {
    let one = capture(&[1]);
    let mut archive = zip(&[("secret.pcap", &one)], Way::Encrypted);
    archive.truncate(archive.len() - 46);
    archive.extend(zip(&[("open.pcap", &one)], Way::Deflated));
    let (seen, summaries) = drain(stream(archive));
    assert_eq!(seen.len(), 1);
    assert_eq!(
        summaries[0].error.as_ref().unwrap().reason,
        "encrypted, and not read"
    );
}

#[test]
fn every_cut_keeps_what_is_whole_and_says_so() {
    let one = capture(&[1, 2]);
    let files = [("1.pcap", &one[..]), ("2.pcap", &one)];
    let mut archives = vec![tar(&files)];
    archives.extend(WAYS.map(|way| zip(&files, way)));
    for archive in archives {
        for end in 1..archive.len() {
            let (seen, summaries) = drain(stream(archive[..end].to_vec()));
            let said = summaries
                .iter()
                .any(|s| s.error.is_some() || !s.damage.is_empty());
            assert!(
                seen.len() == 4 || said || archive[257..].starts_with(b"ustar"),
                "{end}"
            );
            // A tar archive may end without its end mark, so only a cut inside a file shows.
            assert!(seen.len() <= 4);
        }
    }
}

#[test]
fn a_wrong_checksum_is_noticed() {
    for way in [Way::Stored, Way::Deflated, WAYS[2]] {
        let one = capture(&[1, 2]);
        let mut archive = zip(&[("1.pcap", &one)], way);
        let at = match way {
            Way::Streamed { .. } => archive.len() - 46 - 12,
            _ => 14,
        };
        archive[at] ^= 1;
        let (seen, summaries) = drain(stream(archive));
        assert_eq!(seen.len(), 2);
        assert_eq!(reasons(&summaries[0]), ["zip-checksum"]);
    }
}

#[test]
fn too_many_files_end_the_reading() {
    let mut files: Vec<(&str, &[u8])> = vec![("x", b""); 10_001];
    let one = capture(&[1]);
    files[0].1 = &one;
    let (seen, summaries) = drain(stream(tar(&files)));
    assert_eq!(seen.len(), 1);
    assert_eq!(reasons(&summaries[0]), ["archive-limit"]);
}

#[test]
fn long_names_come_from_extended_headers() {
    let one = capture(&[1]);
    for (kind, content) in [
        (b'L', format!("{}/gnu.pcap\0", "d".repeat(200))),
        (b'x', format!("219 path={}/pax.pcap\n", "d".repeat(200))),
    ] {
        let mut archive = header("@long", kind, content.len());
        archive.extend(content.as_bytes());
        archive.resize(1024, 0);
        archive.extend(tar(&[("short", &one)]).split_off(512));
        let (_, summaries) = drain(stream(archive));
        assert!(
            summaries[0].path.ends_with(".pcap"),
            "{}",
            summaries[0].path
        );
        assert!(summaries[0].path.len() > 200);
    }
}

#[test]
fn mutated_archives_are_read_to_an_end() {
    let one = capture(&[1, 2]);
    let inner = zip(&[("in.pcap", &one)], Way::Deflated);
    let files = [("1.pcap", &one[..]), ("2.zip", &inner), ("3.txt", b"text")];
    let mut random = crate::input::hostile::Random(5);
    let mut samples = vec![tar(&files)];
    samples.extend(WAYS.map(|way| zip(&files, way)));
    for _ in 0..600 {
        for sample in &samples {
            drain(stream(random.mutate(sample)));
        }
    }
}
