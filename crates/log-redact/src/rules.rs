//! The classes that are looked for, compiled: which words to watch for, and what each of them starts.

use regex::bytes::Regex;

use crate::class::{Class, Code, Group, KeyName, Rule, Values};
use crate::shape::Shape;
use crate::verify::{command, key};
use crate::words::{self, Words};
use crate::wrap::Length;

/// The place of a class in [`Rules::classes`].
pub(crate) type ClassId = u16;

/// A class that is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) name: String,
    pub(crate) group: Group,
    pub(crate) length: Length,
    pub(crate) values: Values,
    /// Nothing but its end says where a value ends.
    pub(crate) is_open: bool,
}

/// What a watched word starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Shape(ClassId, &'static Shape),
    Key,
    PrivateKey,
    Jwt,
    Url,
    Scheme,
    HostSuffix,
    Dsn,
    Command,
    Auth,
    Manifest,
}

impl Target {
    /// Whether it is worth while to put together the word that starts it, if a line break cuts it in two.
    pub(crate) fn may_be_cut(self) -> bool {
        self != Self::HostSuffix
    }
}

/// Of how many kinds [`Code`] is.
const CODES: usize = Code::Host as usize + 1;

/// The classes that are looked for, compiled.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) classes: Vec<Active>,
    pub(crate) words: Words,
    /// Names of keys, the more special first.
    keys: Vec<(KeyName, ClassId)>,
    /// By [`Code`].
    codes: [Option<ClassId>; CODES],
    pub(crate) extra: Vec<(Regex, ClassId)>,
    /// Shapes without a word long enough to watch for, and that word: looked at wherever a long run begins.
    at_runs: Vec<(&'static str, ClassId, &'static Shape)>,
    /// Whether any of those words begins with this byte.
    begins_run: [bool; 256],
    /// Whether numbers are looked for that have no word to watch for; and the same of what follows.
    pub(crate) numbers: bool,
    pub(crate) addresses: bool,
    pub(crate) macs: bool,
    pub(crate) mails: bool,
    /// The class of passwords, whatever gives them away.
    pub(crate) password: Option<ClassId>,
    /// The class of secrets by their name, to which what a Secret has belongs.
    pub(crate) secret: Option<ClassId>,
    /// The class of what only looks drawn.
    pub(crate) random: Option<ClassId>,
}

/// Words that the name of a key may contain.
const KEY_STEMS: [&str; 62] = [
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "userpass",
    "requirepass",
    // `pass` alone is in too many words.
    "_pass",
    "-pass",
    ".pass",
    "pass=",
    "pass:",
    "pass\"",
    "pass：",
    "pass\u{1b}",
    "\"auth\"",
    "_auth=",
    "masterauth",
    "bindpw",
    "adminpw",
    "userpw",
    "dbpw",
    "rootpw",
    "_pw",
    "-pw",
    "secret",
    "token",
    "authorization",
    "cli_auth=",
    "credential",
    "cookie",
    "signature",
    "sig=",
    "sessid",
    "_session",
    "identified by",
    "密码",
    "口令",
    "密钥",
    "秘钥",
    "私钥",
    "验证码",
    "otp=",
    "otp:",
    "otp\"",
    "令牌",
    "密碼",
    "驗證碼",
    "授权码",
    "授權碼",
    "金鑰",
    "psk=",
    "psk:",
    "psk\"",
    "pswd",
    "creds",
    "connect.sid",
    "sk=",
    "sk:",
    "sk\"",
    "ak=",
    "ak:",
    "ak\"",
];

