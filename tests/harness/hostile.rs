//! Failed calls whose phrase, names and ids try to break out of whatever quotes them.

use std::path::PathBuf;

/// What a reason phrase says: commands, tags, quotes, fences, formulas, directives, controls.
pub(crate) const PHRASE: &[u8] = b"=cmd|' /C calc'!A0 ::error file=x::pwned %0A::error::pwned \
    ]]></failure><script>alert(1)</script> \"q\" ```` `x` | not ok 1 # SKIP [l](http://evil.example) \
    ![i](http://evil.example/i) {0} @everyone \\ \t\x1b[31m\x00\x07\xff\xfe\xe2\x80\xae ##[error]x";

/// How a Call-ID begins, a call each.
pub(crate) const IDS: [&str; 6] = ["=1+1", "+1", "-2+3", "@SUM(A1)", "#x", "]]>"];

/// The name of the capture: no better than what is in it.
const NAME: &str = "a,b :c::error::d%0A`e`|{0}[l](m)<b>#SKIP.pcap";

/// Writes the capture into a folder of its own; the path, relative to nothing.
pub(crate) fn capture(folder: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(NAME);
    std::fs::write(&path, pcap()).unwrap();
    path
}

fn pcap() -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        file.extend(word.to_le_bytes());
    }
    for (number, id) in (0_u32..).zip(IDS) {
        for (step, message) in (0_u32..).zip(call(id)) {
            // From the caller, back, and the ACK.
            let frame = frame(&message, step == 1);
            let length = u32::try_from(frame.len()).unwrap();
            for word in [1_767_225_600 + number, step * 1000, length, length] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
    }
    file
}

fn call(id: &str) -> [Vec<u8>; 3] {
    let common = |cseq: &str, totag: &str| {
        format!(
            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK{}\r\n\
             From: \"<img src=x>`|\" <sip:=cmd|'x'!A0%0A::error::`b`@example.com>;tag=a\r\n\
             To: <sip:@everyone|<b>[l](m)`c`@example.net>{totag}\r\nCall-ID: {id}::error::`|<i>\r\n\
             CSeq: 1 {cseq}\r\nUser-Agent: x\r\n ::error::folded\r\nContent-Length: 0\r\n\r\n",
            id.len()
        )
    };
    let request = |method: &str, totag: &str| {
        let line = format!("{method} sip:=1+1::error::`r`|<u>@example.net SIP/2.0\r\n");
        [line.into_bytes(), common(method, totag).into_bytes()].concat()
    };
    let headers = common("INVITE", ";tag=b");
    let answer = [b"SIP/2.0 500 ", PHRASE, b"\r\n", headers.as_bytes()];
    [
        request("INVITE", ""),
        answer.concat(),
        request("ACK", ";tag=b"),
    ]
}

fn frame(payload: &[u8], back: bool) -> Vec<u8> {
    let (mut source, mut destination) = ([192, 0, 2, 10], [198, 51, 100, 20]);
    if back {
        std::mem::swap(&mut source, &mut destination);
    }
    let length = |more: usize| u16::try_from(payload.len() + more).unwrap().to_be_bytes();
    let mut frame = vec![2; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(length(28));
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend(source);
    frame.extend(destination);
    frame.extend(5060_u16.to_be_bytes());
    frame.extend(5060_u16.to_be_bytes());
    frame.extend(length(8));
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}
