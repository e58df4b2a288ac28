//! pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets and TLS keys; other blocks (names,
//! statistics, custom ones) are passed over.

use nom::Parser;
use nom::number::Endianness;
use nom::number::streaming::{u16, u32};
use pcap_parser::pcapng::{
    parse_enhancedpacketblock_be, parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_simplepacketblock_be, parse_simplepacketblock_le,
};
use pcap_parser::{InterfaceDescriptionBlock, OptionCode, PcapError};

use super::Time;
use super::buffer::Buffer;
use super::capture::{Head, UNKNOWN_LINK};
use super::summary::Damages;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
/// The Packet Block that the Enhanced Packet Block replaced; old files still hold it.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;
/// The type of secrets that is a TLS key log.
const TLS_KEY_LOG: u32 = 0x544c_534b;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const LARGEST_BLOCK: usize = super::buffer::LARGEST;
/// When looking for the next block after damage, a larger one is not believed.
const LARGEST_FOUND: usize = 256 << 10;
const MOST_INTERFACES: usize = 1 << 16;

/// Walks the blocks of a pcapng capture.
#[derive(Default)]
pub(crate) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: u32,
    snaplen: u32,
    tick: Tick,
    offset_seconds: i64,
}

/// How long one unit of a time stamp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tick {
    /// So many nanoseconds.
    Nanoseconds(u32),
    /// A nanosecond divided by so much.
    PartOfNanosecond(u128),
    /// A second divided by two to this power.
    PowerOfTwo(u8),
}

impl PcapNg {
    /// Whether a file that begins with these bytes is a pcapng capture.
    pub(crate) fn recognises(bytes: &[u8]) -> bool {
        bytes.starts_with(&SECTION.to_le_bytes())
    }

