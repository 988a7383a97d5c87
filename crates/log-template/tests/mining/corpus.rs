//! What fuzzing has found worth keeping, as an ordinary test.

use std::path::Path;

use crate::property;

fn replay(name: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("a corpus in the repository") {
        let path = entry.expect("a readable folder").path();
        println!("{}", path.display());
        check(&std::fs::read(path).expect("a readable file"));
        count += 1;
    }
    assert!(count > 10, "{count} inputs in {}", folder.display());
}

#[test]
fn every_log_that_fuzzing_kept_is_read() {
    replay("mine", property::mine);
}

#[test]
fn every_state_that_fuzzing_kept_is_refused_or_harmless() {
    replay("state", property::state);
}
