use super::*;
use std::io::{Cursor, Write};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

fn bzip2(data: &[u8]) -> Vec<u8> {
    let level = ::bzip2::Compression::fast();
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), level);
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn lz4(data: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new()
        .content_checksum(true)
        .block_size(lz4_flex::frame::BlockSize::Max64KB);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// "one two\n", by xz 5.4.
const XZ: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
    0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x07, 0x6f, 0x6e, 0x65, 0x20, 0x74,
    0x77, 0x6f, 0x0a, 0x00, 0xeb, 0x51, 0xe7, 0xb4, 0x34, 0x57, 0xf9, 0x6d, 0x00, 0x01, 0x20, 0x08,
    0xbb, 0x19, 0xd9, 0xbb, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
];

fn read_all(packed: Vec<u8>) -> (Vec<u8>, Option<&'static str>, Option<&'static str>) {
    let (buffer, name) = unpack(Box::new(Cursor::new(packed)), PEEK, &Meter::default());
    let mut whole = Buffer::new(buffer.into_source(), 4096);
    whole.fill(1 << 22);
    let reason = whole.failure().map(|damage| damage.reason);
    (whole.available().to_vec(), name, reason)
}

type Pack = fn(&[u8]) -> Vec<u8>;
const PACKS: [(&str, Pack); 4] = [
    ("gzip", gzip),
    ("zstd", zstd),
    ("bzip2", bzip2),
    ("lz4", lz4),
];

#[test]
fn frames_follow_each_other() {
    for (name, pack) in PACKS {
        let mut file = pack(b"one ");
        file.extend(pack(b""));
        file.extend(pack(b"two\n"));
        assert_eq!(
            read_all(file),
            (b"one two\n".to_vec(), Some(name), None),
            "{name}"
        );
    }
    let file = [XZ, &[0; 8], XZ].concat();
    assert_eq!(
        read_all(file),
        (b"one two\none two\n".to_vec(), Some("xz"), None)
    );
}

#[test]
fn skippable_frames_are_passed_over() {
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
    let file = [
        skippable.clone(),
        zstd(b"one "),
        skippable.clone(),
        zstd(b"two"),
    ]
    .concat();
    assert_eq!(read_all(file), (b"one two".to_vec(), Some("zstd"), None));
    let file = [lz4(b"one "), skippable, lz4(b"two")].concat();
    assert_eq!(read_all(file), (b"one two".to_vec(), Some("lz4"), None));
}

#[test]
fn what_follows_the_data_is_damage_and_the_data_is_kept() {
    for ((name, pack), trailing) in PACKS.into_iter().zip(["gzip", "zstd", "bzip2", "lz4"]) {
        for rest in [&[0; 512][..], b"x", b"abcdefgh"] {
            let (read, _, reason) = read_all([&pack(b"all of it"), rest].concat());
            assert_eq!(read, b"all of it", "{name}");
            assert_eq!(reason, Some(format!("{trailing}-trailing").as_str()));
        }
    }
    let (read, _, reason) = read_all([XZ, b"garbage that is long enough"].concat());
    assert_eq!(
        (read.as_slice(), reason),
        (&b"one two\n"[..], Some("xz-damaged"))
    );
}

fn noise(words: u32) -> Vec<u8> {
    (0..words)
        .flat_map(|n| (n.wrapping_mul(n) / 7).to_le_bytes())
        .collect()
}

#[test]
fn a_cut_file_gives_what_it_holds() {
    let data = noise(400_000);
    for (name, pack) in PACKS {
        let file = pack(&data);
        let (read, _, reason) = read_all(file[..file.len() / 2].to_vec());
        assert_eq!(reason, Some(format!("{name}-cut").as_str()));
        assert!(data.starts_with(&read), "{name}");
        assert!(read.len() > data.len() / 4, "{name}: {}", read.len());
    }
    for end in 7..XZ.len() {
        let (read, _, reason) = read_all(XZ[..end].to_vec());
        assert!(b"one two\n".starts_with(&read[..]));
        assert_eq!(reason, Some("xz-cut"), "{end}");
    }
}

#[test]
fn a_flipped_bit_is_noticed_by_every_checksum() {
    let data = noise(5000);
    for (name, pack) in PACKS {
        let file = pack(&data);
        let mut noticed = 0;
        for at in (file.len() / 4..file.len()).step_by(97) {
            let mut wrong = file.clone();
            wrong[at] ^= 16;
            let (_, _, reason) = read_all(wrong);
            noticed += usize::from(reason.is_some());
        }
        let tried = (file.len() / 4..file.len()).step_by(97).count();
        assert_eq!(noticed, tried, "{name}");
    }
}

#[test]
fn compressions_around_each_other_come_off_up_to_four() {
    let data = b"one two\n";
    let four = gzip(&bzip2(&lz4(&zstd(data))));
    assert_eq!(read_all(four.clone()), (data.to_vec(), Some("zstd"), None));
    let (read, ..) = read_all(gzip(&four));
    assert_eq!(read, zstd(data));
}

#[test]
fn an_error_of_the_source_is_no_damage_of_the_data() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    for (name, pack) in PACKS {
        let data = noise(50_000);
        let file = pack(&data);
        let half = Cursor::new(file[..file.len() / 2].to_vec());
        let source = half.chain(Fails);
        let (buffer, _) = unpack(Box::new(source), PEEK, &Meter::default());
        let mut whole = Buffer::new(buffer.into_source(), 4096);
        whole.fill(1 << 22);
        let damage = whole.failure().unwrap();
        assert_eq!(damage.reason, "read-error", "{name}");
        assert_eq!(damage.detail, "the disk is on fire", "{name}");
    }
}

#[test]
fn mutated_data_comes_to_an_end() {
    let mut random = crate::input::hostile::Random(11);
    let data = noise(3000);
    for (_, pack) in PACKS {
        let file = pack(&data);
        for _ in 0..1500 {
            read_all(random.mutate(&file));
        }
    }
    for _ in 0..3000 {
        read_all(random.mutate(XZ));
    }
}
