//! Programs of many kinds, by lines made up here after their formats: is the head taken off, are values left out?

use std::collections::BTreeSet;

use log_template::Miner;

use crate::score::score;

/// So many lines of each statement.
const EACH: usize = 12;

/// The lines of one program, and of which statement each is.
struct Program {
    name: &'static str,
    lines: Vec<String>,
    labels: Vec<String>,
}

/// What `formats.txt` says, with values drawn for its places; always the same.
fn programs() -> Vec<Program> {
    let mut random = Random(11);
    let (_, parts) = include_str!("formats.txt").split_once("\n\n").unwrap_or_default();
    parts.split("\n\n").map(|part| Program::new(part, &mut random)).collect()
}

impl Program {
    /// The statements come in turn, as those of a running program do.
    fn new(part: &'static str, random: &mut Random) -> Self {
        let mut lines = part.lines();
        let name = lines.next().unwrap_or_default().trim_start_matches("# ");
        let mut head = "";
        let mut statements = Vec::new();
        for line in lines {
            match line.strip_prefix("= ") {
                Some(next) => head = next,
                // The message of JSON and of logfmt begins within quotes.
                None if head.ends_with('"') => statements.push(format!("{head}{line}")),
                None => statements.push(format!("{head} {line}")),
            }
        }
        let turns = || statements.iter().cycle().take(statements.len() * EACH);
        Self {
            name,
            lines: turns().map(|statement| random.fill(statement)).collect(),
            labels: turns().cloned().collect(),
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn one_of(&mut self, all: &[&str]) -> String {
        all[self.below(all.len() as u64) as usize].to_owned()
    }

    fn digits(&mut self, count: u64) -> String {
        (0..count).map(|_| self.below(10).to_string()).collect()
    }

    fn hexadecimal(&mut self, count: u64) -> String {
        (0..count).map(|_| format!("{:x}", self.below(16))).collect()
    }

    fn fill(&mut self, pattern: &str) -> String {
        let mut line = String::new();
        let mut rest = pattern;
        while let Some(open) = rest.find('{') {
            line.push_str(&rest[..open]);
            rest = &rest[open + 1..];
            let close = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
            match self.value(&rest[..close]).filter(|_| rest[close..].starts_with('}')) {
                Some(value) => {
                    line.push_str(&value);
                    rest = &rest[close + 1..];
                }
                None => line.push('{'),
            }
        }
        line + rest
    }

    fn value(&mut self, place: &str) -> Option<String> {
        const NAMES: [&str; 16] = [
            "cart", "ledger", "falcon", "harbor", "mango", "pilot", "quartz", "raven", "sierra", "tundra",
            "umbra", "velvet", "willow", "xenon", "yonder", "zephyr",
        ];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let two = |number: u64| format!("{number:02}");
        Some(match place {
            "Y" => (2005 + self.below(22)).to_string(),
            "M" => two(1 + self.below(12)),
            "D" => two(1 + self.below(28)),
            "D1" => format!("{:2}", 1 + self.below(28)),
            "h" => two(self.below(24)),
            "m" | "s" => two(self.below(60)),
            "h1" => self.below(24).to_string(),
            "m1" | "s1" => self.below(60).to_string(),
            "thread" => self.one_of(&[
                "main",
                "IPC Server handler 3 on 62270",
                "RMCommunicator Allocator",
                "AsyncDispatcher event handler",
                "Thread-7",
            ]),
            "b" => self.one_of(&MONTHS),
            "a" => self.one_of(&["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
            "n" => {
                let most = 10_u64.pow(1 + self.below(5) as u32);
                (1 + self.below(most)).to_string()
            }
            "f" => format!("{}.{}", self.below(300), self.digits(3)),
            "x" => format!("0x{}", self.hexadecimal(8)),
            "id" => self.hexadecimal(16),
            "uuid" => [8, 4, 4, 4, 12].map(|count| self.hexadecimal(count)).join("-"),
            "mac" => [2; 6].map(|count| self.hexadecimal(count)).join(":"),
            "ip" => [10, self.below(250), self.below(250), 1 + self.below(250)]
                .map(|octet| octet.to_string())
                .join("."),
            "name" => self.one_of(&NAMES),
            "path" => format!("/api/{}/{}", self.one_of(&NAMES), self.below(10_000)),
            "host" => format!("{}.shop.example.com", self.one_of(&NAMES)),
            "url" => format!("https://{}.example.com/{}", self.one_of(&NAMES), self.below(100)),
            count => self.digits(count.parse().ok()?),
        })
    }
}

#[test]
fn lines_of_any_program_are_grouped_by_their_statements() {
    let mut missed = Vec::new();
    let programs = programs();
    assert!(programs.len() >= 30);
    let mut accuracy = 0.0;
    for program in &programs {
        let mut miner = Miner::default();
        let ids = crate::ids(&mut miner, program.lines.iter().map(String::as_bytes));
        let score = score(&ids, &program.labels);
        accuracy += score.accuracy / programs.len() as f64;
        if score.accuracy < 1.0 {
            let of = |label: &String| {
                let pairs = ids.iter().zip(&program.labels).filter(|(_, other)| *other == label);
                let templates = pairs.filter_map(|(id, _)| miner.template(*id)).map(ToString::to_string);
                templates.collect::<BTreeSet<_>>()
            };
            let labels: BTreeSet<&String> = program.labels.iter().collect();
            let shown: Vec<_> = labels.into_iter().map(|label| (label, of(label))).collect();
            println!("{}: {:.3} {:#?}", program.name, score.accuracy, shown);
            missed.push(program.name);
        }
    }
    println!("{accuracy:.3} on average, of {} programs; not all of {missed:?}", programs.len());
    assert!(accuracy >= 0.95);
}
