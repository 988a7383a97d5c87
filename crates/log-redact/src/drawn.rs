//! Whether letters and digits follow each other as they do when they are drawn, or as people name things.
//!
//! Comes in: a word. Goes out: whether nobody would have written it. What a word is likelier as is told from the kinds
//! of its letters, by the two before each, and from the small letters, by the one before each. Both were counted over
//! the 45,000 names with letters of both cases, of 4 to 24, that three or more files of Go's and Python's libraries and
//! of Rust's crates have.
//!
//! Of such names of 5 to 12 letters it takes fewer than one in 100 for drawn, most of which are (base64 in tests); of drawn ones
//! half at five letters, three in four at seven, nine in ten at ten.

/// Fewer letters may be a name whatever they are: `gRPC`, `iPXE`, `tvOS`.
const SHORTEST: usize = 5;
/// What a word that nobody writes comes to at least, in tenths of the logarithm of how much likelier it is drawn.
const ENOUGH: i32 = 50;
/// And one that hardly anybody writes.
const NEARLY_ENOUGH: i32 = 28;
/// What a sign inside a word comes to. Nobody writes `a!z`; `a@b`, `a+b`, `1.0~rc1` and `a_b` are written, but rarely.
const SIGNS: [(u8, i32); 6] = [(b'!', 40), (b'^', 40), (b'*', 30), (b'~', 35), (b'@', 10), (b'+', 10)];
/// And two of them, one after the other.
const SIGN_BESIDE_SIGN: i32 = 30;
/// So much of signs says enough for a word without capitals.
const ENOUGH_OF_SIGNS: i32 = 40;
/// Abbreviations that names are made of too, whose letters follow each other as in no other word: they say nothing.
const ABBREVIATIONS: &str = " json xml url uri uid gid pid oid id ids ip db os ui gui io api cpu gpu ram tcp udp tls ssl ssh \
    dns http https html css sql rpc grpc jwt pdf csv utf ascii src dst ctx fmt pkg cmd std ptr buf len cfg tmp str msg hdr \
    mgr dhcp snmp sqrt vcs asn mac nic vm vms cpus vcpu vcpus hz sdk cli ext ldap ntp smtp ftp iot tty usb pci gtk \
    gdk lib dbus kdf hmac rsa aes gcm sha md crc mpi cuda nfs zfs xfs btrfs lvm raid ssd hdd nvme avx sse simd imm cbcr \
    elf ehdr mc abi tex latex pbkdf hci ki mi gi ti wi fi ";

/// What a small letter, a capital and a digit come to, by the kinds of the two letters before it: none, small, capital,
/// digit.
const KINDS: [[[i8; 3]; 4]; 4] = [
    [[6, -6, 32], [-8, 16, 32], [-8, 22, 32], [-3, 4, 2]],
    [[0, 0, 0], [-7, 10, 29], [-8, 24, 30], [23, 13, -16]],
    [[0, 0, 0], [-8, 25, 41], [2, -4, 12], [6, 11, -14]],
    [[0, 0, 0], [4, 2, -9], [-7, 13, 14], [8, 1, -10]],
];

/// How rare each small letter is after each letter, in ten steps: 0 is twelve times as often as by chance, 9 almost
/// never.
const RARITY: [&[u8; 26]; 26] = [
    b"83327537475232938221455547",
    b"26572777238167269336289929",
    b"27472862492367167352468949",
    b"26630656167366369336364649",
    b"35224448686332544122645248",
    b"28652279197265179233395859",
    b"37570643288352248233387857",
    b"17651779297546269352386948",
    b"34233439786331248422649593",
    b"26450677366665158626266668",
    b"27540745287454368434386858",
    b"26631668196277159743367949",
    b"13751899297436229745399959",
    b"26322327384564359721347958",
    b"44337348474331439133243678",
    b"17651674395268239142387959",
    b"69766997599475577547097977",
    b"26441549294544269333447839",
    b"37371663294456337621365946",
    b"28461683198557259234486637",
    b"33452348386221539222789596",
    b"18660648199767399666799889",
    b"16551783197572249236799879",
    b"37351796398649519461578559",
    b"44462657477322409522675766",
    b"36760775399586277659569843",
];
/// What the lowest of these comes to, and each step.
const COMMONEST: i32 = -25;
const STEP: i32 = 8;

