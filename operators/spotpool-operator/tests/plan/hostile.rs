//! What holds of every plan ([`crate::observed`]), over the corpus that the fuzzer left and over random input.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::observed::check;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_read_nothing_is_terminated_that_is_not_ours(
        input in prop::collection::vec(any::<u8>(), 0..1500),
    ) {
        check(&input);
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/plan");
    let files: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 20, "{} files", files.len());
    for file in files {
        check(&fs::read(file).unwrap());
    }
}
