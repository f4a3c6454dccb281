use std::sync::Arc;

use brainmae_data::{BoldSeries, ScanRecord, ScanStatus};

use super::*;
use crate::Scan;

const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 5,
    n_segments: 2,
};

fn scan(n_volumes: usize) -> Scan {
    Scan {
        scan: "s".into(),
        subject: "p".into(),
        unit: "subject p".into(),
        series: Arc::new(BoldSeries::new(vec![0.0; n_volumes], 1, 1.0).expect("finite")),
        confounds: Vec::new(),
        site: None,
        computed: Default::default(),
    }
}

fn record() -> ScanRecord {
    ScanRecord {
        scan: "s".into(),
        subject: "p".into(),
        session: None,
        task: None,
        tr_secs: 1.0,
        n_volumes: 20,
        kept_volumes: 20,
        mean_fd_mm: None,
        variant: None,
        quality: Default::default(),
        source: String::new(),
        status: ScanStatus::Included,
        reason: None,
    }
}

fn event(condition: &str, onset_secs: f64, duration_secs: f64) -> Event {
    Event {
        scan: "s".into(),
        condition: condition.into(),
        onset_secs,
        duration_secs,
    }
}

/// First volumes and classes of a scan of 20 volumes of 1 s, and the number of mixed stretches.
fn read(spec: &StateSpec, events: &[Event]) -> (Vec<(usize, String)>, usize) {
    let (scan, record) = (scan(20), record());
    let seen = Seen {
        number: 0,
        scan: &scan,
        record: &record,
        subject: None,
    };
    let truths = spec
        .read("t", &[&seen], events, &LAYOUT)
        .expect("known conditions");
    let found = truths.examples.iter().zip(&truths.truth);
    let found = found.map(|(e, t)| (e.start_volume, truths.classes[*t as usize].clone()));
    (found.collect(), truths.n_mixed)
}

fn face_and_house() -> Vec<Event> {
    vec![event("face", 0.0, 6.0), event("house", 6.0, 6.0)]
}

fn at(start: usize, class: &str) -> (usize, String) {
    (start, class.to_string())
}

#[test]
fn a_segment_shows_what_fills_most_of_it() {
    let spec = StateSpec {
        delay_secs: 0.0,
        ..StateSpec::default()
    };
    // 0-5 face; 5-10 one second of face and four of house; 10-15 two of house; 15-20 no event.
    let (found, mixed) = read(&spec, &face_and_house());
    assert_eq!(found, [at(0, "face"), at(5, "house")]);
    assert_eq!(mixed, 1);
    let strict = StateSpec {
        least_share: 0.9,
        ..spec
    };
    assert_eq!(read(&strict, &face_and_house()), (vec![at(0, "face")], 2));
}

#[test]
fn the_response_comes_later_than_the_event() {
    // Delayed by 5 s: 5-10 face; 10-15 one of face and four of house.
    let (found, _) = read(&StateSpec::default(), &face_and_house());
    assert_eq!(found, [at(5, "face"), at(10, "house")]);
}

#[test]
fn rest_is_a_class_when_asked_for() {
    let spec = StateSpec {
        rest: true,
        ..StateSpec::default()
    };
    let (found, _) = read(&spec, &face_and_house());
    let expected = [
        at(0, "rest"),
        at(5, "face"),
        at(10, "house"),
        at(15, "rest"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn conditions_that_are_not_asked_for_are_left_out() {
    let spec = StateSpec {
        conditions: vec!["house".into()],
        ..StateSpec::default()
    };
    assert_eq!(read(&spec, &face_and_house()).0, [at(10, "house")]);
}

/// Releases list trials and responses in addition to the blocks that contain them.
#[test]
fn events_within_others_change_nothing_unless_asked_for() {
    let mut events = face_and_house();
    events.extend((0..6).map(|i| event("trial", 2.0 * f64::from(i), 2.0)));
    let spec = StateSpec {
        conditions: vec!["face".into(), "house".into()],
        delay_secs: 0.0,
        ..StateSpec::default()
    };
    let (found, mixed) = read(&spec, &events);
    assert_eq!((found, mixed), read(&spec, &face_and_house()));
    // Seconds 10 to 12 are trials; the remainder of that segment is rest.
    let with_rest = StateSpec { rest: true, ..spec };
    let (found, _) = read(&with_rest, &events);
    let expected = [
        at(0, "face"),
        at(5, "house"),
        at(10, "rest"),
        at(15, "rest"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn events_and_volumes_are_stretches_too() {
    let of = |stretch| StateSpec {
        stretch,
        delay_secs: 0.0,
        ..StateSpec::default()
    };
    let (events, _) = read(&of(Stretch::Event), &face_and_house());
    assert_eq!(events, [at(0, "face"), at(6, "house")]);
    let (volumes, mixed) = read(&of(Stretch::Volume), &face_and_house());
    assert_eq!((volumes.len(), mixed), (12, 0));
    assert_eq!(
        (&volumes[5], &volumes[6]),
        (&at(5, "face"), &at(6, "house"))
    );
}

#[test]
fn unknown_conditions_are_told_the_known_ones() {
    let spec = StateSpec {
        conditions: vec!["hose".into()],
        ..StateSpec::default()
    };
    let (scan, record) = (scan(20), record());
    let seen = Seen {
        number: 0,
        scan: &scan,
        record: &record,
        subject: None,
    };
    let error = spec
        .read("t", &[&seen], &face_and_house(), &LAYOUT)
        .err()
        .expect("unknown");
    let DownstreamError::Config {
        field,
        found,
        expected,
    } = error
    else {
        panic!("expected a setting, found {error}")
    };
    assert_eq!(
        (field.as_str(), found.as_str()),
        ("targets.t.state.conditions", "hose")
    );
    assert_eq!(expected, r#"conditions of these scans: ["face", "house"]"#);
}
