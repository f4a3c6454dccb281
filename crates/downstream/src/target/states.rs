//! Transient mental states: the condition that a stretch of a scan shows.

use std::collections::BTreeMap;

use brainmae_data::{Event, SegmentLayout};
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::task::{LeftOut, Truths};
use crate::{DownstreamError, Example, Kind};

/// Name of the class of stretches without any event.
const REST: &str = "rest";

/// How the condition of a stretch is read from the events of its scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateSpec {
    /// Seconds from an event to its BOLD response: every event counts that much later.
    pub delay_secs: f64,
    /// Share of a stretch that a condition must fill; a stretch that none fills so far is mixed, and left out.
    pub least_share: f64,
    /// These conditions alone; all when nothing is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Stretches that rest fills so far are a class too.
    pub rest: bool,
    /// What is predicted for.
    pub stretch: Stretch,
    /// Segments to learn from start at every so many volumes; at every segment's end when nothing is said. Those that are tested, and
    /// those that decide, do not overlap in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_stride_trs: Option<usize>,
}

/// A stretch of a scan for which a condition is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// The segments that the model cuts a scan into, one after another.
    Segment,
    /// Each event, all of its volumes.
    Event,
    /// Each volume.
    Volume,
}

impl Default for StateSpec {
    fn default() -> Self {
        Self {
            delay_secs: 5.0,
            least_share: 0.5,
            conditions: Vec::new(),
            rest: false,
            stretch: Stretch::Segment,
            train_stride_trs: None,
        }
    }
}

impl StateSpec {
    pub(super) fn check(&self, name: &str) -> Result<(), DownstreamError> {
        let ranges = [
            ("delay_secs", self.delay_secs, 0.0..=60.0),
            // Above a half at most one condition fills a stretch; at a half, the first of two.
            ("least_share", self.least_share, 0.5..=1.0),
        ];
        if self.train_stride_trs == Some(0) {
            return Err(DownstreamError::Config {
                field: format!("downstream.targets.{name}.state.train_stride_trs"),
                found: "0".into(),
                expected: "at least 1".into(),
            });
        }
        for (field, value, range) in ranges {
            if !range.contains(&value) {
                return Err(DownstreamError::Config {
                    field: format!("downstream.targets.{name}.state.{field}"),
                    found: value.to_string(),
                    expected: format!("from {} to {}", range.start(), range.end()),
                });
            }
        }
        Ok(())
    }

    pub(super) fn read(
        &self,
        name: &str,
        seen: &[&Seen],
        events: &[Event],
        layout: &SegmentLayout,
    ) -> Result<Truths, DownstreamError> {
        let mut of_scan: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in events {
            of_scan.entry(event.scan.as_str()).or_default().push(event);
        }
        let none = Vec::new();
        let events_of = |seen: &Seen| of_scan.get(seen.scan.scan.as_str()).unwrap_or(&none);
        let classes = self.classes(name, seen.iter().flat_map(|seen| events_of(seen)).copied())?;
        let kind = Kind::Classification {
            n_classes: classes.len(),
        };
        let mut truths = Truths::new(kind, classes);
        for seen in seen {
            let events = events_of(seen);
            if events.is_empty() {
                truths
                    .left_out
                    .push(LeftOut::of(seen.scan, "the scan has no events".into()));
                continue;
            }
            for example in self.stretches(seen, events, layout, layout.segment_len_trs) {
                match self.condition(seen, example, events) {
                    Some(condition) => {
                        let class = truths.classes.iter().position(|c| c == condition);
                        // Of a condition that was not asked for.
                        let Some(class) = class else { continue };
                        truths.push(example, class as f64);
                    }
                    None => truths.n_mixed += 1,
                }
            }
            let (Stretch::Segment, Some(stride)) = (self.stretch, self.train_stride_trs) else {
                continue;
            };
            for example in self.stretches(seen, events, layout, stride) {
                let condition = self.condition(seen, example, events);
                let class = condition.and_then(|c| truths.classes.iter().position(|k| k == c));
                if let Some(class) = class {
                    truths.training.push((example, class as f64));
                }
            }
        }
        Ok(truths)
    }

    fn classes<'a>(
        &self,
        name: &str,
        events: impl Iterator<Item = &'a Event>,
    ) -> Result<Vec<String>, DownstreamError> {
        let mut found: Vec<&str> = events.map(|event| event.condition.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        let mut classes: Vec<String> = match &self.conditions[..] {
            [] => found
                .iter()
                .map(|condition| condition.to_string())
                .collect(),
            wanted => wanted.to_vec(),
        };
        let unknown = classes.iter().find(|c| !found.contains(&c.as_str()));
        if let Some(unknown) = unknown {
            return Err(DownstreamError::Config {
                field: format!("downstream.targets.{name}.state.conditions"),
                found: unknown.clone(),
                expected: format!("conditions of these scans: {found:?}"),
            });
        }
        if self.rest && !classes.iter().any(|class| class == REST) {
            classes.push(REST.to_string());
        }
        Ok(classes)
    }

    /// Those of segments start `stride` volumes apart.
    fn stretches(
        &self,
        seen: &Seen,
        events: &[&Event],
        layout: &SegmentLayout,
        stride: usize,
    ) -> Vec<Example> {
        let series = &seen.scan.series;
        let (n, tr_secs) = (series.n_volumes(), series.tr_secs());
        let example = |start_volume: usize, n_volumes: usize| Example {
            scan: seen.number,
            start_volume,
            n_volumes,
        };
        match self.stretch {
            Stretch::Segment => {
                let len = layout.segment_len_trs;
                let starts = (0..(n + 1).saturating_sub(len)).step_by(stride);
                starts.map(|start| example(start, len)).collect()
            }
            Stretch::Volume => (0..n).map(|volume| example(volume, 1)).collect(),
            Stretch::Event => (events.iter())
                .filter_map(|event| {
                    let at = |secs: f64| ((secs / tr_secs).round().max(0.0) as usize).min(n);
                    let start = at(event.onset_secs + self.delay_secs);
                    let end = at(event.onset_secs + self.delay_secs + event.duration_secs);
                    (end > start).then(|| example(start, end - start))
                })
                .collect(),
        }
    }

    /// The condition that fills enough of a stretch.
    fn condition<'a>(
        &self,
        seen: &Seen,
        example: Example,
        events: &[&'a Event],
    ) -> Option<&'a str> {
        let tr_secs = seen.scan.series.tr_secs();
        let start = example.start_volume as f64 * tr_secs;
        let secs = example.n_volumes as f64 * tr_secs;
        let mut filled: BTreeMap<&str, f64> = BTreeMap::new();
        for event in events {
            let onset = event.onset_secs + self.delay_secs;
            let overlap = (onset + event.duration_secs).min(start + secs) - onset.max(start);
            *filled.entry(event.condition.as_str()).or_default() += overlap.max(0.0);
        }
        // A billionth less than asked for is rounding.
        let enough = self.least_share * secs * (1.0 - 1e-9);
        let most = filled.iter().max_by(|a, b| a.1.total_cmp(b.1));
        match most {
            Some((condition, filled)) if *filled >= enough => Some(condition),
            _ => {
                let rest = secs - filled.values().sum::<f64>();
                (self.rest && rest >= enough).then_some(REST)
            }
        }
    }
}

#[cfg(test)]
mod tests;