/// Whether letters of both cases and digits follow each other as nobody writes them.
pub(crate) fn is_no_name(word: &[u8]) -> bool {
    word.len() >= SHORTEST && is_drawn(word, ENOUGH)
}

/// The same of what may be written now and then.
pub(crate) fn is_hardly_a_name(word: &[u8]) -> bool {
    let has_digit = word.split_last().is_some_and(|(_, before)| before.iter().any(u8::is_ascii_digit));
    word.len() >= SHORTEST - usize::from(has_digit) && is_drawn(word, NEARLY_ENOUGH)
}

/// Whether small letters are no word and no abbreviation, as the first ones of a name are that is cut: `chr`, `st`.
pub(crate) fn is_unspeakable(letters: &[u8]) -> bool {
    const SHORTEST: usize = 2;
    const WRITTEN: [&[u8]; 16] = [
        b"cc", b"bcc", b"mr", b"mrs", b"ms", b"dr", b"mx", b"vs", b"nr", b"st", b"fwd", b"rcpt", b"pgp",
        b"gpg", b"sms", b"sftp",
    ];
    let is_consonant = |byte: &u8| byte.is_ascii_lowercase() && !b"aeiouy".contains(byte);
    letters.len() >= SHORTEST
        && letters.iter().all(is_consonant)
        && !says_nothing(letters)
        && !WRITTEN.contains(&letters)
}

fn is_drawn(word: &[u8], enough: i32) -> bool {
    let any = |is: fn(&u8) -> bool| word.iter().any(is);
    let is_mixed = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
    (is_mixed || weight_of_signs(word) >= ENOUGH_OF_SIGNS)
        && !word.starts_with(b"0x")
        && !is_duration(word)
        && weight(word) >= enough
}

/// `P1DT2h30m`, as ISO 8601 and its users write durations.
fn is_duration(word: &[u8]) -> bool {
    let is_of_one = |byte: &u8| byte.is_ascii_digit() || b"YMWDTHSymwdhs.".contains(byte);
    word.strip_prefix(b"P").is_some_and(|rest| rest.iter().all(is_of_one))
}

/// What the parts of a word between its signs come to, and the signs.
fn weight(word: &[u8]) -> i32 {
    let parts = word.split(|byte| !byte.is_ascii_alphanumeric()).map(weight_of_part);
    parts.sum::<i32>() + weight_of_signs(word)
}

fn weight_of_signs(word: &[u8]) -> i32 {
    let weight = |byte: u8| SIGNS.iter().find(|(sign, _)| *sign == byte).map(|(_, weight)| *weight);
    let inside = word.windows(3).filter_map(|around| {
        let is_inside = around[0].is_ascii_alphanumeric() && around[2].is_ascii_alphanumeric();
        weight(around[1]).filter(|_| is_inside)
    });
    let beside = word
        .windows(2)
        .filter(|pair| pair[0] != pair[1] && weight(pair[0]).is_some() && weight(pair[1]).is_some());
    inside.sum::<i32>() + beside.map(|_| SIGN_BESIDE_SIGN).sum::<i32>()
}

/// The kinds of a letter, as places in [`KINDS`]. Nothing is before the first one.
fn kind(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    }
}

/// What letters and digits without signs come to.
fn weight_of_part(part: &[u8]) -> i32 {
    let mut weight = 0;
    let mut before: [Option<u8>; 2] = [None, None];
    let mut telling = Vec::with_capacity(part.len());
    words(part, |word| {
        if !says_nothing(word) {
            telling.extend_from_slice(word);
        }
    });
    for byte in &telling {
        let [second, first] = before.map(|byte| byte.map_or(0, kind));
        weight += i32::from(KINDS[second][first][kind(*byte) - 1]);
        if let Some(first) = before[1].filter(u8::is_ascii_alphabetic)
            && byte.is_ascii_lowercase()
        {
            let row = RARITY[usize::from(first.to_ascii_lowercase() - b'a')];
            weight += COMMONEST + STEP * i32::from(row[usize::from(byte - b'a')] - b'0');
        }
        before = [before[1], Some(*byte)];
    }
    // A word of one kind may be a name of any language.
    if is_plain(&telling) { i32::min(weight, 0) } else { weight }
}

