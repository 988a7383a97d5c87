//! Rules about Cargo.toml files.

use super::{Broken, File};

/// Packages below this are published; no other is.
const LIBRARIES: &str = "crates/";

pub(crate) fn check(files: &[File]) -> Vec<Broken> {
    let members =
        files.iter().filter(|file| file.path.ends_with("/Cargo.toml") && !file.path.contains("fuzz/"));
    members.flat_map(|file| [versions(file), lints(file), published(file)].concat()).collect()
}

/// The lines of a manifest with their number and the section they are in.
fn lines(file: &File) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut section = "";
    file.text.lines().enumerate().filter_map(move |(number, line)| {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            return None;
        }
        Some((number + 1, section, line))
    })
}

/// Every dependency is the workspace's, so that one look at the root manifest tells all versions.
fn versions(file: &File) -> Vec<Broken> {
    lines(file)
        .filter(|(_, section, line)| {
            section.ends_with("dependencies")
                && line.contains('=')
                && !line.starts_with('#')
                && !line.contains("workspace = true")
        })
        .map(|(number, _, line)| {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            Broken::at(
                format!("{}:{number}", file.path),
                format!("write `{name}.workspace = true`, and its version into the root Cargo.toml"),
            )
        })
        .collect()
}

fn lints(file: &File) -> Vec<Broken> {
    let inherited = lines(file).any(|(_, section, line)| section == "lints" && line == "workspace = true");
    let what = "add `[lints]` with `workspace = true`";
    (!inherited).then(|| Broken::at(&file.path, what)).into_iter().collect()
}

fn published(file: &File) -> Vec<Broken> {
    let private = lines(file).any(|(_, section, line)| section == "package" && line == "publish = false");
    match (file.path.starts_with(LIBRARIES), private) {
        (true, true) => vec![Broken::at(&file.path, "a library is published: remove `publish = false`")],
        (false, false) => vec![Broken::at(&file.path, "only libraries are published: add `publish = false`")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&[file]).into_iter().map(|broken| format!("{}: {}", broken.place, broken.what)).collect()
    }

    const GOOD: &str = "[package]\nname = \"a\"\n\n[dependencies]\nserde.workspace = true\n\
                        kube = { workspace = true, features = [\n    \"client\",\n] }\n\n\
                        [lints]\nworkspace = true\n";

    #[test]
    fn a_library_that_inherits_everything_is_fine() {
        assert_eq!(broken("crates/a/Cargo.toml", GOOD), Vec::<String>::new());
    }

    #[test]
    fn a_version_outside_the_root_manifest_is_found() {
        let text = GOOD.replace("serde.workspace = true", "serde = \"1\"");
        let found = broken("crates/a/Cargo.toml", &text);
        assert!(found[0].starts_with("crates/a/Cargo.toml:5: write `serde.workspace"), "{found:?}");
    }

    #[test]
    fn lints_are_the_workspaces() {
        let text = GOOD.replace("[lints]\nworkspace = true\n", "");
        assert_eq!(broken("crates/a/Cargo.toml", &text).len(), 1);
    }

    #[test]
    fn only_libraries_are_published() {
        assert!(broken("operators/a/Cargo.toml", GOOD)[0].contains("publish = false"));
        let private = GOOD.replace("name = \"a\"\n", "name = \"a\"\npublish = false\n");
        assert_eq!(broken("operators/a/Cargo.toml", &private), Vec::<String>::new());
        assert_eq!(broken("crates/a/Cargo.toml", &private).len(), 1);
    }
}