    /// Finds the next packet; its block stays at the front of the buffer.
    pub(crate) fn step(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<Head> {
        loop {
            let (kind, total) = self.frame_block(buffer, damages)?;
            let offset = buffer.position();
            let block = buffer.available().get(..total).unwrap_or_default();
            let head = match kind {
                ENHANCED_PACKET => self.enhanced(block, offset, damages),
                PACKET => self.old_packet(block, offset, damages),
                SIMPLE_PACKET => self.simple(block, offset, damages),
                INTERFACE => self.interface(block, offset, damages),
                SECRETS => self.secrets(block, offset, damages),
                SECTION => {
                    self.interfaces.clear();
                    None
                }
                _ => None,
            };
            if head.is_some() {
                return head;
            }
            buffer.consume(total);
        }
    }

    /// Gets a whole block into the buffer: its type and length. Moves on over damage.
    #[inline]
    fn frame_block(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<(u32, usize)> {
        loop {
            if !buffer.fill(12) {
                let left = buffer.available().len();
                if left > 0 {
                    damages.note("cut-record", buffer.position(), || {
                        format!("{left} bytes of a block header")
                    });
                    buffer.consume(left);
                }
                return None;
            }
            let bytes = buffer.available();
            if bytes.starts_with(&SECTION.to_le_bytes())
                && let Some(big_endian) = byte_order(bytes)
            {
                self.big_endian = big_endian;
            }
            let kind = self.u32_at(bytes, 0)?;
            let length = self.u32_at(bytes, 4)? as usize;
            let fits = (12..=LARGEST_BLOCK).contains(&length);
            if fits && buffer.fill(length) {
                let trailer = self.u32_at(buffer.available(), length - 4)?;
                if trailer as usize == length {
                    return Some((kind, length));
                }
            }
            self.pass_damage(kind, length, buffer, damages)?;
        }
    }

    #[cold]
    fn pass_damage(
        &self,
        kind: u32,
        length: usize,
        buffer: &mut Buffer,
        damages: &mut Damages,
    ) -> Option<()> {
        let offset = buffer.position();
        let held = buffer.available().len();
        // The file may just end here, or the length may be wrong; what follows decides.
        let at_end = (12..=LARGEST_BLOCK).contains(&length) && held < length;
        if self.resynchronise(buffer) {
            let skipped = buffer.position() - offset;
            damages.note("block-length", offset, || {
                format!("a block of type {kind} claims {length} bytes; {skipped} bytes skipped")
            });
            return Some(());
        }
        if at_end {
            damages.note("cut-record", offset, || {
                format!("a block of {length} bytes, of which {held} are there")
            });
        } else {
            damages.note("block-length", offset, || {
                format!("a block of type {kind} claims {length} bytes; the rest was not read")
            });
        }
        None
    }

    /// Moves to the next section, or the next packet whose two lengths agree.
    fn resynchronise(&self, buffer: &mut Buffer) -> bool {
        buffer.consume(4);
        buffer.search(LARGEST_FOUND, |bytes, at| {
            self.begins_block(bytes.get(at..).unwrap_or_default())
        })
    }

    fn begins_block(&self, bytes: &[u8]) -> bool {
        if bytes.starts_with(&SECTION.to_le_bytes()) {
            return byte_order(bytes).is_some();
        }
        if self.u32_at(bytes, 0) != Some(ENHANCED_PACKET) {
            return false;
        }
        let length = self.u32_at(bytes, 4).map_or(0, |n| n as usize);
        (32..=LARGEST_FOUND).contains(&length)
            && self.u32_at(bytes, length - 4).map(|n| n as usize) == Some(length)
    }

    #[inline]
    fn enhanced(&self, block: &[u8], offset: u64, damages: &mut Damages) -> Option<Head> {
        let parsed = if self.big_endian {
            parse_enhancedpacketblock_be(block)
        } else {
            parse_enhancedpacketblock_le(block)
        };
        match parsed {
            Ok((_, packet)) => {
                let stamp = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let mut head = self.head(packet.if_id, Some(stamp), offset, damages);
                head.skip = 28;
                head.len = (packet.caplen as usize).min(packet.data.len());
                head.wire_len = packet.origlen;
                head.total = block.len();
                Some(head)
            }
            Err(_) => bad_block("enhanced packet", offset, damages),
        }
    }

    fn old_packet(&self, block: &[u8], offset: u64, damages: &mut Damages) -> Option<Head> {
        let order = self.order();
        let mut fields = (
            u16::<_, PcapError<&[u8]>>(order),
            u16(order),
            u32(order),
            u32(order),
            u32(order),
            u32(order),
        );
        let content = block.get(8..block.len() - 4).unwrap_or_default();
        let Ok((data, (interface, _drops, high, low, caplen, wire_len))) = fields.parse(content)
        else {
            return bad_block("packet", offset, damages);
        };
        if caplen as usize > data.len() {
            return bad_block("packet", offset, damages);
        }
        let stamp = u64::from(high) << 32 | u64::from(low);
        let mut head = self.head(interface.into(), Some(stamp), offset, damages);
        head.skip = 28;
        head.len = caplen as usize;
        head.wire_len = wire_len;
        head.total = block.len();
        Some(head)
    }

    fn simple(&self, block: &[u8], offset: u64, damages: &mut Damages) -> Option<Head> {
        let parsed = if self.big_endian {
            parse_simplepacketblock_be(block)
        } else {
            parse_simplepacketblock_le(block)
        };
        let Ok((_, packet)) = parsed else {
            return bad_block("simple packet", offset, damages);
        };
        let mut head = self.head(0, None, offset, damages);
        // The captured length is stated nowhere: it is the snap length where that is smaller.
        let snaplen = self
            .interfaces
            .first()
            .map_or(0, |interface| interface.snaplen);
        let snapped = if snaplen == 0 {
            usize::MAX
        } else {
            snaplen as usize
        };
        head.skip = 12;
        head.len = packet.data.len().min(packet.origlen as usize).min(snapped);
        head.wire_len = packet.origlen;
        head.total = block.len();
        Some(head)
    }

    fn interface(&mut self, block: &[u8], offset: u64, damages: &mut Damages) -> Option<Head> {
        let parsed = if self.big_endian {
            parse_interfacedescriptionblock_be(block)
        } else {
            parse_interfacedescriptionblock_le(block)
        };
        match parsed {
            Ok((_, described)) if self.interfaces.len() < MOST_INTERFACES => {
                self.interfaces
                    .push(Interface::new(&described, self.big_endian));
            }
            Ok(_) => damages.note_once("too-many-interfaces", offset, || {
                format!("more than {MOST_INTERFACES} interfaces in one section")
            }),
            Err(_) => return bad_block("interface description", offset, damages),
        }
        None
    }

    /// A Decryption Secrets Block: type, length, content.
    fn secrets(&self, block: &[u8], offset: u64, damages: &mut Damages) -> Option<Head> {
        let (Some(kind), Some(length)) = (self.u32_at(block, 8), self.u32_at(block, 12)) else {
            return bad_block("decryption secrets", offset, damages);
        };
        let length = length as usize;
        if length > block.len().saturating_sub(20) {
            return bad_block("decryption secrets", offset, damages);
        }
        if kind != TLS_KEY_LOG {
            damages.note_once("unknown-secrets", offset, || {
                format!("keys of type {kind:#010x}, which are not used; TLS key logs are")
            });
            return None;
        }
        Some(Head {
            skip: 16,
            len: length,
            total: block.len(),
            secrets: true,
            ..Head::default()
        })
    }

    #[inline]
    fn head(&self, id: u32, stamp: Option<u64>, offset: u64, damages: &mut Damages) -> Head {
        match self.interfaces.get(id as usize) {
            Some(interface) => Head {
                link: interface.link,
                time: stamp.and_then(|stamp| interface.time(stamp)),
                ..Head::default()
            },
            None => {
                damages.note_once("unknown-interface", offset, || {
                    format!("packets of interface {id}, which is not described")
                });
                Head {
                    link: UNKNOWN_LINK,
                    ..Head::default()
                }
            }
        }
    }

    fn order(&self) -> Endianness {
        if self.big_endian {
            Endianness::Big
        } else {
            Endianness::Little
        }
    }

    #[inline]
    fn u32_at(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    }
}

impl Interface {
    fn new(described: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let option = |code| {
            let option = described.options.iter().find(|option| option.code == code);
            option.and_then(|option| option.as_bytes().ok())
        };
        let resolution = option(OptionCode::IfTsresol).and_then(|value| value.first());
        // pcap-parser reads if_tsoffset in little-endian order whatever the section's order.
        let offset: Option<[u8; 8]> =
            option(OptionCode::IfTsoffset).and_then(|value| value.try_into().ok());
        Self {
            link: described.linktype.0 as u32,
            snaplen: described.snaplen,
            tick: Tick::from_option(resolution.copied().unwrap_or(6)),
            offset_seconds: match offset {
                Some(bytes) if big_endian => i64::from_be_bytes(bytes),
                Some(bytes) => i64::from_le_bytes(bytes),
                None => 0,
            },
        }
    }

    #[inline]
    fn time(&self, stamp: u64) -> Option<Time> {
        let stamp = u128::from(stamp);
        let nanoseconds = match self.tick {
            Tick::Nanoseconds(each) => stamp * u128::from(each),
            Tick::PartOfNanosecond(parts) => stamp / parts,
            Tick::PowerOfTwo(power) => (stamp * 1_000_000_000) >> power,
        };
        let offset = i128::from(self.offset_seconds) * 1_000_000_000;
        let sum = i128::try_from(nanoseconds).ok()? + offset;
        i64::try_from(sum).ok().map(Time)
    }
}

impl Tick {
    /// The meaning of `if_tsresol`. pcap-parser gives nothing for powers of two.
    fn from_option(value: u8) -> Self {
        let power = value & 0x7f;
        match power {
            _ if value & 0x80 != 0 => Self::PowerOfTwo(power),
            0..=9 => Self::Nanoseconds(10u32.pow(u32::from(9 - power))),
            _ => Self::PartOfNanosecond(
                10u128
                    .checked_pow(u32::from(power - 9))
                    .unwrap_or(u128::MAX),
            ),
        }
    }
}

fn byte_order(section: &[u8]) -> Option<bool> {
    let mark = u32::from_le_bytes(*section.get(8..)?.first_chunk()?);
    match mark {
        BYTE_ORDER => Some(false),
        _ if mark == BYTE_ORDER.swap_bytes() => Some(true),
        _ => None,
    }
}

fn bad_block(what: &str, offset: u64, damages: &mut Damages) -> Option<Head> {
    damages.note("bad-block", offset, || {
        format!("the fields of this {what} block contradict its length")
    });
    None
}

#[cfg(test)]
mod tests;
