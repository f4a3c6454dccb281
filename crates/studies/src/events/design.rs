//! NSD design files: the number of the shown image, one integer per volume.

use std::path::Path;

use brainmae_files::CommonErrors as _;
use brainmae_files::id::ScanId;

use super::Event;
use crate::error::{EventProblem, StudyError};

/// An image is shown for 3 s of its trial of 4 s (NSD data manual, "Experiments").
const SHOWN_SECS: f64 = 3.0;

/// Images of the experiment, numbered from 1.
const N_IMAGES: u32 = 73_000;

/// Reads a design file: `n` where image `n` of the 73,000 begins, 0 in other volumes.
///
/// Each run of equal numbers above zero is one event of condition `image-00042`. It begins at its
/// first volume and lasts 3 s, the time that the image was shown: the file marks the start of a
/// trial but not its end.
///
/// # Errors
/// [`StudyError::Events`] for a value that is not an image number; [`StudyError::Files`] when the
/// file cannot be read.
pub fn read_design(path: &Path, scan: &ScanId, tr_secs: f64) -> Result<Vec<Event>, StudyError> {
    let text = std::fs::read_to_string(path).map_err(StudyError::io("read", path))?;
    let mut events = Vec::new();
    let mut volume = 0_u32;
    let mut before = 0;
    for (line, words) in text.trim_end().lines().enumerate() {
        let refuse = |problem| StudyError::events(path, line as u64 + 1, problem);
        if words.trim().is_empty() {
            return Err(refuse(EventProblem::EmptyLine));
        }
        for word in words.split_whitespace() {
            let image: u32 = word
                .parse()
                .ok()
                .filter(|image| *image <= N_IMAGES)
                .ok_or_else(|| {
                    refuse(EventProblem::NotAnImage {
                        found: word.to_owned(),
                        n_images: N_IMAGES,
                    })
                })?;
            if image != 0 && image != before {
                events.push(Event {
                    scan: scan.clone(),
                    condition: format!("image-{image:05}"),
                    onset_secs: f64::from(volume) * tr_secs,
                    duration_secs: SHOWN_SECS,
                });
            }
            before = image;
            volume = volume.saturating_add(1);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::super::tests::refused;
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, tr_secs: f64) -> Result<Vec<Event>, StudyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("design.tsv");
        std::fs::write(&path, text).unwrap();
        read_design(&path, &"a".into(), tr_secs)
    }

    fn found(text: &str, tr_secs: f64) -> Vec<(String, f64, f64)> {
        let events = read(text, tr_secs).unwrap();
        let parts = |event: Event| (event.condition, event.onset_secs, event.duration_secs);
        events.into_iter().map(parts).collect()
    }

    #[test]
    fn an_image_begins_where_its_number_does() {
        assert_eq!(
            found("0\n0\n42\n0\n0\n0\n73000\n73000\n1\n0\n", 1.0),
            [
                ("image-00042".into(), 2.0, 3.0),
                ("image-73000".into(), 6.0, 3.0),
                ("image-00001".into(), 8.0, 3.0)
            ]
        );
    }

    #[test]
    fn an_image_shown_again_after_a_gap_is_a_second_event() {
        // A trial of 4 s is three volumes of 4/3 s.
        assert_eq!(
            found("7\t0\t0\t7\t0\t0", 4.0 / 3.0),
            [
                ("image-00007".into(), 0.0, 3.0),
                ("image-00007".into(), 4.0, 3.0)
            ]
        );
    }

    #[test]
    fn a_run_at_rest_has_no_events() {
        assert_eq!(found("0\r\n0\r\n", 1.0), []);
        assert_eq!(found("", 1.0), []);
    }

    #[test]
    fn what_is_no_image_is_refused_with_its_line() {
        let no_image = |found: &str| EventProblem::NotAnImage {
            found: found.into(),
            n_images: 73_000,
        };
        for (text, line, expected) in [
            ("0\nx\n", 2, no_image("x")),
            ("0\n-1\n", 2, no_image("-1")),
            ("0\n0\n73001\n", 3, no_image("73001")),
            ("0\n1.5\n", 2, no_image("1.5")),
            ("0\n\n5\n", 2, EventProblem::EmptyLine),
        ] {
            assert_eq!(refused(read(text, 1.0)), (line, expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_design_or_an_error(text in "[0-9 \t\n\\PC]{0,100}") {
            if let Ok(events) = read(&text, 1.0) {
                prop_assert!(events.len() <= text.len());
            }
        }
    }
}
