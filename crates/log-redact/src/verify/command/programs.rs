//! The programs whose command lines hold passwords, and which of their words these are: by their manuals.

/// A program, and where its passwords stand.
pub(super) struct Program {
    pub(super) names: &'static [&'static str],
    /// One of these words has to come first, if there are any: `docker login -p secret`, but `docker run -p 80:80`.
    pub(super) after: &'static [&'static str],
    pub(super) flags: &'static [Flag],
    /// The secret among the words that are no flags.
    pub(super) place: Option<Place>,
}

/// A flag with a secret as its value.
#[derive(Debug)]
pub(super) struct Flag {
    name: &'static str,
    /// Letters of flags without a value, that may stand before this one: `-sSu`.
    beside: &'static str,
    /// Whether the value may follow without a blank, and whether it may follow after one.
    pub(super) is_glued: bool,
    pub(super) is_apart: bool,
    pub(super) part: Part,
}

impl Flag {
    const fn new(name: &'static str, part: Part) -> Self {
        Self { name, beside: "", is_glued: name.len() == 2, is_apart: true, part }
    }

    /// The same, but its value never follows after a blank: the program asks for it.
    const fn glued(mut self) -> Self {
        self.is_apart = false;
        self
    }

    const fn beside(mut self, letters: &'static str) -> Self {
        self.beside = letters;
        self
    }

    /// Where in `word` the flag ends and its value begins. A long flag may have an equals sign in between.
    pub(super) fn end_in(&self, word: &[u8]) -> Option<usize> {
        let (dash, letter) = self.name.as_bytes().split_at(self.name.len() - 1);
        if word.starts_with(self.name.as_bytes()) {
            return (self.is_glued || word.len() == self.name.len()).then_some(self.name.len());
        }
        let beside = |byte: &&u8| self.beside.as_bytes().contains(byte);
        let before = word.strip_prefix(dash)?.iter().take_while(beside).count();
        let end = dash.len() + before + 1;
        (before > 0 && word.get(end - 1) == letter.first()).then_some(end)
    }
}

/// The `at`th word that is no flag, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) part: Part,
}

/// Which part of a value is secret.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    All,
    /// What follows the first such sign: `user:secret`.
    After(&'static str),
    /// What stands between a slash and the last `@`: `user/secret@host`.
    Slash,
    /// All of it, if it looks drawn.
    Drawn,
}

impl Part {
    /// The secret part of the value at `start..end`.
    pub(super) fn of(self, text: &[u8], (start, end): (usize, usize)) -> Option<(usize, usize)> {
        let value = &text[start..end];
        let secret = match self {
            Self::All => (start, end),
            Self::Drawn if crate::key_value::looks_drawn(value) => (start, end),
            Self::Drawn => return None,
            Self::After(sign) => (start + memchr::memmem::find(value, sign.as_bytes())? + sign.len(), end),
            Self::Slash => {
                let slash = memchr::memchr(b'/', value)?;
                let host = memchr::memrchr(b'@', value).unwrap_or(value.len());
                (start + slash + 1, start + host.max(slash + 1))
            }
        };
        (secret.0 < secret.1).then_some(secret)
    }
}

const fn program(names: &'static [&'static str], flags: &'static [Flag]) -> Program {
    Program { names, after: &[], flags, place: None }
}

const fn program_with(
    names: &'static [&'static str],
    after: &'static [&'static str],
    flags: &'static [Flag],
    place: Option<Place>,
) -> Program {
    Program { names, after, flags, place }
}

/// Words to watch for: names of [`PROGRAMS`], or what several of them begin with.
pub(crate) const WATCHED: [&str; 43] = [
    "mysql",
    "mariadb",
    "mariabackup",
    "xtrabackup",
    "curl",
    "sshpass",
    "redis-cli",
    "valkey-cli",
    "docker",
    "podman",
    "nerdctl",
    "buildah",
    "skopeo",
    "helm",
    "oras",
    "mongo",
    "ldapsearch",
    "ldapadd",
    "ldapmodify",
    "ldapdelete",
    "ldapwhoami",
    "sqlcmd",
    "openssl",
    "etcdctl",
    "cqlsh",
    "influx",
    "rabbitmqctl",
    "sqlplus",
    "smbclient",
    "oc login",
    "az login",
    "vault login",
    "convertto-securestring",
    "keytool",
    "jarsigner",
    "http -",
    "https -",
    "ipmitool",
    "mosquitto_",
    "7z a",
    "lftp",
    "mc alias",
    "gh secret",
];

