//! The values that a template leaves out.

use log_template::Miner;

#[test]
fn the_values_of_a_line_are_found_by_its_template() {
    let mut miner = Miner::default();
    let line = "2026-01-02 03:04:05 WARN [pool-3] a.b.C: upstream 10.0.0.7:8080 took 1500 ms for /api/v1/items?page=2";
    let id = miner.observe(line.as_bytes()).template;
    let template = miner.template(id).expect("it was just seen");
    assert_eq!(template.to_string(), "upstream <*> took <*> for <*>");
    let values = template.values(line.as_bytes()).expect("it is of this template");
    let texts: Vec<&str> = values.iter().map(|place| &line[place.clone()]).collect();
    assert_eq!(texts, ["10.0.0.7:8080", "1500 ms", "/api/v1/items?page=2"]);
}

#[test]
fn a_line_of_another_template_has_no_values() {
    let mut miner = Miner::default();
    let id = miner.observe(b"took 15 ms").template;
    let template = miner.template(id).expect("it was just seen");
    assert_eq!(template.values(b"lost 15 ms"), None);
    assert_eq!(template.values(b"took 15 ms for it"), None);
    assert_eq!(template.values(b"took: 15 ms"), None);
}

#[test]
fn every_line_has_the_values_of_its_template() {
    for (name, lines) in crate::logs() {
        let mut miner = Miner::default();
        let ids = crate::ids(&mut miner, lines.iter().map(Vec::as_slice));
        for (line, id) in lines.iter().zip(ids) {
            let template = miner.template(id).expect("few templates are never forgotten");
            let values = template.values(line);
            let shown = (String::from_utf8_lossy(line), template.to_string());
            let values = values.unwrap_or_else(|| panic!("{name}: no values in {shown:?}"));
            assert_eq!(values.len(), template.to_string().matches("<*>").count(), "{shown:?}");
            assert!(values.is_sorted_by(|a, b| a.end <= b.start), "{shown:?}: {values:?}");
        }
    }
}
