//! What must hold whatever the bytes are. Shared with the fuzz targets.

use log_template::{Config, Event, Joiner, Miner};

/// `bytes` as a log: the first byte chooses how much is remembered, and whether the state is saved, loaded and absorbed.
pub(crate) fn mine(bytes: &[u8]) {
    let Some((&choice, log)) = bytes.split_first() else { return };
    let mut config = Config::default();
    if choice & 1 == 1 {
        (config.most_templates, config.most_shapes) = (6, 12);
    }
    let mut joiner = Joiner::default();
    let mut events: Vec<Event> =
        log.split(|&byte| byte == b'\n').filter_map(|line| joiner.push(line)).collect();
    events.extend(joiner.finish());
    assert_eq!(lines(&events).join(&b'\n'), log, "no line is lost");

    let mut miner = Miner::new(config.clone());
    for event in &events {
        observe(&mut miner, &event.headline());
    }
    if choice & 6 == 6 {
        restart_and_absorb(&miner, config, &events);
    }
}

/// The lines of all events, in the order of the log.
pub(crate) fn lines(events: &[Event]) -> Vec<&[u8]> {
    let mut lines: Vec<(u64, &[u8])> = events
        .iter()
        .flat_map(|event| event.places().flatten().zip(event.text().split(|&byte| byte == b'\n')))
        .collect();
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn restart_and_absorb(miner: &Miner, config: Config, events: &[Event]) {
    let saved = miner.save();
    let mut loaded = Miner::load(&saved).expect("its own state");
    assert_eq!(loaded.save(), saved, "a state comes back as it was");
    let mut half = Miner::new(config);
    for event in events.iter().step_by(2) {
        observe(&mut half, &event.headline());
    }
    for adopted in loaded.absorb(&half) {
        assert_eq!(loaded.resolve(adopted.ours), adopted.ours);
    }
    for event in events {
        observe(&mut loaded, &event.headline());
    }
}

/// A line is of the template that it is said to be of.
fn observe(miner: &mut Miner, line: &[u8]) {
    let id = miner.observe(line).template;
    let template = miner.template(id).expect("the template of the last line is never forgotten");
    let values = template.values(line).expect("a line fits its template");
    assert!(values.iter().all(|place| place.start <= place.end && place.end <= line.len()));
    assert!(values.is_sorted_by(|a, b| a.end <= b.start));
}

/// `content` as a state whose head is right.
pub(crate) fn state(content: &[u8]) {
    let mut bytes = Miner::default().save()[..12].to_vec();
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    bytes.extend_from_slice(content);
    let Ok(mut miner) = Miner::load(&bytes) else { return };
    for line in ["took 7 ms", "user ann logged in", "user bob logged in", "a, 1, 2, 3, 4"] {
        let id = miner.observe(line.as_bytes()).template;
        let _ = miner.template(id).map(ToString::to_string);
    }
    let mut other = Miner::default();
    other.absorb(&miner);
    miner.absorb(&other);
    let is_absurd = miner.lines() > 1 << 60;
    assert!(is_absurd || Miner::load(&miner.save()).is_ok(), "what was loaded can be saved and loaded");
}
