//! Damaged inputs of every kind through the whole reader: it ends, without a panic, and counts right.

use super::samples::{Order, block, interface, packet, pcap, read, section};

/// xorshift64*: enough for a test, and the same on every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    pub(crate) fn mutate(&mut self, sample: &[u8]) -> Vec<u8> {
        let mut bytes = sample.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 0xff, 0x7f, b'\n', b' ', 0x1b][self.below(6)],
                2 => bytes.truncate(at.max(1)),
                3 => {
                    let until = (at + self.below(40)).min(bytes.len());
                    bytes.drain(at..until);
                }
                4 => {
                    let from = self.below(sample.len());
                    let until = (from + self.below(120)).min(sample.len());
                    bytes.splice(at..at, sample[from..until].iter().copied());
                }
                _ => bytes[at] = self.below(256) as u8,
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        bytes
    }
}

fn hammer(samples: &[Vec<u8>], rounds: usize) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        for sample in samples {
            let bytes = random.mutate(sample);
            let (seen, summary) = read(&bytes);
            let held: usize = seen.iter().map(|record| record.bytes.len()).sum();
            assert!(held <= bytes.len(), "nothing is given out twice");
            if summary.frames > 0 {
                assert_eq!(summary.frames, seen.len() as u64);
            }
        }
    }
}

#[test]
fn mutated_captures_are_read_to_an_end() {
    let payload = [0x45; 90];
    let records: Vec<(u32, u32, &[u8])> = (0..12)
        .map(|n| (1_700_000_000 + n, n, &payload[..n as usize * 7]))
        .collect();
    let mut samples = Vec::new();
    for order in [Order(false), Order(true)] {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34] {
            let mut file = pcap(order, magic, 1, &records);
            file.extend(pcap(Order(!order.0), magic, 113, &records));
            samples.push(file);
        }
        let mut file = section(order);
        file.extend(interface(order, 1, &[(9, &[0x94]), (14, &[1; 8])]));
        for n in 0..8u32 {
            file.extend(packet(
                order,
                n % 2,
                u64::from(n) << 30,
                &payload[..n as usize * 11],
            ));
            file.extend(block(order, 2 + n % 2, &payload[..40]));
        }
        file.extend(section(Order(!order.0)));
        file.extend(packet(Order(!order.0), 0, 1, b"abc"));
        samples.push(file);
    }
    hammer(&samples, 1500);
}

#[test]
fn mutated_texts_are_read_to_an_end() {
    let message = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nContent-Type: message/sipfrag\r\n\
                   Content-Length: 20\r\n\r\nSIP/2.0 180 Ringing\r\n\r\n";
    let envelope = "[2024-01-02 03:04:05.6] VERBOSE[1][C-00a]: res_pjsip_logger.c: <--- Received SIP \
                    request (7 bytes) from UDP:[::1]:5060 --->\n";
    let syslog = "<13>May  7 08:01:35 h asterisk[1]: [May  7 08:01:35] SIP/2.0 200 OK\n";
    let quoted = message.replace("\r\n", "\n> ");
    let text = [
        envelope,
        message,
        "\x1b[1;31m == x\x1b[0m\n",
        syslog,
        "> ",
        &quoted,
        "\n```\n",
    ]
    .concat();
    hammer(&[text.repeat(2).into_bytes()], 6000);
}

#[test]
fn nothing_is_assumed_of_bytes_without_any_form() {
    let mut random = Random(7);
    for magic in [
        &b""[..],
        b"\xd4\xc3\xb2\xa1",
        b"\xa1\xb2\xcd\x34",
        b"\x0a\x0d\x0d\x0a",
        b"snoop\0\0\0\0\0\0\x02\0\0\0\x04",
        b"GMBU\x01\x02",
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ\0",
        b"BZh91AY&SY",
        b"\x04\x22\x4d\x18\x64\x40",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
    ] {
        for _ in 0..400 {
            let mut bytes = magic.to_vec();
            bytes.extend((0..random.below(600)).map(|_| random.below(256) as u8));
            read(&bytes);
        }
    }
}
