//! The inputs from which the fuzzer (`fuzz/`) starts, and what it found.

use feishu::answer::{Answer, read};
use http::StatusCode;

#[test]
fn the_corpus_of_the_fuzzer_is_read_and_only_what_says_so_is_done() {
    let corpus = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).expect("the corpus");
    let mut inputs = 0;
    for file in corpus {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).expect("its bytes");
        let answer = read(StatusCode::OK, &bytes);
        assert_eq!(matches!(answer, Ok(Answer::Done)), name.starts_with("done"), "{name}: {answer:?}");
        if let Some((code, _)) =
            name.strip_prefix("refused_").map(|rest| rest.split_once('_').unwrap_or((rest, "")))
        {
            let Ok(Answer::Refused(refusal)) = &answer else { panic!("{name}: {answer:?}") };
            assert_eq!(refusal.code.to_string(), code);
            assert_ne!(refusal.class(), feishu::Class::Other, "{name}");
        }
        assert_ne!(read(StatusCode::BAD_REQUEST, &bytes), Ok(Answer::Done), "{name}");
        inputs += 1;
    }
    assert!(inputs >= 25, "{inputs}");
}