/// And words of two parts, joined by nothing or by one of [`JOINTS`].
const KEY_PAIRS: [(&str, &str); 33] = [
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("account", "key"),
    ("app", "key"),
    ("application", "key"),
    ("routing", "key"),
    ("integration", "key"),
    ("signing", "key"),
    ("subscription", "key"),
    ("encryption", "key"),
    ("master", "key"),
    ("session", "id"),
    ("auth", "key"),
    ("hmac", "key"),
    ("openai", "key"),
    ("anthropic", "key"),
    ("deepseek", "key"),
    ("dashscope", "key"),
    ("llm", "key"),
    ("model", "key"),
    ("admin", "key"),
    ("role", "key"),
    ("storage", "key"),
    ("mch", "key"),
    ("v3", "key"),
    ("encrypt", "key"),
    ("aes", "key"),
    ("sign", "key"),
    ("unseal", "key"),
    ("redis", "auth"),
    ("recovery", "code"),
    ("security", "code"),
];
const JOINTS: [&str; 4] = ["", "_", "-", "."];

/// A shorter word would be met everywhere, and is not watched for.
const SHORTEST_WORD: usize = words::TRIPLE;

impl Rules {
    pub(crate) fn compile(chosen: &[&'static Class], extra: Vec<(String, Regex)>) -> Self {
        let mut words = Words::default();
        let mut rules = Self {
            classes: Vec::new(),
            words: Words::default(),
            keys: Vec::new(),
            codes: [None; CODES],
            extra: Vec::new(),
            at_runs: Vec::new(),
            begins_run: [false; 256],
            numbers: false,
            addresses: false,
            macs: false,
            mails: false,
            password: None,
            secret: None,
            random: None,
        };
        for class in chosen {
            let (length, values, is_open) = (class.length, class.values, class.is_open());
            let name = class.name.to_owned();
            let id = rules.activate(Active { name, group: class.group, length, values, is_open });
            match class.rule {
                Rule::Shapes(shapes) => rules.watch_shapes(&mut words, id, shapes),
                Rule::Keys(names) => rules.keys.extend(names.iter().map(|name| (*name, id))),
                Rule::ShapesAndKeys(shapes, names) => {
                    rules.watch_shapes(&mut words, id, shapes);
                    rules.keys.extend(names.iter().map(|name| (*name, id)));
                }
                Rule::Code(code) => {
                    rules.codes[code as usize] = Some(id);
                    rules.look_for(code);
                    watch_code(&mut words, code);
                }
            }
        }
        for (name, pattern) in extra {
            let (length, values) = (Length::Any, Values::Tokens);
            let active = Active { name, group: Group::Extra, length, values, is_open: false };
            let id = rules.activate(active);
            rules.extra.push((pattern, id));
        }
        let by_key = [Code::Authorization, Code::Cookie, Code::BasicAuth, Code::Bearer];
        if !rules.keys.is_empty() || by_key.iter().any(|code| rules.code(*code).is_some()) {
            words.watch_all(&KEY_STEMS, Target::Key);
            // Whatever ties these to their values: a blank, a tag, the next line.
            key::OWNERS.iter().for_each(|owner| words.watch(&format!("{owner}pass"), Target::Key));
            for (first, second) in KEY_PAIRS {
                JOINTS.iter().for_each(|joint| words.watch(&format!("{first}{joint}{second}"), Target::Key));
            }
        }
        if let Some(place) = rules.classes.iter().position(|class| class.values == Values::Passwords) {
            rules.password = Some(place as ClassId);
            words.watch_all(&command::WATCHED, Target::Command);
            words.watch_all(&["auth ", "auth\" ", " on >"], Target::Auth);
        }
        if let Some(place) = rules.classes.iter().position(|class| class.values == Values::Secrets) {
            rules.secret = Some(place as ClassId);
            words.watch_all(
                &[
                    "kind: secret",
                    "\"kind\":\"secret",
                    "\"kind\": \"secret",
                    "\"kind\" : \"secret",
                    "--from-literal",
                ],
                Target::Manifest,
            );
        }
        // The longest names first: what says more wins.
        rules.keys.sort_by_key(|(name, _)| std::cmp::Reverse(name.with.len() * 100 + name.suffix.len()));
        rules.random = rules.code(Code::RandomToken);
        words.compile();
        rules.words = words;
        rules
    }

    fn look_for(&mut self, code: Code) {
        match code {
            Code::ChineseIdentity
            | Code::ChineseMobile
            | Code::Phone
            | Code::SocialSecurity
            | Code::Card
            | Code::Iban => self.numbers = true,
            Code::Ip | Code::IpPrivate => self.addresses = true,
            Code::Mac => self.macs = true,
            Code::Email => self.mails = true,
            _ => {}
        }
    }

    fn activate(&mut self, class: Active) -> ClassId {
        let id = self.classes.len() as ClassId;
        self.classes.push(class);
        id
    }

    fn watch_shapes(&mut self, words: &mut Words, id: ClassId, shapes: &'static [Shape]) {
        for shape in shapes {
            for literal in shape.literals {
                if literal.len() < SHORTEST_WORD {
                    self.at_runs.push((literal, id, shape));
                    literal.bytes().take(1).for_each(|first| self.begins_run[usize::from(first)] = true);
                } else {
                    words.watch(literal, Target::Shape(id, shape));
                }
            }
        }
    }

    /// The class that this code finds, when it is looked for.
    pub(crate) fn code(&self, code: Code) -> Option<ClassId> {
        self.codes[code as usize]
    }

    /// The shapes that a long run may be of, by how it begins, and where in it they go on.
    pub(crate) fn shapes_of_run(&self, run: &[u8]) -> impl Iterator<Item = (ClassId, &'static Shape, usize)> {
        let known = run.first().is_some_and(|first| self.begins_run[usize::from(*first)]);
        let shapes = if known { self.at_runs.as_slice() } else { &[] };
        let begins = |word: &str| run.starts_with(word.as_bytes());
        shapes
            .iter()
            .filter(move |(word, ..)| begins(word))
            .map(|(word, id, shape)| (*id, *shape, word.len()))
    }

    /// The classes of a key of this name, the most special first. The name is lower case and has no separators.
    pub(crate) fn classes_of_key<'r>(&'r self, name: &'r [u8]) -> impl Iterator<Item = ClassId> + 'r {
        let holds = move |key: &KeyName| {
            name.ends_with(key.suffix.as_bytes())
                && (key.with.is_empty() || memchr::memmem::find(name, key.with.as_bytes()).is_some())
        };
        self.keys.iter().filter(move |(key, _)| holds(key)).map(|(_, id)| *id)
    }
}

fn watch_code(words: &mut Words, code: Code) {
    match code {
        Code::PrivateKey => words.watch_all(&["-----begin ", "putty-user-key-file"], Target::PrivateKey),
        Code::Jwt => words.watch("eyJ", Target::Jwt),
        Code::UrlPassword | Code::SentryDsn => words.watch("://", Target::Url),
        Code::Bearer => words.watch("bearer ", Target::Scheme),
        Code::BasicAuth => words.watch("basic ", Target::Scheme),
        Code::Host => words.watch_all(&HOST_SUFFIXES, Target::HostSuffix),
        Code::DsnPassword => words.watch_all(&["@tcp(", "@unix(", "jdbc:oracle:", ":5432:"], Target::Dsn),
        _ => {}
    }
}

/// Ends of names of machines: of clusters and private networks, and the most used domains.
pub(crate) const HOST_SUFFIXES: [&str; 40] = [
    ".local",
    ".internal",
    ".lan",
    ".svc",
    ".corp",
    ".home",
    ".intranet",
    ".localdomain",
    ".com",
    ".net",
    ".org",
    ".io",
    ".cn",
    ".edu",
    ".gov",
    ".mil",
    ".info",
    ".biz",
    ".dev",
    ".app",
    ".cloud",
    ".ai",
    ".co",
    ".de",
    ".uk",
    ".fr",
    ".jp",
    ".kr",
    ".ru",
    ".br",
    ".in",
    ".au",
    ".ca",
    ".nl",
    ".it",
    ".es",
    ".se",
    ".ch",
    ".eu",
    ".tw",
];