const USER_AND_PASSWORD: Part = Part::After(":");

pub(super) const PROGRAMS: [Program; 25] = [
    // Without a value behind it, `-p` asks; the next word is the database.
    program(
        &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlcheck",
            "mysqlimport",
            "mysqlshow",
            "mysqlslap",
            "mysqlbinlog",
            "mysqlpump",
            "mysqlsh",
            "mysql_upgrade",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "mariadb-check",
            "mariadb-import",
            "mariabackup",
            "xtrabackup",
        ],
        &[Flag::new("-p", Part::All).glued()],
    ),
    program(
        &["curl"],
        &[
            Flag::new("-u", USER_AND_PASSWORD).beside("fgiIjkLNOqsSv46"),
            Flag::new("-U", USER_AND_PASSWORD).beside("fgiIjkLNOqsSv46"),
            Flag::new("--user", USER_AND_PASSWORD),
            Flag::new("--proxy-user", USER_AND_PASSWORD),
        ],
    ),
    program(&["sshpass"], &[Flag::new("-p", Part::All)]),
    program(&["redis-cli", "valkey-cli"], &[Flag::new("-a", Part::All), Flag::new("--pass", Part::All)]),
    program_with(
        &["docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "oc", "az"],
        &["login"],
        &[Flag::new("-p", Part::All)],
        None,
    ),
    program(
        &[
            "mongo",
            "mongosh",
            "mongodump",
            "mongorestore",
            "mongoexport",
            "mongoimport",
            "mongostat",
            "mongotop",
        ],
        &[Flag::new("-p", Part::All)],
    ),
    program(
        &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami"],
        &[Flag::new("-w", Part::All)],
    ),
    program(&["sqlcmd"], &[Flag::new("-P", Part::All)]),
    program(
        &["openssl"],
        &[
            Flag::new("-passin", Part::After("pass:")),
            Flag::new("-passout", Part::After("pass:")),
            Flag::new("-pass", Part::After("pass:")),
            Flag::new("-k", Part::All),
        ],
    ),
    program(&["etcdctl"], &[Flag::new("--user", USER_AND_PASSWORD)]),
    program(&["cqlsh"], &[Flag::new("-p", Part::All)]),
    program(&["influx"], &[Flag::new("-password", Part::All)]),
    program_with(
        &["rabbitmqctl"],
        &["add_user", "change_password", "authenticate_user"],
        &[],
        Some(Place { at: 2, part: Part::All }),
    ),
    program_with(&["sqlplus"], &[], &[], Some(Place { at: 1, part: Part::Slash })),
    program_with(&["vault"], &["login"], &[], Some(Place { at: 1, part: Part::Drawn })),
    program_with(
        &["convertto-securestring"],
        &[],
        &[Flag::new("-String", Part::All)],
        Some(Place { at: 1, part: Part::Drawn }),
    ),
    program(
        &["keytool", "jarsigner"],
        &[
            Flag::new("-storepass", Part::All),
            Flag::new("-keypass", Part::All),
            Flag::new("-srcstorepass", Part::All),
            Flag::new("-deststorepass", Part::All),
            Flag::new("-srckeypass", Part::All),
            Flag::new("-destkeypass", Part::All),
        ],
    ),
    program(&["smbclient"], &[Flag::new("-U", Part::After("%"))]),
    program(
        &["http", "https"],
        &[Flag::new("-a", USER_AND_PASSWORD), Flag::new("--auth", USER_AND_PASSWORD)],
    ),
    program(&["ipmitool"], &[Flag::new("-P", Part::All)]),
    program(&["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"], &[Flag::new("-P", Part::All)]),
    program(&["7z", "7za", "7zz"], &[Flag::new("-p", Part::All).glued()]),
    program(&["lftp"], &[Flag::new("-u", Part::After(","))]),
    program_with(&["mc"], &["set"], &[], Some(Place { at: 4, part: Part::All })),
    program_with(&["gh"], &["set"], &[Flag::new("--body", Part::All), Flag::new("-b", Part::All)], None),
];
