//! Rules about documents: what must exist, links that lead somewhere, and translations that tell people to do the
//! same.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{Broken, File};

const AT_THE_ROOT: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs/README.md"];
/// Every package of these folders is released, and has both.
const RELEASED: [&str; 2] = ["crates/", "operators/"];
/// How the name of a page in Chinese ends.
const TRANSLATION: &str = ".zh.md";
const PER_PACKAGE: [&str; 2] = ["README.md", "CHANGELOG.md"];

pub(crate) fn check(files: &[File]) -> Vec<Broken> {
    let paths: BTreeSet<_> = files.iter().map(|file| file.path.as_str()).collect();
    let mut broken = Vec::new();
    for path in AT_THE_ROOT {
        if !paths.contains(path) {
            broken.push(Broken::at(path, "is missing"));
        }
    }
    for package in files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml")) {
        let released = RELEASED.iter().any(|folder| package.starts_with(folder)) && !package.contains("fuzz");
        for name in PER_PACKAGE.into_iter().filter(|_| released) {
            let path = format!("{package}/{name}");
            if !paths.contains(path.as_str()) {
                broken.push(Broken::at(path, "is missing"));
            }
        }
    }
    broken.extend(files.iter().filter_map(|file| {
        let original = format!("{}.md", file.path.strip_suffix(TRANSLATION)?);
        let original = files.iter().find(|other| other.path == original);
        let same = original.is_some_and(|original| code(&original.text).eq(code(&file.text)));
        (!same).then(|| Broken::at(&file.path, "its code blocks are not those of the page it translates"))
    }));
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (number, target) in links(&file.text) {
            if !leads_somewhere(&file.path, target, &paths) {
                let place = format!("{}:{number}", file.path);
                broken.push(Broken::at(place, format!("`{target}` leads nowhere")));
            }
        }
    }
    broken
}

/// The lines inside of code blocks, with the lines that begin and end them.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        inside || fence
    })
}

/// The targets of `[text](target)` with their lines, code blocks left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((number + 1, target));
            }
        }
    }
    found
}

/// Whether a relative link names a tracked file or folder. Addresses and anchors are not followed.
fn leads_somewhere(from: &str, target: &str, paths: &BTreeSet<&str>) -> bool {
    let target = target.split('#').next().unwrap_or_default();
    // An intra-doc link of a crate's README is rustdoc's to check.
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") || target.contains("::") {
        return true;
    }
    let Some(folder) = Path::new(from).parent() else { return false };
    let mut resolved = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::ParentDir if !resolved.pop() => return false,
            Component::Normal(part) => resolved.push(part),
            _ => {}
        }
    }
    let resolved = resolved.to_string_lossy();
    let inside = format!("{resolved}/");
    resolved.is_empty() || paths.contains(&*resolved) || paths.iter().any(|path| path.starts_with(&inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(files: &[(&str, &str)]) -> Vec<String> {
        let mut all: Vec<_> = AT_THE_ROOT.iter().map(|path| (*path, "")).collect();
        all.retain(|(path, _)| !files.iter().any(|(other, _)| path == other));
        all.extend(files);
        let all: Vec<_> = all
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        check(&all).into_iter().map(|broken| format!("{}: {}", broken.place, broken.what)).collect()
    }

    #[test]
    fn a_released_package_without_a_changelog_is_found() {
        let files = [("crates/a/Cargo.toml", ""), ("crates/a/README.md", ""), ("xtask/Cargo.toml", "")];
        assert_eq!(broken(&files), ["crates/a/CHANGELOG.md: is missing"]);
    }

    #[test]
    fn links_to_files_and_folders_and_out_of_the_tree_are_fine() {
        let text =
            "[a](../README.md#top) [b](adr) [c](https://example.com/x) [d](#here)\n```\n[e](gone)\n```\n";
        assert_eq!(broken(&[("docs/README.md", text), ("docs/adr/0001.md", "")]), Vec::<String>::new());
    }

    #[test]
    fn a_translation_whose_commands_have_fallen_behind_is_found() {
        let page = |greeting: &str, command: &str| format!("{greeting}\n```sh\n{command}\n```\n{greeting}\n");
        let (english, chinese) = (page("Hello", "ls"), page("你好", "ls"));
        assert_eq!(broken(&[("docs/a.md", &english), ("docs/a.zh.md", &chinese)]), Vec::<String>::new());
        let what = "docs/a.zh.md: its code blocks are not those of the page it translates";
        let behind = page("你好", "dir");
        assert_eq!(broken(&[("docs/a.md", &english), ("docs/a.zh.md", &behind)]), [what]);
        assert_eq!(broken(&[("docs/a.zh.md", &chinese)]), [what]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found_with_its_line() {
        assert_eq!(
            broken(&[("docs/README.md", "\nsee [a](gone.md)\n")]),
            ["docs/README.md:2: `gone.md` leads nowhere"]
        );
    }
}