/// Whether a word is an abbreviation, or a version (`v2`), which may follow anything: `TLSv1`, `IPv4Addr`.
fn says_nothing(word: &[u8]) -> bool {
    let after_v = word.strip_prefix(b"v").or_else(|| word.strip_prefix(b"V"));
    if let Some(digits) = after_v.filter(|digits| !digits.is_empty()) {
        return digits.iter().all(u8::is_ascii_digit);
    }
    let lower = word.to_ascii_lowercase();
    ABBREVIATIONS.split_ascii_whitespace().any(|known| known.as_bytes() == lower)
}

/// Calls `each` with the words that a name is read as: `IP`, `v4`, `Addr`, `2`, `CPUs`.
fn words(name: &[u8], mut each: impl FnMut(&[u8])) {
    let run = |from: usize, is: fn(&u8) -> bool| name[from..].iter().take_while(|byte| is(byte)).count();
    let mut at = 0;
    while at < name.len() {
        let digits = run(at, u8::is_ascii_digit);
        let capitals = run(at, u8::is_ascii_uppercase);
        let small = run(at + capitals, u8::is_ascii_lowercase);
        let is_plural = small == 1 && name[at + capitals] == b's';
        let is_abbreviated = |length: usize| length > 1 && says_nothing(&name[at..at + length]);
        let mut length = match (digits, capitals, small) {
            (1.., ..) => digits,
            (_, 2.., 1..) if is_abbreviated(capitals + small) || is_plural => capitals + small,
            (_, 2.., 1..) if is_abbreviated(capitals) => capitals,
            (_, 2.., 1..) => capitals - 1,
            _ => capitals + small,
        };
        // The `v` of a version stands with its digits.
        let is_version =
            |end: usize| matches!(name[end - 1], b'v' | b'V') && run(end, u8::is_ascii_digit) > 0;
        if is_version(at + length) {
            if length > 1 {
                length -= 1;
            } else {
                length += run(at + length, u8::is_ascii_digit);
            }
        }
        each(&name[at..at + length]);
        at += length;
    }
}

/// `word`, `Word2`, `WORD2`, `2nd`.
pub(crate) fn is_plain(word: &[u8]) -> bool {
    let before = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = word[before..].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let letters = &word[before..word.len() - after];
    letters.iter().all(u8::is_ascii_uppercase) || letters.iter().skip(1).all(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_name_is_told_from_words_and_abbreviations() {
        assert!(["chr", "ppqh", "gj"].iter().all(|cut| is_unspeakable(cut.as_bytes())));
        for word in ["to", "by", "k", "cc", "ssh", "smtp", "http", "user", "bob", "DB"] {
            assert!(!is_unspeakable(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn what_nobody_writes_is_told_from_names() {
        for drawn in [
            "cvhFx88",
            "VHcQeP",
            "D4j7kAzmtM",
            "hhFXfedZNanvfEfl",
            "aMwjpa!z1",
            "Mm41nwv",
            "uwgVQA",
            "m^c8awk6j1",
        ] {
            assert!(is_no_name(drawn.as_bytes()), "{drawn}");
        }
        let names = "Ljubljana HugeTLB csb_PL OpenSSL3 x86_64-Linux-gnu IPv4Addr IPv6Mreq K8sNode1 gRPC IPv6 PyAny XMPPd \
            macOS tvOS 0x7D0E4F3A StartingWorkers2 HttpURLConnectionPoolV2Impl 3f2a9c1d4e5b ELFv2 ELFv2ABI TheSecondOfThem \
            DhcpServer HtmlHelp FmtLayer PkgIdx HkdfParams Pbkdf2Params BpfZbuf MtxOrb204 OAuth2Client Sha256Sum Base64Url \
            cpuGHz MySQLdb LaTeX2e NVMe0n1 UTF8BOM etcdV3 iOS17 S3Bucket EC2Instance RTX4090Ti MPEG4Part2 ISO8601Date \
            SHA256withRSA ChaCha20Poly1305 X25519Kyber768 Utf8Decoder2 Win32Api Node18LTS HTTP2Frame Log4j2Error Py3k 3Com McIlroy fmtJSON asn1OID 16vCPUs GtkGUI CPUavx512 P1dT1h30m \
            Hello!World HEAD^2 2^32 1.0~rc1 foo*Bar User@Host.example C++Builder6 PT1H30M TLSv1.3 ARMv8 NFSv3 LibreSSL-3.8.2 QEMUv8 vSphere7 ESXi";
        for name in names.split_whitespace() {
            assert!(!is_no_name(name.as_bytes()), "{name}");
        }
    }
}
