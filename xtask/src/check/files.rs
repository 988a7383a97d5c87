//! Rules about the text of files.

use std::path::Path;

use super::{Broken, File};

/// A longer file is two ideas in one.
const MOST_LINES: usize = 500;
/// Modules are nouns of the domain; these collect what had no name.
const DRAWERS: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
const SOURCE: [&str; 3] = ["rs", "py", "sh"];

pub(crate) fn check(files: &[File]) -> Vec<Broken> {
    files
        .iter()
        .flat_map(|file| [length(file), drawer(file), machine_path(file), unfinished(file)].concat())
        .collect()
}

fn extension(path: &str) -> &str {
    Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn length(file: &File) -> Vec<Broken> {
    let lines = file.text.lines().count();
    let too_long = SOURCE.contains(&extension(&file.path)) && lines > MOST_LINES;
    let what = format!("{lines} lines: split it by topic, at most {MOST_LINES}");
    too_long.then(|| Broken::at(&file.path, what)).into_iter().collect()
}

fn drawer(file: &File) -> Vec<Broken> {
    let named = Path::new(&file.path).with_extension("");
    let of_rust = extension(&file.path) == "rs";
    let part = named.iter().filter_map(|part| part.to_str()).find(|part| DRAWERS.contains(part));
    match part {
        Some(part) if of_rust => {
            vec![Broken::at(&file.path, format!("`{part}` says nothing: name the thing it is about"))]
        }
        _ => Vec::new(),
    }
}

/// A path that exists on one machine only. The patterns are put together here, lest this file breaks its
/// own rule.
fn machine_path(file: &File) -> Vec<Broken> {
    let homes = ["home", "root", "Users", "work"].map(|home| format!("/{home}/"));
    let mut broken = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let path = homes.iter().find(|home| {
            line.match_indices(home.as_str()).any(|(at, _)| {
                // Part of a longer path or of an address is fine: `docs/home/`, `https://host/home/`.
                !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "._-/}*)>".contains(c))
            })
        });
        if let Some(path) = path {
            let place = format!("{}:{}", file.path, number + 1);
            broken.push(Broken::at(place, format!("`{path}...` exists on one machine only")));
        }
    }
    broken
}

/// What must not be committed: work left for later, checks switched off.
fn unfinished(file: &File) -> Vec<Broken> {
    if extension(&file.path) != "rs" {
        return Vec::new();
    }
    let later = ["TO", "FIX"].map(|word| format!("{word}{}", if word == "TO" { "DO" } else { "ME" }));
    let patterns = [
        (later[0].as_str(), "do it now, or file an issue"),
        (later[1].as_str(), "do it now, or file an issue"),
        (concat!("#[ig", "nore"), "a test that does not run proves nothing"),
        (concat!("allow(dead", "_code)"), "remove what nobody uses"),
        (concat!("thread::sle", "ep("), "poll a condition with a deadline (testkit::wait)"),
    ];
    let mut broken = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for (pattern, what) in patterns {
            if line.contains(pattern) {
                broken.push(Broken::at(
                    format!("{}:{}", file.path, number + 1),
                    format!("`{pattern}`: {what}"),
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&[file]).into_iter().map(|broken| format!("{}: {}", broken.place, broken.what)).collect()
    }

    #[test]
    fn five_hundred_lines_are_enough() {
        assert_eq!(broken("src/pool.rs", &"line\n".repeat(500)), Vec::<String>::new());
        assert_eq!(broken("src/pool.rs", &"line\n".repeat(501)).len(), 1);
        assert_eq!(broken("Cargo.lock", &"line\n".repeat(9000)), Vec::<String>::new());
    }

    #[test]
    fn a_drawer_is_named() {
        assert_eq!(broken("crates/a/src/utils.rs", "").len(), 1);
        assert_eq!(broken("crates/a/src/common/mod.rs", "").len(), 1);
        assert_eq!(broken("crates/a/src/commonplace.rs", ""), Vec::<String>::new());
    }

    #[test]
    fn a_path_of_one_machine_is_found_with_its_line() {
        let text = format!("ok\nsee /{}/me/notes\n", "home");
        assert!(broken("docs/a.md", &text)[0].starts_with("docs/a.md:2: "));
        assert_eq!(broken("docs/a.md", "https://host/home/page and target/home/x"), Vec::<String>::new());
    }

    #[test]
    fn a_switched_off_test_is_found() {
        let text = concat!("#[te", "st]\n#[ig", "nore = \"slow\"]\nfn a() {}\n");
        assert!(broken("tests/a.rs", text)[0].starts_with("tests/a.rs:2: "));
    }
}
